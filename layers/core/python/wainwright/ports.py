"""What the use cases need of the world, as protocols. ``adapters/aws`` has the real ones, ``adapters/memory`` the fakes.

Every implementation of a port passes the same suite in ``tests/contract``.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from wainwright.contracts.events import EventKind, JobEvent, StatusChanged
from wainwright.contracts.http import LogEntry, LogLevel
from wainwright.contracts.messages import ExecutionInput, TokenResult, WorkMessage
from wainwright.contracts.scopes import Scope
from wainwright.domain.capacity import Limits, ProjectLoad
from wainwright.domain.find import JobQuery
from wainwright.domain.jobs import Job, JobDetail
from wainwright.domain.statistics import Statistics
from wainwright.domain.templates import Template
from wainwright.domain.tests import Tally, TestOutcome
from wainwright.domain.workers import WorkerRecord


class Clock(Protocol):
    """Tells the time."""

    def __call__(self) -> datetime:
        """Now: UTC, whole milliseconds."""
        ...


@dataclass(frozen=True)
class LineEntry:
    """One place in a project's waiting line."""

    position: str
    job_id: str
    lanes: int
    not_before: datetime | None


@dataclass(frozen=True)
class Progress:
    """How far a job has come: its last event, the tally of its tests so far, and what the test code itself says."""

    sequence: int = 0
    tests: Tally = Tally()
    percent: int | None = None


@dataclass(frozen=True)
class StoredTest:
    """A test case's outcome as a row. ``body`` is the runtime's own JSON of the result, with the attachments' names."""

    id: str
    outcome: TestOutcome
    attempt: int
    body: Mapping[str, Any]


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
        ...

    def get(self, project: str, job_id: str) -> Job | None:
        """The row, read consistently."""
        ...

    def view(self, project: str, job_id: str) -> JobView | None:
        """Row, detail and progress, read together and consistently."""
        ...

    def get_idempotent(self, project: str, key: str) -> tuple[str, str] | None:
        """Job id and request digest that an ``Idempotency-Key`` stands for."""
        ...

    def waiting_line(self, project: str, now: datetime, limit: int) -> Sequence[LineEntry]:
        """The first places of the line that may start at ``now``, in starting order, read consistently."""
        ...

    def loads(self) -> Sequence[ProjectLoad]:
        """The counters of all projects, read consistently."""
        ...

    def load(self, project: str) -> ProjectLoad:
        """The counters of one project, read consistently."""
        ...

    def due(self, before: datetime, limit: int) -> Sequence[tuple[str, str]]:
        """(project, job id) of rows whose ``due_at`` has passed, most overdue first."""
        ...

    def find(self, project: str, query: JobQuery, now: datetime) -> Page:
        """A page of the jobs that match, in order. Examines at most 1,000 rows, so a page may be short, or even empty, and
        have a cursor all the same.

        Raises:
            InvalidInput: the cursor is none of ours, or belongs to another query.
        """
        ...

    def dependents(self, project: str, job_id: str) -> Sequence[str]:
        """Ids of the jobs that were made to wait for this one."""
        ...

    def delete(self, job: Job) -> None:
        """Remove a job and all its rows: detail, progress, tests, events, logs. To be repeated until it returns.

        Raises:
            Conflict: the row is no longer ``job``.
            Refused: the job is not at rest.
        """
        ...

    def set_detail(self, project: str, job_id: str, detail: JobDetail) -> None:
        """Replace a job's detail.

        Raises:
            Conflict: there is no such job, or it is being deleted.
            TooLarge: as in :meth:`write`.
        """
        ...

    def set_limits(self, project: str, limits: Limits) -> None:
        """Set the project's own limits."""
        ...

    def statistics(self, project: str, template_id: str | None, start: datetime, end: datetime) -> Statistics:
        """Sums over the jobs that ended from ``start`` to ``end``, both cut to the hour, of one template or of all.

        The hour of ``end`` is part of it. Numbers and sums are exact; the shortest and the longest are kept after the jobs'
        own writes, and exact to 5 % where that failed.
        """
        ...

    def record(
        self,
        job: Job,
        *,
        tests: Sequence[StoredTest] = (),
        events: Sequence[NewEvent] = (),
        tally: Tally | None = None,
        percent: int | None = None,
    ) -> Progress:
        """Keep outcomes and events of a job under its fence; all or nothing, at most 40 in one call.

        ``percent`` is what the test code says of its own progress; None leaves it as it is.

        Raises:
            FenceLost: the job's row has another run or fence by now.
        """
        ...

    def tests(self, project: str, job_id: str) -> Sequence[StoredTest]:
        """All stored outcomes of a job."""
        ...

    def events(self, project: str, job_id: str, after: int, limit: int) -> Sequence[JobEvent]:
        """Stored events with a sequence greater than ``after``, in order, without gaps."""
        ...


@dataclass(frozen=True)
class LogQuery:
    """Which lines of a log, oldest first. ``message`` is a part of the message, in any case."""

    level: LogLevel | None = None
    message: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    limit: int = 50
    cursor: str | None = None


@dataclass(frozen=True)
class LogPage:
    """Some lines, and where to go on if there are more."""

    logs: Sequence[LogEntry]
    cursor: str | None


class LogStore(Protocol):
    """Logs of jobs. A job keeps at most MAX_LOG_LINES lines; the last one says that no more are kept."""

    def append(self, project: str, job_id: str, entries: Sequence[LogEntry]) -> int:
        """Add lines, at most 25 in one call; returns how many were kept. Their order is that of their times, then of adding."""
        ...

    def read(self, project: str, job_id: str, query: LogQuery) -> LogPage:
        """A page of the lines that match. Examines at most 1,000, so a page may be short and have a cursor all the same.

        Raises:
            InvalidInput: the cursor is none of ours.
        """
        ...


class TemplateStore(Protocol):
    """Templates and all their versions."""

    def put(self, template: Template) -> None:
        """Write a version; the newest is the one with the highest number.

        Raises:
            Conflict: that version exists, or the one before it does not.
        """
        ...

    def get(self, project: str, template_id: str, version: int | None = None) -> Template | None:
        """A version, or the newest. None where there is none, or the template was deleted."""
        ...

    def list(self, project: str, limit: int, cursor: str | None) -> tuple[Sequence[Template], str | None]:
        """A page of the newest versions, in the order of their creation.

        Raises:
            InvalidInput: the cursor is none of ours.
        """
        ...

    def delete(self, project: str, template_id: str) -> bool:
        """Delete the template with all its versions; False if there was none."""
        ...

    def mark_run(self, project: str, template_id: str, at: datetime) -> None:
        """A job was made of it."""
        ...

    def last_run(self, project: str, template_ids: Sequence[str]) -> Mapping[str, datetime]:
        """When jobs were last made of these, for those of which any was."""
        ...


@dataclass(frozen=True)
class ApiKey:
    """A key as it is kept: only the SHA-256 of its secret."""

    id: str
    digest: str
    project: str
    scope: Scope
    name: str
    created_at: datetime
    revoked: bool = False


@dataclass(frozen=True)
class Ticket:
    """Leave to read one job's report for a while."""

    digest: str
    project: str
    job_id: str
    expires_at: datetime


class AccessStore(Protocol):
    """API keys and tickets, found by the SHA-256 of the secret."""

    def put_key(self, key: ApiKey) -> None:
        """Keep a key, new or changed."""
        ...

    def find_key(self, digest: str) -> ApiKey | None:
        """The key with this digest."""
        ...

    def list_keys(self, project: str) -> Sequence[ApiKey]:
        """The project's keys."""
        ...

    def put_ticket(self, ticket: Ticket) -> None:
        """Keep a ticket until it expires."""
        ...

    def find_ticket(self, digest: str) -> Ticket | None:
        """The ticket with this digest, expired or not."""
        ...


class WorkerStore(Protocol):
    """Rows of workers."""

    def put(self, worker: WorkerRecord) -> None:
        """Write a worker's row, new or changed."""
        ...

    def add(self, worker: WorkerRecord) -> bool:
        """Write the row of a new worker; False if there is one with its id."""
        ...

    def list(self) -> Sequence[WorkerRecord]:
        """All rows, read consistently."""
        ...

    def remove(self, worker_id: str) -> None:
        """Delete a worker's row, if it is there."""
        ...


class LaunchRefused(Exception):
    """The platform did not start the worker. ``capacity``: it had no room, rather than refusing the request."""

    def __init__(self, message: str, *, capacity: bool) -> None:
        super().__init__(message)
        self.capacity = capacity


class WorkerLauncher(Protocol):
    """Starts workers."""

    def launch(self, worker_id: str, *, on_demand: bool) -> str:
        """Start one worker, at most once for each id; returns the platform's name of it.

        Raises:
            LaunchRefused: it was not started.
        """
        ...


class WakeUps(Protocol):
    """The jobs queue."""

    def send(self, project: str, *, delay: timedelta = timedelta(0)) -> None:
        """Have dispatch look at a project's line, after a delay of at most 900 s."""
        ...


@dataclass(frozen=True)
class ReceivedWork:
    """A work message in hand, until its visibility ends."""

    message: WorkMessage
    receipt: str
    received: int = 1


class WorkQueue(Protocol):
    """The work queue, as a worker sees it."""

    def receive(self, wait: timedelta) -> ReceivedWork | None:
        """The next message, or None when none came in time."""
        ...

    def extend(self, receipt: str, visibility: timedelta) -> None:
        """Keep the message in hand for so long from now; zero gives it back at once."""
        ...

    def delete(self, receipt: str) -> None:
        """The message is done with."""
        ...


class ExecutionState(StrEnum):
    """What became of an execution."""

    RUNNING = "running"
    ENDED = "ended"
    ABSENT = "absent"


class Workflows(Protocol):
    """Executions of the job state machine, and their task tokens."""

    def start(self, request: ExecutionInput) -> bool:
        """Start the run's execution; False if there is, or was, one of its name."""
        ...

    def state(self, job_id: str, run: int) -> ExecutionState:
        """What became of the run's execution."""
        ...

    def succeed(self, token: str, result: TokenResult) -> None:
        """End the token well. A token that is stale counts as ended."""
        ...

    def fail(self, token: str, *, error: str, cause: str) -> None:
        """End the token with an error. A token that is stale counts as ended."""
        ...


class ArtifactMissing(Exception):
    """There is no such object."""


@dataclass(frozen=True)
class Presigned:
    """An address that needs no credentials for a while, and the headers that must go with it."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)


class Artifacts(Protocol):
    """Objects in the bucket: bundles, reports, shared assets."""

    def put(self, key: str, content: bytes, content_type: str) -> None:
        """Write an object."""
        ...

    def put_file(self, key: str, file: Path, content_type: str) -> None:
        """Write an object from a file."""
        ...

    def get(self, key: str, *, most: int | None = None) -> tuple[bytes, str]:
        """An object's bytes and content type.

        Raises:
            ArtifactMissing: there is none.
            TooLarge: it has more than ``most`` bytes.
        """
        ...

    def download(self, key: str, target: Path) -> None:
        """Write an object to a file.

        Raises:
            ArtifactMissing: there is none.
        """
        ...

    def size_and_age(self, key: str) -> tuple[int, datetime] | None:
        """Size in bytes and time of writing, or None when there is no such object."""
        ...

    def delete_all(self, prefix: str, *, most: int) -> int:
        """Delete at most ``most`` objects whose keys start so; returns how many there were to delete in this call."""
        ...

    def presign_get(self, key: str, *, lasts: timedelta) -> Presigned:
        """An address to read the object from."""
        ...

    def presign_put(self, key: str, *, sha256: str, size: int, lasts: timedelta) -> Presigned:
        """An address to write exactly the bytes of this digest (hexadecimal) and size to."""
        ...


class EventBus(Protocol):
    """Where changes of status are published."""

    def publish(self, changes: Iterable[StatusChanged]) -> None:
        """Publish all of them.

        Raises:
            Unavailable: the bus did not take all; the caller sends all again.
        """
        ...
