"""The job: one frozen record, and every step that may be taken with it.

Each method returns the job after the step; nothing is changed in place. What a job adds to its project's counters and
whether it stands in the waiting line follow from the record alone (:attr:`Job.waiting`, :attr:`Job.held_lanes`), so a store
that applies the difference between two records in one transaction cannot let a counter drift.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, Self

from pydantic import Field

from wainwright.domain.errors import Refused, TransitionRefused
from wainwright.domain.failures import Failure, FailureCategory
from wainwright.domain.instants import Instant, to_milliseconds
from wainwright.domain.model import Record
from wainwright.domain.reports import ReportRef
from wainwright.domain.retry import RetryPolicy
from wainwright.domain.states import AT_REST, FINAL, IN_WORK, JobStatus, check_transition
from wainwright.domain.tests import Tally

LEASE = timedelta(seconds=30)
"""How long a claim holds without being renewed. The same as the work message's visibility."""

CHECK_AFTER = timedelta(seconds=60)
"""How long after a step the sweep looks whether the next one was taken."""

REPORT_AFTER = timedelta(minutes=10)
"""How long after a job came to rest without a report the sweep asks for it: by then the queue has given the message up, which
asks for it first. It is asked for again each time that the job has been at rest twice as long.
"""

REPORT_RETRY_WINDOW = timedelta(hours=24)
"""For so long: a report that nobody could write until then cannot be written."""

MAX_LOSSES = 3
"""Losses of a worker in one run; the third ends the run."""

MAX_PRIORITY = 1_000
"""Priorities go from -MAX_PRIORITY to MAX_PRIORITY; higher starts first."""


class RunBy(Record):
    """Who asked for a job: the API key, schedule, chain or batch."""

    id: str
    name: str


class Outcome(Record):
    """What a worker says a run came to. Written once, under a fence; Finish makes a state of it."""

    status: JobStatus
    fence: int
    failure: Failure | None = None
    tests: Tally = Tally()
    report: ReportRef | None = None
    flaky_tests: tuple[str, ...] = ()


class Job(Record):
    """One requested run of a suite, as its row keeps it. Times are UTC; ``ran_ms`` counts running time of this attempt.

    ``is_leaf``: no job was ever made to wait for this one, so that its ending need not look for any.
    """

    project: str
    id: str
    type: str = "browser"
    label: str | None = None
    status: JobStatus = JobStatus.PENDING
    status_sequence: int = 1
    priority: int = Field(default=0, ge=-MAX_PRIORITY, le=MAX_PRIORITY)
    low_priority: bool = False
    url: str | None = None
    bundle_id: str | None = None
    template_id: str | None = None
    template_version: int | None = None
    batch_id: str | None = None
    run_by: RunBy
    depends_on: tuple[str, ...] = ()
    blocked_on: tuple[str, ...] = ()
    is_leaf: bool = Field(default=False, alias="noDependents")
    lanes: int = Field(default=1, ge=1)
    timeout_ms: int
    report_days: int = 30
    retry: RetryPolicy = RetryPolicy()

    created_at: Instant
    updated_at: Instant
    started_at: Instant | None = None
    completed_at: Instant | None = None
    due_at: Instant | None = None
    expires_at: Instant | None = None
    not_before: Instant | None = None

    attempt: int = 1
    fresh_since: int = 1
    run: int = 0
    admitted_at: Instant | None = None
    worker: str | None = None
    fence: int = 0
    lease_until: Instant | None = None
    losses: int = 0
    ran_ms: int = 0
    outcome: Outcome | None = None

    tests: Tally = Tally()
    failure: Failure | None = None
    report: ReportRef | None = None
    has_errors: bool = False

    version: int = 0
    operation: str = ""

    # What follows from the record

    @property
    def is_final(self) -> bool:
        """Whether nothing more happens to the job by itself."""
        return self.status in FINAL

    @property
    def owes_report(self) -> bool:
        """Whether the job is at rest, and whoever had it last left no report: see :meth:`add_report`."""
        return self.status in AT_REST and self.fence > (self.report.fence if self.report else 0)

    @property
    def waiting(self) -> bool:
        """Whether the job stands in its project's waiting line. One that waits for other jobs does not."""
        return self.status is JobStatus.PENDING and self.admitted_at is None and not self.blocked_on

    @property
    def held_lanes(self) -> int:
        """How much of the project's running capacity the job holds."""
        return self.lanes if self.admitted_at is not None else 0

    @property
    def line_position(self) -> str:
        """The job's place in the waiting line: text order is starting order.

        Low priority last, then higher priority first, then older first; the id makes it unique.
        """
        from_front = MAX_PRIORITY - self.priority
        created = int(self.created_at.timestamp() * 1000)
        return f"{int(self.low_priority)}#{from_front:04d}#{created:013d}#{self.id}"

    def waiting_ms(self, now: datetime) -> int:
        """Milliseconds from creation to start; grows while the job has not started."""
        if self.started_at is None and self.completed_at is not None:
            return to_milliseconds(self.completed_at - self.created_at)
        return to_milliseconds((self.started_at or now) - self.created_at)

    def duration_ms(self, now: datetime) -> int | None:
        """Milliseconds from start to end; grows while the job runs; None before it started."""
        if self.started_at is None:
            return None
        return to_milliseconds((self.completed_at or now) - self.started_at)

    # The steps

    def _with(self, now: datetime, **changes: Any) -> Self:
        changes.setdefault("updated_at", now)
        return self.model_copy(update=changes)

    def _to(self, status: JobStatus, now: datetime, **changes: Any) -> Self:
        check_transition(self.status, status)
        if status is not self.status:
            changes["status_sequence"] = self.status_sequence + 1
        if status in AT_REST:
            changes = {
                "completed_at": now, "due_at": None, "admitted_at": None, "worker": None,
                "lease_until": None, "not_before": None, "outcome": None,
            } | changes  # fmt: skip
        if status in FINAL:
            changes["blocked_on"] = ()
        after = self._with(now, status=status, **changes)
        return after.model_copy(update={"due_at": now + REPORT_AFTER}) if after.owes_report else after

    def admit(self, now: datetime, most_lanes: int | None = None) -> Self:
        """Leave the waiting line for a new run. The execution is started by whoever wrote this.

        A job of more than ``most_lanes``, since its project's limit was lowered, would wait for ever: it gets so many.
        """
        check_transition(self.status, JobStatus.RUNNING)
        return self._with(
            now,
            run=self.run + 1,
            lanes=min(self.lanes, most_lanes or self.lanes),
            admitted_at=now,
            due_at=now + CHECK_AFTER,
            not_before=None,
            losses=0,
            outcome=None,
        )

    def claim(self, worker: str, now: datetime) -> Self:
        """A worker takes the run: a new fence, a lease, and a loss if a predecessor left without releasing."""
        status = self.status if self.status in IN_WORK else JobStatus.RUNNING
        lease = now + LEASE
        return self._to(
            status,
            now,
            worker=worker,
            fence=self.fence + 1,
            lease_until=lease,
            due_at=lease + CHECK_AFTER,
            losses=self.losses + (1 if self.worker is not None else 0),
            started_at=self.started_at or now,
        )

    def can_be_claimed(self, now: datetime) -> bool:
        """Whether nobody holds a live lease on the job."""
        return self.worker is None or self.lease_until is None or self.lease_until <= now

    def renew(self, now: datetime, ran_ms: int) -> Self:
        """The worker still has it; ``ran_ms`` is the running time of this attempt so far."""
        lease = now + LEASE
        return self._with(now, lease_until=lease, due_at=lease + CHECK_AFTER, ran_ms=ran_ms)

    def release(self, now: datetime, ran_ms: int) -> Self:
        """The worker hands the run back in good order: its going is no loss."""
        return self._with(now, worker=None, lease_until=None, ran_ms=ran_ms, due_at=now + CHECK_AFTER)

    def record_outcome(self, outcome: Outcome, now: datetime, ran_ms: int | None = None) -> Self:
        """Keep what the run came to, for Finish. The lease ends here."""
        return self._with(
            now, outcome=outcome, ran_ms=self.ran_ms if ran_ms is None else ran_ms,
            worker=None, lease_until=None, due_at=now + CHECK_AFTER,
            has_errors=self.has_errors or outcome.failure is not None,
        )  # fmt: skip

    def finish(self, ending: Outcome, now: datetime) -> Self:
        """The run is over: a final state, ``stopped``, or the waiting line again for another try."""
        kept: dict[str, Any] = {
            "tests": ending.tests if ending.tests.total else self.tests,
            "report": ending.report or self.report,
            "has_errors": self.has_errors or ending.failure is not None,
        }
        if self.status is JobStatus.CANCELING:
            canceled = Failure.of(FailureCategory.CANCELED_BY_USER, "canceled by request")
            return self._to(JobStatus.CANCELED, now, failure=canceled, **kept)
        if ending.status is JobStatus.STOPPED and self.status is JobStatus.STOPPING:
            return self._to(JobStatus.STOPPED, now, failure=None, **kept)
        if ending.status is JobStatus.COMPLETED:
            return self._to(JobStatus.COMPLETED, now, failure=None, **kept)
        failure = ending.failure or Failure.of(FailureCategory.INFRASTRUCTURE, "the run ended without saying why")
        if self.status is JobStatus.RUNNING and self.retry.allows(self.attempt, failure.category):
            ready = now + self.retry.delay_after(self.attempt)
            return self._back_to_line(now, ready, attempt=self.attempt + 1, ran_ms=0, failure=failure, **kept)
        return self._to(JobStatus.FAILED, now, failure=failure, **kept)

    def restart(self, now: datetime) -> Self:
        """The platform lost the run (not the work): the same attempt goes back to the line and gets a new run."""
        if self.status is JobStatus.PENDING:
            return self._with(
                now, admitted_at=None, worker=None, lease_until=None, outcome=None, due_at=now + CHECK_AFTER
            )
        return self._back_to_line(now, None)

    def _back_to_line(self, now: datetime, ready: datetime | None, **changes: Any) -> Self:
        return self._to(
            JobStatus.PENDING, now, not_before=ready, due_at=(ready or now) + CHECK_AFTER, admitted_at=None,
            worker=None, lease_until=None, outcome=None, **changes,
        )  # fmt: skip

    def cancel(self, now: datetime) -> Self:
        """Asked to cancel: at once where no worker has it, else the worker is told. What has ended cannot be canceled."""
        if self.is_final:
            raise TransitionRefused(self.status, JobStatus.CANCELED)
        if self.status in IN_WORK:
            return self._to(JobStatus.CANCELING, now)
        canceled = Failure.of(FailureCategory.CANCELED_BY_USER, "canceled by request")
        return self._to(JobStatus.CANCELED, now, failure=canceled)

    def stop(self, now: datetime) -> Self:
        """Asked to stop so that it can be resumed."""
        if self.status not in {JobStatus.PENDING, JobStatus.RUNNING, JobStatus.STOPPING}:
            raise TransitionRefused(self.status, JobStatus.STOPPING)
        if self.status is JobStatus.PENDING:
            return self._to(JobStatus.STOPPED, now)
        return self._to(JobStatus.STOPPING, now)

    def resume(self, now: datetime) -> Self:
        """Go on with a stopped job: the same attempt, with the running time that it has left."""
        if self.status is not JobStatus.STOPPED:
            raise TransitionRefused(self.status, JobStatus.PENDING)
        return self._to(JobStatus.PENDING, now, completed_at=None, due_at=now + CHECK_AFTER, expires_at=None)

    def try_again(self, now: datetime, *, only_failed: bool) -> Self:
        """Try a failed job again by hand; without ``only_failed`` no earlier outcome stands."""
        if self.status is not JobStatus.FAILED:
            raise TransitionRefused(self.status, JobStatus.PENDING)
        attempt = self.attempt + 1
        return self._to(
            JobStatus.PENDING, now, attempt=attempt, fresh_since=self.fresh_since if only_failed else attempt,
            completed_at=None, due_at=now + CHECK_AFTER, expires_at=None, failure=None, ran_ms=0,
        )  # fmt: skip

    def unblock(self, predecessor: str, now: datetime) -> Self:
        """A job that this one waited for has completed. One that was stopped meanwhile goes on being at rest."""
        blocked_on = tuple(job_id for job_id in self.blocked_on if job_id != predecessor)
        return self._with(now, blocked_on=blocked_on, due_at=None if self.status in AT_REST else now + CHECK_AFTER)

    def skip(self, failure: Failure, now: datetime) -> Self:
        """A job that this one waited for did not complete."""
        return self._to(JobStatus.SKIPPED, now, failure=failure)

    def set_priority(self, now: datetime, *, priority: int | None = None, low_priority: bool | None = None) -> Self:
        """Change the place in the line. What has ended has none.

        Raises:
            Refused: the job has ended.
        """
        if self.is_final:
            raise Refused(f"the job is {self.status}; its priority means nothing any more")
        return self._with(
            now,
            priority=self.priority if priority is None else priority,
            low_priority=self.low_priority if low_priority is None else low_priority,
        )

    def gain_dependent(self, now: datetime) -> Self:
        """A job was made to wait for this one, whose ending has to look for it from now on."""
        return self._with(now, is_leaf=False, updated_at=self.updated_at)

    def set_label(self, label: str, now: datetime) -> Self:
        """Give the job another label, in any state."""
        return self._with(now, label=label)

    def note_error(self, now: datetime) -> Self:
        """An error was logged."""
        return self._with(now, has_errors=True)

    def add_report(self, report: ReportRef, now: datetime) -> Self:
        """A report was written after the end."""
        return self._with(now, report=report, due_at=None)

    def seal(self) -> Self:
        """As whoever reads it finds a job that is being deleted: it names no report, since that may be gone, and owes none."""
        return self.model_copy(update={"report": None, "fence": 0, "due_at": None})

    def look_for_report(self, now: datetime) -> Self:
        """Nothing changed but when the sweep looks again whether the report of this job at rest is there."""
        rested = now - (self.completed_at or now)
        later = now + max(rested, REPORT_AFTER) if self.owes_report and rested < REPORT_RETRY_WINDOW else None
        return self._with(now, due_at=later, updated_at=self.updated_at)

    @property
    def is_in_work(self) -> bool:
        """Whether a run is under way whose outcome is not there yet."""
        return self.admitted_at is not None and self.outcome is None

    def note_uploads(self, uploaded: Collection[tuple[int | None, str]], left: int, now: datetime) -> Self:
        """Files of the report went up after the run: see :meth:`ReportRef.with_uploaded`."""
        report = self.report and self.report.with_uploaded(uploaded, left)
        outcome = self.outcome
        if outcome is not None and outcome.report is not None:
            outcome = outcome.model_copy(update={"report": outcome.report.with_uploaded(uploaded, left)})
        if (report, outcome) == (self.report, self.outcome):
            return self
        return self._with(now, report=report, outcome=outcome)

    def touch(self, now: datetime) -> Self:
        """Nothing changed but when the sweep looks again."""
        return self._with(now, due_at=now + CHECK_AFTER, updated_at=self.updated_at)


class JobDetail(Record):
    """What lists do not need: kept apart from the row, in an item of its own."""

    params: dict[str, Any] = Field(default_factory=dict)
    config: dict[str, Any] = Field(default_factory=dict)
    output_schema: dict[str, Any] | None = None
    results: dict[str, Any] | None = None
    instructions: str | None = None
