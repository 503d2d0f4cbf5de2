"""Removal, every twelve hours and in small batches, of what a project need not keep any more (requirement D9)."""

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from wainwright.contracts.names import archive_key
from wainwright.domain.capacity import Limits, Retention
from wainwright.domain.errors import Conflict, Refused
from wainwright.domain.job_query import JobQuery, SortBy, TimeRange
from wainwright.domain.jobs import Job
from wainwright.domain.states import AT_REST, JobStatus
from wainwright.ports.artifacts import Artifacts
from wainwright.ports.clock import Clock
from wainwright.ports.job_store import JobStore
from wainwright.ports.spool import Spool
from wainwright.usecases.remove_job import remove_job

BATCH = 100
"""Jobs read at once."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CleanUp:
    """Deletes jobs past their time or beyond their project's count. What is not reached in ``budget`` is the next run's."""

    jobs: JobStore
    artifacts: Artifacts
    clock: Clock
    default_limits: Limits
    spool: Spool

    def __call__(self, *, budget: timedelta) -> int:
        """Clean all projects, for as long as ``budget`` at the most; returns how many jobs were deleted.

        Raises:
            ExceptionGroup: some could not be deleted, with the reasons; all others were.
        """
        until = self.clock() + budget
        removed = 0
        faults: list[Exception] = []
        for job, retention in self._expired_jobs():
            if self.clock() >= until:
                log.info("out of time; the next run deletes the rest", extra={"removed": removed})
                break
            try:
                removed += self._remove(job, retention)
            except Exception as error:
                # One job that cannot be deleted must not keep those behind it: rows of parts have no expiry of their own.
                log.exception("could not be deleted", extra={"jobId": job.id})
                faults.append(error)
        if faults:
            raise ExceptionGroup(f"{len(faults)} jobs could not be deleted", faults)
        return removed

    def _expired_jobs(self) -> Iterator[tuple[Job, Retention]]:
        for load in self.jobs.loads():
            retention = (load.limits or self.default_limits).retention
            for job in self._expired_jobs_of(load.project, retention):
                yield job, retention

    def _expired_jobs_of(self, project: str, retention: Retention) -> Iterator[Job]:
        now = self.clock()
        past = TimeRange(end=now - timedelta(days=retention.job_days))
        yield from self._pages(project, JobQuery(statuses=AT_REST, ended=past, ascending=True), now)
        counts = {JobStatus.COMPLETED: retention.max_completed, JobStatus.FAILED: retention.max_failed}
        for status, most in counts.items():
            if most is not None:
                newest_first = JobQuery(statuses=frozenset({status}))
                yield from list(self._pages(project, newest_first, now))[most:]

    def _pages(self, project: str, query: JobQuery, now: datetime) -> Iterator[Job]:
        query = replace(query, sort_by=SortBy.COMPLETED, limit=BATCH, include_expired=True)
        cursor: str | None = None
        while True:
            page = self.jobs.find(project, replace(query, cursor=cursor), now)
            yield from page.jobs
            cursor = page.cursor
            if cursor is None:
                return

    def _remove(self, job: Job, retention: Retention) -> int:
        if retention.archive:
            self._archive(job)
        try:
            remove_job(self.jobs, self.artifacts, self.spool, job, self.clock())
        except (Conflict, Refused):
            return 0  # it was retried or resumed just now
        return 1

    def _archive(self, job: Job) -> None:
        # Here, for few projects archive, and all others start sooner without the API's models.
        from wainwright.usecases.present_job import present

        view = self.jobs.view(job.project, job.id)
        if view is not None:
            record = present(view, self.clock())
            body = json.dumps(record.model_dump(mode="json", by_alias=True)).encode()
            self.artifacts.put(archive_key(job.project, job.id), body, "application/json")
