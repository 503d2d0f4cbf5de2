"""Calls in the words of a job control: find, wait, log, and small changes. Each is made of calls of the API."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias, Unpack

import httpx

from wainwright.client.calls import Calls
from wainwright.client.errors import ApiError
from wainwright.client.filters import JobFilters, LogFilters, States
from wainwright.client.steps import Emit, Flow, Pause, Stream
from wainwright.contracts.http.bounds import MAX_WAIT_SECONDS
from wainwright.contracts.http.jobs import JobCreated
from wainwright.contracts.http.templates import TemplateRecord
from wainwright.contracts.job_records import JobRecord
from wainwright.domain.logs import LogEntry
from wainwright.domain.states import AT_REST, JobStatus

PAGE = 1_000
"""The most rows that the API gives in one answer."""

WAIT_SECONDS = 300.0
"""How long is waited for a job, unless told otherwise (requirement A7)."""

POLL_SECONDS = 5.0
"""How often a job is looked at while it is waited for, where progress is to be told (requirement A7)."""

FOLLOW_SECONDS = 1.0
"""How often a log that is followed is looked at."""

JobRef: TypeAlias = str | JobRecord | JobCreated
"""A job: its id, or what the API said of it."""

Progress: TypeAlias = Callable[[JobRecord], object]
"""Called with the job each time that it was looked at."""


@dataclass(frozen=True)
class JobOutcome:
    """What waiting for a job came to. ``total_time`` is the time waited, in milliseconds; ``error`` one line, or None."""

    job_id: str
    success: bool
    results: dict[str, Any] | None
    error: str | None
    total_time: int
    job: JobRecord | None = None


def id_of(job: JobRef) -> str:
    """The job's id."""
    match job:
        case JobRecord():
            return job.id
        case JobCreated():
            return job.job_id
    return job


def find_by_id(calls: Calls, job_id: str) -> Flow[JobRecord | None]:
    """The job, or None if the project has none of this id."""
    try:
        return (yield from calls.get_job(job_id))
    except ApiError as error:
        if error.status == httpx.codes.NOT_FOUND:
            return None
        raise


def find(calls: Calls, **filters: Unpack[JobFilters]) -> Stream[JobRecord]:
    """The jobs that all filters let through, newest first, fetched page by page as they are asked for."""
    left = filters.pop("limit", None)
    cursor = None
    while left is None or left > 0:
        page_filters: JobFilters = filters if left is None else {**filters, "limit": min(left, PAGE)}
        page = yield from calls.list_jobs(cursor=cursor, **page_filters)
        for job in page.jobs:
            yield Emit(job)
        cursor = page.cursor
        if cursor is None:
            return
        left = None if left is None else left - len(page.jobs)


def logs(calls: Calls, job: JobRef, *, follow: bool = False, **filters: Unpack[LogFilters]) -> Stream[LogEntry]:
    """The lines of a job's log, oldest first, fetched page by page; with ``follow`` on and on until the job rests."""
    job_id = id_of(job)
    left = filters.pop("limit", None)
    told = _Told()
    while True:
        resting = follow and (yield from calls.get_job(job_id)).status in AT_REST
        cursor = None
        while left is None or left > 0:
            page_filters: LogFilters = filters if left is None else {**filters, "limit": min(left, PAGE)}
            page = yield from calls.list_logs(job_id, cursor=cursor, **page_filters)
            for entry in page.logs if not follow else told.new(page.logs):
                yield Emit(entry)
                left = None if left is None else left - 1
            cursor = page.cursor
            if cursor is None:
                break
        if not follow or resting or left == 0:
            return
        if told.last is not None:
            filters["from_"] = told.last.timestamp
        yield Pause(FOLLOW_SECONDS)
        told.again()


class _Told:
    """The lines of a followed log that were told. The last instant is asked for again: more may have come in it."""

    def __init__(self) -> None:
        self.last: LogEntry | None = None
        self._at_last: Counter[str] = Counter()
        self._before: Counter[str] = Counter()

    def again(self) -> None:
        """The log is asked for again, from the last instant on."""
        self._before = self._at_last.copy()

    def new(self, entries: list[LogEntry]) -> list[LogEntry]:
        """Those of the lines that were not told yet."""
        fresh = []
        for entry in entries:
            line = entry.model_dump_json()
            if self._before[line]:
                self._before[line] -= 1
                continue
            if self.last is None or entry.timestamp != self.last.timestamp:
                self._at_last.clear()
            self._at_last[line] += 1
            self.last = entry
            fresh.append(entry)
        return fresh


def log_info(calls: Calls, job: JobRef, message: str, additional_info: dict[str, Any] | None = None) -> Flow[LogEntry]:
    """Add a line to the job's log, ended or not."""
    return calls.create_log(id_of(job), message, additional_info=additional_info)


def log_error(calls: Calls, job: JobRef, message: str, additional_info: dict[str, Any] | None = None) -> Flow[LogEntry]:
    """Add an error to the job's log, ended or not: the job ``has_errors`` from then on."""
    return calls.create_log(id_of(job), message, level="ERROR", additional_info=additional_info)


def wait_for(
    calls: Calls,
    job: JobRef,
    states: States = AT_REST,
    *,
    timeout: float | None = WAIT_SECONDS,
    poll: float = POLL_SECONDS,
    on_progress: Progress | None = None,
) -> Flow[JobRecord]:
    """The job once it is in one of ``states``: if none are given, once nothing more happens to it by itself.

    A long-poll brings the news at once; with ``on_progress`` it answers at least every ``poll`` seconds.

    Raises:
        WaitTimeout: it was not within ``timeout`` seconds; its ``code`` is ``timeout``.
        InvalidInput: there is no such state.
    """
    return calls.wait_for(
        id_of(job), states=states, wait_timeout=timeout, on_look=on_progress,
        poll=MAX_WAIT_SECONDS if on_progress is None else poll,
    )  # fmt: skip


def wait_for_result(
    calls: Calls,
    job: JobRef,
    *,
    timeout: float | None = WAIT_SECONDS,
    poll: float = POLL_SECONDS,
    on_progress: Progress | None = None,
) -> Flow[JobOutcome]:
    """Whether the job completed, with its results or its error, once nothing more happens to it by itself.

    Raises:
        WaitTimeout: it has not ended within ``timeout`` seconds.
    """
    began = calls.clock()
    record = yield from wait_for(calls, job, timeout=timeout, poll=poll, on_progress=on_progress)
    return outcome_of(record, calls.clock() - began)


def outcome_of(job: JobRecord, seconds: float) -> JobOutcome:
    """What the end of a job means to whoever waited for it so long."""
    success = job.status is JobStatus.COMPLETED
    error = None if success else job.error or f"the job is {job.status}"
    return JobOutcome(job.id, success, job.results, error, int(seconds * 1_000), job)


def set_priority(calls: Calls, job: JobRef, priority: int) -> Flow[JobRecord]:
    """Change the job's place in the line; a higher priority starts first."""
    return calls.patch_job(id_of(job), priority=priority)


def set_low_priority(calls: Calls, job: JobRef) -> Flow[JobRecord]:
    """Let the job start only when no other waits."""
    return calls.patch_job(id_of(job), low_priority=True)


def remove_low_priority(calls: Calls, job: JobRef) -> Flow[JobRecord]:
    """Let the job wait among the others again."""
    return calls.patch_job(id_of(job), low_priority=False)


def cancel(calls: Calls, job: JobRef) -> Flow[JobRecord]:
    """Cancel a job; what it left is kept. One that is canceled already is no error."""
    return calls.cancel_job(id_of(job))


def stop(calls: Calls, job: JobRef) -> Flow[JobRecord]:
    """Stop a job so that it can be resumed. One that is stopped already is no error."""
    return calls.stop_job(id_of(job))


def resume(calls: Calls, job: JobRef) -> Flow[JobRecord]:
    """Go on with a stopped job; what had passed does not run again."""
    return calls.resume_job(id_of(job))


def retry(calls: Calls, job: JobRef, *, only_failed: bool = True) -> Flow[JobRecord]:
    """Try a failed job again, by the same id; with ``only_failed`` what has passed does not run again."""
    return calls.retry_job(id_of(job), only_failed=only_failed)


def delete(calls: Calls, job: JobRef) -> Flow[None]:
    """Delete a job that is at rest, its logs and its report."""
    return calls.delete_job(id_of(job))


def all_templates(calls: Calls) -> Stream[TemplateRecord]:
    """The project's templates, by name, fetched page by page as they are asked for."""
    cursor = None
    while True:
        page = yield from calls.list_templates(cursor=cursor)
        for template in page.templates:
            yield Emit(template)
        cursor = page.cursor
        if cursor is None:
            return
