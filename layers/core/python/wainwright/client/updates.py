"""Updates of a job as its event stream tells them, typed."""

from dataclasses import dataclass

import httpx
from httpx_sse import EventSource, SSEError
from pydantic import ValidationError

from wainwright.client.errors import UnexpectedAnswer
from wainwright.contracts.events import EventKind
from wainwright.contracts.job_records import JobRecord
from wainwright.domain.failures import Failure
from wainwright.domain.record import Record
from wainwright.domain.states import JobStatus
from wainwright.domain.tests import Tally, TestOutcome


class StatusUpdate(Record):
    """Status of the job. ``progress`` is 0 to 100."""

    status: JobStatus
    progress: int = 0
    tests: Tally = Tally()
    attempt: int = 1
    failure: Failure | None = None


class CollectedUpdate(Record):
    """Number of test cases of the job."""

    total: int


class TestError(Record):
    """One error of a test case, and where it was raised, as far as that is known."""

    __test__ = False

    message: str
    file: str | None = None
    line: int | None = None


class Attachment(Record):
    """A file that a test case left: its name, and its path within the report; no path if it could not be kept."""

    name: str
    href: str | None = None


class TestUpdate(Record):
    """Outcome of one test case."""

    __test__ = False

    id: str
    title: str
    file: str | None = None
    line: int | None = None
    outcome: TestOutcome
    duration_ms: float | None = None
    attempt: int = 1
    errors: tuple[TestError, ...] = ()
    attachments: tuple[Attachment, ...] = ()


class LogUpdate(Record):
    """A line of the job's log."""

    level: str
    message: str
    test_id: str | None = None


class ProgressUpdate(Record):
    """Progress as the test code reports it: ``percent`` from 0 to 100."""

    percent: float
    message: str | None = None


Update = StatusUpdate | CollectedUpdate | TestUpdate | LogUpdate | ProgressUpdate

_MODELS: dict[str, type[Update]] = {
    EventKind.STATUS: StatusUpdate,
    EventKind.COLLECTED: CollectedUpdate,
    EventKind.TEST: TestUpdate,
    EventKind.LOG: LogUpdate,
    EventKind.PROGRESS: ProgressUpdate,
}


@dataclass(frozen=True)
class Segment:
    """One answer of the event stream: its updates, and from where and when (milliseconds) to ask for the next."""

    updates: tuple[Update, ...]
    last_id: str
    retry_ms: int | None


def status_of(job: JobRecord) -> StatusUpdate:
    """Return the update that tells the present status of a job."""
    return StatusUpdate(
        status=job.status, progress=job.progress, tests=job.tests, attempt=job.attempt, failure=job.failure
    )


def read_segment(answer: httpx.Response, last_id: str, job_id: str) -> Segment:
    """Return the updates of one answer. Events of a kind this version does not know are left out.

    Raises:
        UnexpectedAnswer: it is no event stream, or one of its events does not have its kind's form.
    """
    try:
        events = list(EventSource(answer).iter_sse())
    except SSEError as error:
        raise UnexpectedAnswer(f"{answer.url.host} did not send events: {error}", job_id=job_id) from error
    updates: list[Update] = []
    retry_ms = None
    for event in events:
        last_id = event.id or last_id
        retry_ms = event.retry if event.retry is not None else retry_ms
        if event.event not in _MODELS or not event.data:
            continue
        try:
            updates.append(_MODELS[event.event].model_validate_json(event.data, extra="ignore"))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            message = f"a {event.event} event is not readable: {where}: {first['msg']}"
            raise UnexpectedAnswer(message, job_id=job_id) from error
    return Segment(tuple(updates), last_id, retry_ms)
