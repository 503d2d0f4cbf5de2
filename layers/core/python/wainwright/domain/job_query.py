"""Queries for jobs."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from wainwright.domain.jobs import Job
from wainwright.domain.states import JobStatus


class SortBy(StrEnum):
    """Times that jobs can be ordered by. Jobs without the time are left out."""

    CREATED = "createdAt"
    STARTED = "startedAt"
    COMPLETED = "completedAt"


@dataclass(frozen=True)
class TimeRange:
    """From one instant to another, both included; either may be open."""

    start: datetime | None = None
    end: datetime | None = None

    def holds(self, instant: datetime | None) -> bool:
        """True if the instant lies within; None lies only in the range that is open on both sides."""
        if instant is None:
            return self.start is None and self.end is None
        return (self.start is None or self.start <= instant) and (self.end is None or instant <= self.end)


ANY_TIME = TimeRange()


@dataclass(frozen=True)
class JobQuery:
    """Filters that all have to match, an order, and a cursor. Empty sets and None match everything."""

    statuses: frozenset[JobStatus] = frozenset()
    types: frozenset[str] = frozenset()
    template_id: str | None = None
    batch_id: str | None = None
    has_errors: bool | None = None
    label: str | None = None
    created: TimeRange = ANY_TIME
    started: TimeRange = ANY_TIME
    ended: TimeRange = ANY_TIME
    sort_by: SortBy = SortBy.CREATED
    ascending: bool = False
    limit: int = 50
    cursor: str | None = None
    include_expired: bool = False

    def matches(self, job: Job, now: datetime) -> bool:
        """True if the job matches. An expired one does not, though its row may still be there."""
        return (
            (self.include_expired or not job.has_expired(now))
            and (not self.statuses or job.status in self.statuses)
            and (not self.types or job.type in self.types)
            and self.template_id in (None, job.template_id)
            and self.batch_id in (None, job.batch_id)
            and self.has_errors in (None, job.has_errors)
            and self.label in (None, job.label)
            and self.created.holds(job.created_at)
            and self.started.holds(job.started_at)
            and self.ended.holds(job.completed_at)
            and self.time_of(job) is not None
        )

    def time_of(self, job: Job) -> datetime | None:
        """Return the time by which jobs are ordered."""
        if self.sort_by is SortBy.CREATED:
            return job.created_at
        return job.started_at if self.sort_by is SortBy.STARTED else job.completed_at
