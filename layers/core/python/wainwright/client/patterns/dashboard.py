"""The newest jobs at a glance (requirement A15). :mod:`wainwright.client.patterns.display` shows it in a terminal."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from wainwright.client.patterns.sync_and_async import ClientT, Pattern, both
from wainwright.contracts.job_records import JobRecord
from wainwright.domain.states import JobStatus

NEWEST = 100
RECENT_FAILURES = 5
LONG_RUNNING = timedelta(minutes=10)


@dataclass(frozen=True)
class Summary:
    """Numbers of jobs in each state. ``success_rate`` is completed ÷ all × 100, None where there is no job."""

    total: int
    by_status: dict[JobStatus, int]
    success_rate: float | None


class Dashboard(Pattern[ClientT]):
    """Keeps the newest jobs as they were at the last ``refresh``."""

    def __init__(self, client: ClientT, *, newest: int = NEWEST) -> None:
        super().__init__(client)
        self._newest = newest
        self.jobs: list[JobRecord] = []

    @both
    async def refresh(self) -> None:
        """Read the newest jobs again."""
        self.jobs = (await self.calls.list_jobs(limit=self._newest)).jobs

    def summary(self) -> Summary:
        """Counts by state, and the success rate."""
        counts = Counter(job.status for job in self.jobs)
        total = len(self.jobs)
        rate = counts[JobStatus.COMPLETED] / total * 100 if total else None
        return Summary(total, {status: counts[status] for status in JobStatus if counts[status]}, rate)

    def recent_failures(self, limit: int = RECENT_FAILURES) -> list[JobRecord]:
        """Jobs that failed, the one that changed last first."""
        failed = [job for job in self.jobs if job.status is JobStatus.FAILED]
        return sorted(failed, key=lambda job: job.updated_at, reverse=True)[:limit]

    def long_running(self, threshold: timedelta = LONG_RUNNING, now: datetime | None = None) -> list[JobRecord]:
        """Jobs that have been running for longer than ``threshold``, the longest first."""
        since = (now or datetime.now(UTC)) - threshold
        running = [job for job in self.jobs if job.status is JobStatus.RUNNING and job.started_at is not None]
        late = [job for job in running if job.started_at is not None and job.started_at < since]
        return sorted(late, key=lambda job: job.started_at or since)
