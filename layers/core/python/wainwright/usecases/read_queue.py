"""A project's queue at a glance: counters, waiting, long-running and lately failed jobs (requirement A15)."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from wainwright.domain.capacity import Limits
from wainwright.domain.job_query import JobQuery, SortBy, TimeRange
from wainwright.domain.jobs import Job
from wainwright.domain.states import JobStatus
from wainwright.ports.clock import Clock
from wainwright.ports.job_store import JobStore
from wainwright.usecases.caller import Caller

MOST_WAITING = 20
"""Jobs of the waiting line that are shown, in starting order."""

MOST_LONG_RUNNING = 20
RECENT_FAILURES = 5

FAILURES_READ = 20
"""Failures, of the jobs created last, that are searched for the most recently changed: jobs change about in the order of
their creation.
"""

MAX_PAGES = 3
"""Pages of a search that are read: a page may be short, and old jobs matter less."""


@dataclass(frozen=True)
class Queue:
    """A project's counters and limits, the jobs that wait, in starting order, and those that need a look."""

    queued: int
    running: int
    limits: Limits
    waiting: list[Job]
    long_running: list[Job]
    recent_failures: list[Job]


@dataclass(frozen=True)
class ReadQueue:
    """Reads queues, by a bounded number of reads however long they are."""

    jobs: JobStore
    clock: Clock
    default_limits: Limits

    def __call__(self, caller: Caller, *, long_running: timedelta) -> Queue:
        """Return the caller's queue. ``long_running`` is the time after which a running job is named."""
        now = self.clock()
        load = self.jobs.load(caller.project)
        # Both by creation: lists by state have that order, so that no row of another state is read.
        running = JobQuery(
            statuses=frozenset({JobStatus.RUNNING}), started=TimeRange(end=now - long_running),
            sort_by=SortBy.CREATED, ascending=True, limit=MOST_LONG_RUNNING,
        )  # fmt: skip
        failed = JobQuery(statuses=frozenset({JobStatus.FAILED}), sort_by=SortBy.CREATED, limit=FAILURES_READ)
        longest = sorted(self._find(caller.project, running, now), key=lambda job: job.started_at or now)
        failures = sorted(self._find(caller.project, failed, now), key=lambda job: job.updated_at, reverse=True)
        return Queue(
            queued=load.queued,
            running=load.running,
            limits=load.limits or self.default_limits,
            waiting=self._waiting(caller.project, now),
            long_running=longest,
            recent_failures=failures[:RECENT_FAILURES],
        )

    def _waiting(self, project: str, now: datetime) -> list[Job]:
        found = [self.jobs.get(project, job_id) for job_id in self.jobs.waiting_line(project, now, MOST_WAITING)]
        return [job for job in found if job is not None and job.waiting and not job.has_expired(now)]

    def _find(self, project: str, query: JobQuery, now: datetime) -> list[Job]:
        found: list[Job] = []
        for _ in range(MAX_PAGES):
            page = self.jobs.find(project, query, now)
            found += page.jobs
            if page.cursor is None or len(found) >= query.limit:
                break
            query = replace(query, cursor=page.cursor)
        return found[: query.limit]
