"""The job: one frozen record, and every step that may be taken with it.

Each method returns the job after the step; nothing is changed in place. The project's counters and the waiting line follow
from the record alone (:attr:`Job.waiting`, :attr:`Job.held_lanes`), so a store that applies the difference between two records
in one transaction cannot let a counter drift.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, Self

from pydantic import Field

from wainwright.domain.errors import Refused, TransitionRefused
from wainwright.domain.failures import Failure, FailureCategory
from wainwright.domain.instants import Instant, to_milliseconds
from wainwright.domain.record import Record
from wainwright.domain.reports import ReportRef
from wainwright.domain.retry import RetryPolicy
from wainwright.domain.states import AT_REST, FINAL, IN_WORK, JobStatus, check_transition
from wainwright.domain.tests import Tally

LEASE = timedelta(seconds=30)
"""Time for which a claim holds without being renewed. The same as the work message's visibility."""

CHECK_AFTER = timedelta(seconds=60)
"""Time after a step until the sweep checks that the next one was taken."""

BLOCKED_CHECK_AFTER = timedelta(hours=1)
"""Time until the sweep looks at a job that waits for others. Each of those takes it along when it ends; only a job that
they lost sight of needs the look, and as long as it waits nothing else can be done for it.
"""

REPORT_AFTER = timedelta(minutes=10)
"""Time at rest after which the sweep asks for a missing report: the queue has given up the message that asked first. It asks
again each time that the time at rest has doubled.
"""

REPORT_RETRY_WINDOW = timedelta(hours=24)
"""Time at rest after which no report is asked for any more."""

MAX_LOSSES = 3
"""Losses of a worker in one run; the third ends the run."""

MAX_PRIORITY = 1_000
"""Priorities go from -MAX_PRIORITY to MAX_PRIORITY; higher starts first."""


_NO_RUN: dict[str, Any] = {"admitted_at": None, "worker": None, "lease_until": None, "outcome": None}


class RunBy(Record):
    """The API key, schedule, chain or batch that created a job."""

    id: str
    name: str


class Outcome(Record):
    """End of a run as its worker reports it. Written once, under a fence; Finish turns it into a state."""

    status: JobStatus
    fence: int
    failure: Failure | None = None
    tests: Tally = Tally()
    report: ReportRef | None = None
    flaky_tests: tuple[str, ...] = ()


class Job(Record):
    """One requested run of a suite, as its row keeps it. Times are UTC; ``ran_ms`` counts running time of this attempt.

    ``is_leaf``: no job ever waited for this one, so that its end need not look for any. ``counts_blocked``: it is among its
    project's queued jobs while it waits for others, too; jobs of older versions are not.
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
    counts_blocked: bool = False
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
        """True if nothing more happens to the job by itself."""
        return self.status in FINAL

    def has_expired(self, now: datetime) -> bool:
        """True if the job is not shown any more, though its row may still be there."""
        return self.expires_at is not None and self.expires_at <= now

    @property
    def owes_report(self) -> bool:
        """True if the job is at rest without a report of its last claim."""
        return self.status in AT_REST and self.fence > (self.report.fence if self.report else 0)

    @property
    def waiting(self) -> bool:
        """True if the job stands in its project's waiting line. One that waits for other jobs does not."""
        return self.status is JobStatus.PENDING and self.admitted_at is None and not self.blocked_on

    @property
    def is_queued(self) -> bool:
        """True if the job counts for the limit of its project's queued jobs: it waits in the line, or for other jobs."""
        is_pending = self.status is JobStatus.PENDING and self.admitted_at is None
        return is_pending and (self.counts_blocked or not self.blocked_on)

    @property
    def held_lanes(self) -> int:
        """Lanes of the project's running capacity that the job holds."""
        return self.lanes if self.admitted_at is not None else 0

    @property
    def line_position(self) -> str:
        """Place in the waiting line: text order is starting order. Low priority last, then higher priority, then age."""
        from_front = MAX_PRIORITY - self.priority
        created = int(self.created_at.timestamp() * 1000)
        return f"{int(self.low_priority)}#{from_front:04d}#{created:013d}#{self.id}"

    def waiting_ms(self, now: datetime) -> int:
        """Return the milliseconds from creation to start, or until now."""
        if self.started_at is None and self.completed_at is not None:
            return to_milliseconds(self.completed_at - self.created_at)
        return to_milliseconds((self.started_at or now) - self.created_at)

    def duration_ms(self, now: datetime) -> int | None:
        """Return the milliseconds from start to end, or until now; None before the start."""
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
            changes = {"completed_at": now, "due_at": None, "not_before": None} | _NO_RUN | changes
        if status in FINAL:
            changes["blocked_on"] = ()
        after = self._with(now, status=status, **changes)
        return after.model_copy(update={"due_at": now + REPORT_AFTER}) if after.owes_report else after

    def wait_for(self, predecessors: tuple[str, ...], now: datetime) -> Self:
        """Stay out of the waiting line until these jobs have completed."""
        return self._with(now, blocked_on=predecessors, counts_blocked=True, due_at=now + BLOCKED_CHECK_AFTER)

    def admit(self, now: datetime, most_lanes: int | None = None) -> Self:
        """Leave the waiting line for a new run, whose execution the writer starts.

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
        """Give the run to a worker: a new fence, a lease, and a loss if a predecessor left without releasing."""
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
        """True if nobody holds a live lease on the job."""
        return self.worker is None or self.lease_until is None or self.lease_until <= now

    def renew(self, now: datetime, ran_ms: int) -> Self:
        """Extend the worker's lease; ``ran_ms`` is the running time of this attempt so far."""
        lease = now + LEASE
        return self._with(now, lease_until=lease, due_at=lease + CHECK_AFTER, ran_ms=ran_ms)

    def release(self, now: datetime, ran_ms: int) -> Self:
        """Hand the run back in good order, which is no loss."""
        return self._with(now, worker=None, lease_until=None, ran_ms=ran_ms, due_at=now + CHECK_AFTER)

    def record_outcome(self, outcome: Outcome, now: datetime, ran_ms: int | None = None) -> Self:
        """Keep the outcome for Finish. The lease ends here."""
        return self._with(
            now, outcome=outcome, ran_ms=self.ran_ms if ran_ms is None else ran_ms,
            worker=None, lease_until=None, due_at=now + CHECK_AFTER,
            has_errors=self.has_errors or outcome.failure is not None,
        )  # fmt: skip

    def finish(self, ending: Outcome, now: datetime) -> Self:
        """End the run: a final state, ``stopped``, or the waiting line again for another attempt."""
        kept: dict[str, Any] = {
            "tests": ending.tests if ending.tests.total else self.tests,
            "report": ending.report or self.report,
            "has_errors": self.has_errors or ending.failure is not None,
        }
        if self.status is JobStatus.CANCELING:
            return self._to(JobStatus.CANCELED, now, failure=_canceled(), **kept)
        if ending.status is JobStatus.STOPPED and self.status is JobStatus.STOPPING:
            return self._to(JobStatus.STOPPED, now, failure=None, **kept)
        if ending.status is JobStatus.COMPLETED:
            return self._to(JobStatus.COMPLETED, now, failure=None, **kept)
        failure = ending.failure or Failure.of(FailureCategory.INFRASTRUCTURE, "the run ended without a reason")
        if self.status is JobStatus.RUNNING and self.retry.allows(self.attempt, failure.category):
            ready = now + self.retry.delay_after(self.attempt)
            return self._back_to_line(now, ready, attempt=self.attempt + 1, ran_ms=0, failure=failure, **kept)
        return self._to(JobStatus.FAILED, now, failure=failure, **kept)

    def restart(self, now: datetime) -> Self:
        """Put the same attempt back into the line for a new run, since the platform lost the last one."""
        if self.status is JobStatus.PENDING:
            return self._with(now, due_at=now + CHECK_AFTER, **_NO_RUN)
        return self._back_to_line(now, None)

    def _back_to_line(self, now: datetime, ready: datetime | None, **changes: Any) -> Self:
        due_at = (ready or now) + CHECK_AFTER
        return self._to(JobStatus.PENDING, now, not_before=ready, due_at=due_at, **_NO_RUN, **changes)

    def cancel(self, now: datetime) -> Self:
        """Cancel at once if no worker has the job, else have the worker do it. A job that has ended cannot be canceled."""
        if self.is_final:
            raise TransitionRefused(self.status, JobStatus.CANCELED)
        if self.status in IN_WORK:
            return self._to(JobStatus.CANCELING, now)
        return self._to(JobStatus.CANCELED, now, failure=_canceled())

    def stop(self, now: datetime) -> Self:
        """Stop so that the job can be resumed."""
        if self.status not in {JobStatus.PENDING, JobStatus.RUNNING, JobStatus.STOPPING}:
            raise TransitionRefused(self.status, JobStatus.STOPPING)
        if self.status is JobStatus.PENDING:
            return self._to(JobStatus.STOPPED, now)
        return self._to(JobStatus.STOPPING, now)

    def resume(self, now: datetime) -> Self:
        """Continue a stopped job: the same attempt, with its remaining running time."""
        if self.status is not JobStatus.STOPPED:
            raise TransitionRefused(self.status, JobStatus.PENDING)
        return self._to(JobStatus.PENDING, now, completed_at=None, due_at=now + CHECK_AFTER, expires_at=None)

    def try_again(self, now: datetime, *, only_failed: bool) -> Self:
        """Retry a failed job by hand; without ``only_failed`` no earlier outcome stands."""
        if self.status is not JobStatus.FAILED:
            raise TransitionRefused(self.status, JobStatus.PENDING)
        attempt = self.attempt + 1
        return self._to(
            JobStatus.PENDING, now, attempt=attempt, fresh_since=self.fresh_since if only_failed else attempt,
            completed_at=None, due_at=now + CHECK_AFTER, expires_at=None, failure=None, ran_ms=0,
        )  # fmt: skip

    def unblock(self, predecessor: str, now: datetime) -> Self:
        """Wait no longer for a predecessor, which has completed. A job that was stopped meanwhile stays at rest."""
        blocked_on = tuple(job_id for job_id in self.blocked_on if job_id != predecessor)
        due_at = now + (BLOCKED_CHECK_AFTER if blocked_on else CHECK_AFTER)
        return self._with(now, blocked_on=blocked_on, due_at=None if self.status in AT_REST else due_at)

    def skip(self, failure: Failure, now: datetime) -> Self:
        """End a job whose predecessor did not complete."""
        return self._to(JobStatus.SKIPPED, now, failure=failure)

    def set_priority(self, now: datetime, *, priority: int | None = None, low_priority: bool | None = None) -> Self:
        """Change the place in the line. Raises Refused if the job has ended."""
        if self.is_final:
            raise Refused(f"the job is {self.status}; its priority has no effect any more")
        changes = {"priority": priority, "low_priority": low_priority}
        return self._with(now, **{name: value for name, value in changes.items() if value is not None})

    def gain_dependent(self, now: datetime) -> Self:
        """Have the end of this job look for jobs that wait for it."""
        return self._with(now, is_leaf=False, updated_at=self.updated_at)

    def set_label(self, label: str, now: datetime) -> Self:
        """Change the label, in any state."""
        return self._with(now, label=label)

    def note_error(self, now: datetime) -> Self:
        """Note that an error was logged."""
        return self._with(now, has_errors=True)

    def add_report(self, report: ReportRef, now: datetime) -> Self:
        """Add a report that was written after the end."""
        return self._with(now, report=report, due_at=None)

    def seal(self) -> Self:
        """Prepare for deletion: the job names no report, since that may be gone, and owes none."""
        return self.model_copy(update={"report": None, "fence": 0, "due_at": None})

    def look_for_report(self, now: datetime) -> Self:
        """Set when the sweep checks again for the report of this job at rest."""
        rested = now - (self.completed_at or now)
        later = now + max(rested, REPORT_AFTER) if self.owes_report and rested < REPORT_RETRY_WINDOW else None
        return self._with(now, due_at=later, updated_at=self.updated_at)

    @property
    def is_in_work(self) -> bool:
        """True if a run is under way whose outcome is not there yet."""
        return self.admitted_at is not None and self.outcome is None

    def note_uploads(self, uploaded: Collection[tuple[int | None, str]], left: int, now: datetime) -> Self:
        """Note files of the report that were uploaded after the run; ``left`` are still to be."""
        report = self.report and self.report.with_uploaded(uploaded, left)
        outcome = self.outcome
        if outcome is not None and outcome.report is not None:
            outcome = outcome.model_copy(update={"report": outcome.report.with_uploaded(uploaded, left)})
        if (report, outcome) == (self.report, self.outcome):
            return self
        return self._with(now, report=report, outcome=outcome)

    def touch(self, now: datetime, after: timedelta = CHECK_AFTER) -> Self:
        """Set only when the sweep looks again."""
        return self._with(now, due_at=now + after, updated_at=self.updated_at)


class JobDetail(Record):
    """Fields that lists do not need, in an item of their own."""

    params: dict[str, Any] = Field(default_factory=dict)
    config: dict[str, Any] = Field(default_factory=dict)
    output_schema: dict[str, Any] | None = None
    results: dict[str, Any] | None = None
    instructions: str | None = None


def _canceled() -> Failure:
    return Failure.of(FailureCategory.CANCELED_BY_USER, "canceled by request")
