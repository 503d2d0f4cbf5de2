"""Jobs with all that is kept of them, their waiting lines and their projects' counters."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from wainwright.contracts.events import EventKind, JobEvent
from wainwright.domain.capacity import Limits, ProjectLoad
from wainwright.domain.jobs import Job, JobDetail
from wainwright.domain.lanes import LaneRecord
from wainwright.domain.record import Record
from wainwright.domain.statistics import Statistics
from wainwright.domain.tests import RunningTest, Tally, TestOutcome
from wainwright.ports.updates import retry_conflicts

if TYPE_CHECKING:
    from wainwright.domain.job_query import JobQuery


@dataclass(frozen=True)
class Progress:
    """A job's progress: its last event, the tally of its tests so far, and the percentage that the test code reports.

    ``running`` are tests that have begun, as far as that was noted: those of jobs of one lane, and not of quick ones.
    """

    sequence: int = 0
    tests: Tally = Tally()
    percent: int | None = None
    running: tuple[RunningTest, ...] = ()


class StoredTest(Record):
    """A test case's outcome as a row. ``body`` is the runtime's own JSON of the result, with the attachments' names."""

    id: str
    outcome: TestOutcome
    attempt: int
    body: dict[str, Any]


@dataclass(frozen=True)
class NewEvent:
    """An event to be stored; the store gives it its sequence."""

    kind: EventKind
    at: datetime
    data: Mapping[str, Any]


@dataclass(frozen=True)
class Page:
    """Some rows, and where to go on if there are more."""

    jobs: Sequence[Job]
    cursor: str | None


@dataclass(frozen=True)
class Idempotency:
    """An ``Idempotency-Key`` and the digest of the request it came with."""

    key: str
    digest: str
    until: datetime


@dataclass(frozen=True)
class JobView:
    """A job with everything about it that is kept beside the row."""

    job: Job
    detail: JobDetail
    progress: Progress


class JobStore(Protocol):
    """Jobs, their waiting lines and their projects' counters.

    One gate: :meth:`write`. What stands in the waiting line and in the counters follows from the difference of the two
    records, and all of it is one transaction. A write that takes lanes also marks the project as served.
    """

    def write(
        self,
        before: Job | None,
        after: Job,
        *,
        limits: Limits | None = None,
        detail: JobDetail | None = None,
        idempotency: Idempotency | None = None,
        also: Sequence[tuple[Job, Job]] = (),
        unchanged: Sequence[Job] = (),
    ) -> Job:
        """Put ``after`` where ``before`` stands (None: where nothing does), and return it as it was written.

        With ``limits`` the write is refused where it would take the project beyond them. ``also`` are further (before, after)
        pairs of the same project, written in the same transaction; ``unchanged`` are jobs that must still be as they were
        read. A job that comes to an end (a final status that it did not have) is counted in the statistics of its template
        and hour; a new job that is blocked is noted with those it waits for.

        Raises:
            Conflict: a row is no longer as it was read.
            CapacityExceeded: over ``limits``.
            IdempotencyConflict: the key is taken; ``get_idempotent`` tells by whom.
            TooLarge: ``detail`` has more than 350 KB even compressed, which is what a row holds.
            ValueError: it would touch more than 100 rows: two for each of ``also``, and some 30 more where a job ends.
            Unavailable: conflicts with other transactions did not end.
        """

    def update(self, project: str, job_id: str, step: Callable[[Job], Job]) -> Job | None:
        """Write what ``step`` makes of a job's row, and return the row as it is then; None where there is no such job.

        Where another writer was first, the row is read and the step taken again. A step that returns the job it was given
        changes nothing, and nothing is written. Raises Unavailable: another writer was first each time.
        """

        def attempt() -> Job | None:
            job = self.get(project, job_id)
            if job is None:
                return None
            after = step(job)
            return job if after is job else self.write(job, after)

        return retry_conflicts(attempt, f"job {job_id}")

    def get(self, project: str, job_id: str) -> Job | None:
        """The row, read consistently."""

    def view(self, project: str, job_id: str) -> JobView | None:
        """Row, detail and progress, read together and consistently."""

    def get_idempotent(self, project: str, key: str) -> tuple[str, str] | None:
        """Job id and request digest that an ``Idempotency-Key`` stands for."""

    def waiting_line(self, project: str, now: datetime, limit: int) -> Sequence[str]:
        """Ids of the first jobs of the line that may start at ``now``, in starting order, read consistently."""

    def loads(self) -> Sequence[ProjectLoad]:
        """The counters of all projects, read consistently."""

    def load(self, project: str) -> ProjectLoad:
        """The counters of one project, read consistently."""

    def due(self, before: datetime, limit: int) -> Sequence[tuple[str, str]]:
        """(project, job id) of rows whose ``due_at`` has passed, most overdue first."""

    def find(self, project: str, query: "JobQuery", now: datetime) -> Page:
        """A page of the jobs that match, in order. Examines at most 1,000 rows, so a page may be short, or even empty, and
        have a cursor all the same. Raises InvalidInput: the cursor is none of ours, or belongs to another query.
        """

    def dependents(self, project: str, job_id: str) -> Sequence[str]:
        """Ids of the jobs that were made to wait for this one."""

    def seal(self, job: Job) -> None:
        """Note that a job is being deleted: nobody can change it any more, no list has it but that of cleaning, and its row
        names no report. May be repeated.

        Raises:
            Conflict: the row is no longer ``job``.
            Refused: the job is not at rest.
        """

    def delete(self, job: Job) -> None:
        """Remove a job and all its rows: detail, progress, tests, events, logs. Seals it first. To be repeated until it returns.

        Raises:
            Conflict: the row is no longer ``job``.
            Refused: the job is not at rest.
        """

    def set_detail(self, job: Job, detail: JobDetail) -> None:
        """Replace a job's detail, under the job's fence.

        Raises:
            FenceLost: as in :meth:`record`.
            TooLarge: as in :meth:`write`.
        """

    def set_limits(self, project: str, limits: Limits) -> None:
        """Set the project's own limits."""

    def statistics(self, project: str, template_id: str | None, start: datetime, end: datetime) -> Statistics:
        """Sums over the jobs that ended from ``start`` to ``end``, both cut to the hour, of one template or of all.

        The hour of ``end`` is part of it. Numbers and sums are exact; the shortest and the longest are kept after the jobs'
        own writes, and exact to 5 % where that failed.
        """

    def record(
        self,
        job: Job,
        *,
        tests: Sequence[StoredTest] = (),
        events: Sequence[NewEvent] = (),
        tally: Tally | None = None,
        percent: int | None = None,
        adds: Tally | None = None,
        lane: LaneRecord | None = None,
        running: Sequence[RunningTest] | None = None,
    ) -> Progress:
        """Keep outcomes and events of a job under its fence; all or nothing, at most 40 in one call.

        ``tally`` is the number of tests now; where several lanes record, each says what it ``adds`` instead (negative where
        one outcome takes the place of another), always together with events. ``percent`` is what the test code says of its
        own progress, ``running`` the tests that run now; None leaves either as it is. ``lane`` is the lane that records, None
        for the run's owner. Raises FenceLost: the job's row has another run or fence by now, or its run is over, or the lane
        was dismissed.
        """

    def add_events(self, project: str, job_id: str, events: Sequence[NewEvent], most: int) -> bool:
        """Number events that do not come from the job's worker in the job's one sequence; all or nothing, at most 25 in
        one call. They need no fence, and change nothing else that a worker writes.

        False where they are not kept: the job is at rest, so that its terminal event stays the last one, or it is not
        there or being deleted, or it would have more than ``most`` events.

        Raises:
            Unavailable: others were always first to number theirs.
        """

    def tests(self, project: str, job_id: str, ids: Collection[str] | None = None) -> Sequence[StoredTest]:
        """All stored outcomes of a job, or those of some of its tests; read consistently."""

    def events(self, project: str, job_id: str, after: int, limit: int) -> Sequence[JobEvent]:
        """Stored events with a sequence greater than ``after``, in order, without gaps."""
