"""Jobs as a program steers them: find, wait, log, and small changes. Each is made of calls of the API."""

import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias, Unpack

import httpx

from wainwright.client.calls import Calls
from wainwright.client.errors import ApiError
from wainwright.client.filters import JobFilters, LogFilters, States
from wainwright.contracts.http.bounds import MAX_WAIT_SECONDS
from wainwright.contracts.http.jobs import CreateJob, JobCreated
from wainwright.contracts.job_records import JobRecord
from wainwright.domain.logs import LogEntry
from wainwright.domain.states import AT_REST, JobStatus

PAGE = 1_000
"""The most rows that the API gives in one answer."""

WAIT_SECONDS = 300.0
"""Seconds to wait for a job, unless told otherwise (requirement A7)."""

POLL_SECONDS = 5.0
"""Seconds between two reports of a job's progress while it is waited for (requirement A7)."""

FOLLOW_SECONDS = 1.0
"""Seconds between two looks at a log that is followed."""

JobRef: TypeAlias = str | JobRecord | JobCreated
"""A job: its id, its record, or the answer to its creation."""

Progress: TypeAlias = Callable[[JobRecord], object]
"""Called with the job each time that its record was read."""


@dataclass(frozen=True)
class JobOutcome:
    """Result of waiting for a job. ``total_time`` is the time waited, in milliseconds; ``error`` one line, or None."""

    job_id: str
    success: bool
    results: dict[str, Any] | None
    error: str | None
    total_time: int
    job: JobRecord | None = None


def id_of(job: JobRef) -> str:
    """Return the job's id."""
    match job:
        case JobRecord():
            return job.id
        case JobCreated():
            return job.job_id
    return job


def outcome_of(job: JobRecord, seconds: float) -> JobOutcome:
    """Return the outcome of a job that ended after a wait of so many seconds."""
    success = job.status is JobStatus.COMPLETED
    error = None if success else job.error or f"the job is {job.status}"
    return JobOutcome(job.id, success, job.results, error, int(seconds * 1_000), job)


class AsyncJobs:
    """Jobs, each given by its id or its record."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def create(self, job: CreateJob, *, idempotency_key: str | None = None) -> JobCreated:
        """Create a job, once: repetitions carry the same ``idempotency_key``, a random one if none is given."""
        return await self._calls.create_job(job, idempotency_key=idempotency_key)

    async def find_by_id(self, job_id: str) -> JobRecord | None:
        """Return the job, or None if the project has none of this id."""
        try:
            return await self._calls.get_job(job_id)
        except ApiError as error:
            if error.status == httpx.codes.NOT_FOUND:
                return None
            raise

    async def find(self, **filters: Unpack[JobFilters]) -> AsyncGenerator[JobRecord]:
        """Iterate over the jobs that all filters let through, newest first; pages are fetched as they are needed."""
        left = filters.pop("limit", None)
        cursor = None
        while left is None or left > 0:
            page_filters: JobFilters = filters if left is None else {**filters, "limit": min(left, PAGE)}
            page = await self._calls.list_jobs(cursor=cursor, **page_filters)
            for job in page.jobs:
                yield job
            cursor = page.cursor
            if cursor is None:
                return
            left = None if left is None else left - len(page.jobs)

    async def logs(
        self, job: JobRef, *, follow: bool = False, **filters: Unpack[LogFilters]
    ) -> AsyncGenerator[LogEntry]:
        """Iterate over the lines of a job's log, oldest first; with ``follow`` until the job rests."""
        left = filters.pop("limit", None)
        seen = _SeenLines()
        while True:
            resting = follow and (await self._calls.get_job(id_of(job))).status in AT_REST
            cursor = None
            while left is None or left > 0:
                page_filters: LogFilters = filters if left is None else {**filters, "limit": min(left, PAGE)}
                page = await self._calls.list_logs(id_of(job), cursor=cursor, **page_filters)
                for entry in seen.add(page.logs) if follow else page.logs:
                    yield entry
                    left = None if left is None else left - 1
                cursor = page.cursor
                if cursor is None:
                    break
            if not follow or resting or left == 0:
                return
            if seen.last is not None:
                filters["from_"] = seen.last.timestamp
            await self._calls.transport.sleep(FOLLOW_SECONDS)
            seen.start_again()

    async def log_info(self, job: JobRef, message: str, additional_info: dict[str, Any] | None = None) -> LogEntry:
        """Add a line to the job's log, ended or not."""
        return await self._calls.create_log(id_of(job), message, additional_info=additional_info)

    async def log_error(self, job: JobRef, message: str, additional_info: dict[str, Any] | None = None) -> LogEntry:
        """Add an error to the job's log, ended or not: the job ``has_errors`` from then on."""
        return await self._calls.create_log(id_of(job), message, level="ERROR", additional_info=additional_info)

    async def wait_for(
        self,
        job: JobRef,
        states: States = AT_REST,
        *,
        timeout: float | None = WAIT_SECONDS,
        poll: float = POLL_SECONDS,
        on_progress: Progress | None = None,
    ) -> JobRecord:
        """Return the job once it is in one of ``states``: if none are given, once nothing more happens to it by itself.

        A long-poll answers at once; with ``on_progress`` it answers at least every ``poll`` seconds.

        Raises:
            WaitTimeout: it was not within ``timeout`` seconds; its ``code`` is ``timeout``.
            InvalidInput: there is no such state.
        """
        longest = MAX_WAIT_SECONDS if on_progress is None else poll
        return await self._calls.wait_for(
            id_of(job), states=states, wait_timeout=timeout, on_look=on_progress, poll=longest
        )

    async def wait_for_result(
        self,
        job: JobRef,
        *,
        timeout: float | None = WAIT_SECONDS,
        poll: float = POLL_SECONDS,
        on_progress: Progress | None = None,
    ) -> JobOutcome:
        """Return success, results and error of the job, once nothing more happens to it by itself.

        Raises:
            WaitTimeout: it has not ended within ``timeout`` seconds.
        """
        began = time.monotonic()
        record = await self.wait_for(job, timeout=timeout, poll=poll, on_progress=on_progress)
        return outcome_of(record, time.monotonic() - began)

    async def set_priority(self, job: JobRef, priority: int) -> JobRecord:
        """Change the job's place in the waiting line; a higher priority starts first."""
        return await self._calls.patch_job(id_of(job), priority=priority)

    async def set_low_priority(self, job: JobRef) -> JobRecord:
        """Let the job start only when no other waits."""
        return await self._calls.patch_job(id_of(job), low_priority=True)

    async def remove_low_priority(self, job: JobRef) -> JobRecord:
        """Let the job wait among the others again."""
        return await self._calls.patch_job(id_of(job), low_priority=False)

    async def cancel(self, job: JobRef) -> JobRecord:
        """Cancel a job; its report and logs are kept. One that is canceled already is no error."""
        return await self._calls.cancel_job(id_of(job))

    async def stop(self, job: JobRef) -> JobRecord:
        """Stop a job so that it can be resumed. One that is stopped already is no error."""
        return await self._calls.stop_job(id_of(job))

    async def resume(self, job: JobRef) -> JobRecord:
        """Go on with a stopped job; tests that passed do not run again."""
        return await self._calls.resume_job(id_of(job))

    async def retry(self, job: JobRef, *, only_failed: bool = True) -> JobRecord:
        """Try a failed job again, by the same id; with ``only_failed`` tests that passed do not run again."""
        return await self._calls.retry_job(id_of(job), only_failed=only_failed)

    async def delete(self, job: JobRef) -> None:
        """Delete a job that is at rest, its logs and its report."""
        await self._calls.delete_job(id_of(job))


class _SeenLines:
    """Lines of a followed log that were given. The last instant is asked for again: more may have come in it."""

    def __init__(self) -> None:
        self.last: LogEntry | None = None
        self._at_last: Counter[str] = Counter()
        self._repeated: Counter[str] = Counter()

    def start_again(self) -> None:
        """Expect the lines of the last instant once more."""
        self._repeated = self._at_last.copy()

    def add(self, entries: list[LogEntry]) -> list[LogEntry]:
        """Return those of the lines that were not given yet."""
        fresh = []
        for entry in entries:
            line = entry.model_dump_json()
            if self._repeated[line]:
                self._repeated[line] -= 1
                continue
            if self.last is None or entry.timestamp != self.last.timestamp:
                self._at_last.clear()
            self._at_last[line] += 1
            self.last = entry
            fresh.append(entry)
        return fresh
