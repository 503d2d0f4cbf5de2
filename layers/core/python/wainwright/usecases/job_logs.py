"""Logs of jobs: read them, add to them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wainwright.contracts.events import MAX_EVENT_TEXT, MAX_JOB_EVENTS, EventKind
from wainwright.domain.errors import InvalidInput, TooLarge
from wainwright.domain.logs import MAX_LOG_LINES, LogEntry, LogLevel
from wainwright.domain.states import AT_REST
from wainwright.ports.clock import Clock
from wainwright.ports.job_store import JobStore, NewEvent
from wainwright.ports.log_store import LogPage, LogQuery, LogStore
from wainwright.usecases.caller import Caller
from wainwright.usecases.check_schemas import json_size
from wainwright.usecases.find_job import find_job, no_such_job

MAX_INFO_BYTES = 10_240
"""Of a line besides its message, as JSON."""


@dataclass(frozen=True)
class JobLogs:
    """Reads and writes the logs of jobs."""

    jobs: JobStore
    logs: LogStore
    clock: Clock

    def read(self, caller: Caller, job_id: str, query: LogQuery) -> LogPage:
        """Return a page of a job's log, oldest first.

        Raises:
            InvalidInput: the cursor is none of ours.
            NotFound: the project has no such job.
        """
        job = find_job(self.jobs, self.clock, caller.project, job_id)
        return self.logs.read(job.project, job.id, query)

    def add(
        self, caller: Caller, job_id: str, message: str, *, level: LogLevel = "INFO",
        additional_info: Mapping[str, Any] | None = None,
    ) -> LogEntry:  # fmt: skip
        """Add a line to the log of a job, ended or not. One of level ERROR marks the job as having errors.

        It becomes an event of the job, too, unless the job is at rest: nothing comes after the terminal event.

        Raises:
            NotFound: the project has no such job, or not any more.
            TooLarge: the line carries too much, or the log is full.
            Unavailable: too many wrote at once; the line may be in the log, and then will be twice when it is sent again.
        """
        _check_line(message, additional_info)
        job = find_job(self.jobs, self.clock, caller.project, job_id)
        if level == "ERROR":
            marked = self.jobs.update(
                caller.project, job_id, lambda job: job if job.has_errors else job.note_error(self.clock())
            )
            if marked is None:
                raise no_such_job(job_id)
        info = None if additional_info is None else dict(additional_info)
        entry = LogEntry(timestamp=self.clock(), level=level, message=message, additional_info=info)
        if not self.logs.append(caller.project, job_id, [entry]):
            raise TooLarge(
                f"the job's log is full: it has {MAX_LOG_LINES} lines", advice="Log less, or use another job."
            )
        if job.status not in AT_REST:
            self.jobs.add_events(caller.project, job_id, [_event(entry)], MAX_JOB_EVENTS)
        return entry


def _event(entry: LogEntry) -> NewEvent:
    """Return a line as an event, of the same shape as a worker's. It belongs to no test."""
    data = {"level": entry.level, "message": entry.message[:MAX_EVENT_TEXT], "testId": None}
    return NewEvent(kind=EventKind.LOG, at=entry.timestamp, data=data)


def _check_line(message: str, additional_info: Mapping[str, Any] | None) -> None:
    if not message.strip():
        raise InvalidInput("message", "message: a line of the log must not be empty")
    if (size := json_size("additionalInfo", additional_info)) > MAX_INFO_BYTES:
        raise TooLarge(
            f"additionalInfo has {size} bytes of JSON, more than {MAX_INFO_BYTES}", advice="Log less in one call."
        )
