"""Logs of jobs: read them, add to them."""

from collections.abc import Mapping
from dataclasses import dataclass

from wainwright.contracts.events import MAX_EVENT_TEXT, MAX_JOB_EVENTS, EventKind
from wainwright.contracts.http.logs import CreateLog
from wainwright.domain.errors import InvalidInput, TooLarge
from wainwright.domain.find import TimeRange
from wainwright.domain.logs import MAX_LOG_LINES, LogEntry, LogLevel
from wainwright.domain.states import AT_REST
from wainwright.ports.clock import Clock
from wainwright.ports.job_store import JobStore, NewEvent
from wainwright.ports.log_store import LogPage, LogQuery, LogStore
from wainwright.usecases.caller import Caller
from wainwright.usecases.check_schemas import json_size
from wainwright.usecases.find_job import find_job, no_such_job
from wainwright.usecases.periods import read_period, read_range

MAX_INFO_BYTES = 10_240
"""Of a line besides its message, as JSON."""

MAX_PART = 1_000
"""Characters of a part of a message to look for."""


@dataclass(frozen=True)
class JobLogs:
    """Reads and writes the logs of jobs."""

    jobs: JobStore
    logs: LogStore
    clock: Clock

    def read(self, caller: Caller, job_id: str, given: Mapping[str, str], *, limit: int) -> LogPage:
        """Return a page of a job's log, oldest first, by the parameters of ``GET /v1/jobs/{jobId}/logs``.

        Raises:
            InvalidInput: one of them has a value that it cannot have, or the cursor is none of ours.
            NotFound: the project has no such job.
        """
        job = find_job(self.jobs, self.clock, caller.project, job_id)
        span = self._span(given)
        query = LogQuery(
            level=_level(given["level"]) if "level" in given else None, message=_part(given.get("message")),
            start=span.start, end=span.end, limit=limit, cursor=given.get("cursor"),
        )  # fmt: skip
        return self.logs.read(job.project, job.id, query)

    def add(self, caller: Caller, job_id: str, request: CreateLog) -> LogEntry:
        """Add a line to the log of a job, ended or not. One of level ERROR marks the job as having errors.

        It becomes an event of the job, too, unless the job is at rest: nothing comes after the terminal event.

        Raises:
            NotFound: the project has no such job, or not any more.
            TooLarge: the line carries too much, or the log is full.
            Unavailable: too many wrote at once; the line may be in the log, and then will be twice when it is sent again.
        """
        _check_info(request)
        job = find_job(self.jobs, self.clock, caller.project, job_id)
        if request.level == "ERROR":
            marked = self.jobs.update(
                caller.project, job_id, lambda job: job if job.has_errors else job.note_error(self.clock())
            )
            if marked is None:
                raise no_such_job(job_id)
        entry = LogEntry(
            timestamp=self.clock(),
            level=request.level,
            message=request.message,
            additional_info=request.additional_info,
        )
        if not self.logs.append(caller.project, job_id, [entry]):
            raise TooLarge(
                f"the job's log is full: it has {MAX_LOG_LINES} lines", advice="Log less, or in another job."
            )
        if job.status not in AT_REST:
            self.jobs.add_events(caller.project, job_id, [_event(entry)], MAX_JOB_EVENTS)
        return entry

    def _span(self, given: Mapping[str, str]) -> TimeRange:
        """Return the time asked for: ``from`` and ``to`` go before ``period``."""
        if "period" in given and "from" not in given and "to" not in given:
            return read_period(given["period"], self.clock())
        return read_range(("from", "to"), given.get("from"), given.get("to"))


def _event(entry: LogEntry) -> NewEvent:
    """Return a line as an event, of the same shape as a worker's. It belongs to no test."""
    data = {"level": entry.level, "message": entry.message[:MAX_EVENT_TEXT], "testId": None}
    return NewEvent(kind=EventKind.LOG, at=entry.timestamp, data=data)


def _level(text: str) -> LogLevel:
    match text.upper():
        case "INFO":
            return "INFO"
        case "ERROR":
            return "ERROR"
        case _:
            raise InvalidInput("level", f"level is INFO or ERROR, not {text[:40]!r}")


def _part(text: str | None) -> str | None:
    if text is not None and not 0 < len(text) <= MAX_PART:
        raise InvalidInput("message", f"message is a part of 1 to {MAX_PART} characters")
    return text


def _check_info(request: CreateLog) -> None:
    if not request.message.strip():
        raise InvalidInput("message", "message: a line of the log says something")
    if (size := json_size("additionalInfo", request.additional_info)) > MAX_INFO_BYTES:
        raise TooLarge(
            f"additionalInfo has {size} bytes of JSON, more than {MAX_INFO_BYTES}", advice="Log less at once."
        )
