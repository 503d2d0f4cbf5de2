"""Analytics of ended jobs (requirement A14): from sums by template and hour, or of some jobs by their ids. Never a scan."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from wainwright.contracts.names import check_job_id
from wainwright.domain.analytics import Analytics, FlakyTest
from wainwright.domain.errors import InvalidInput
from wainwright.domain.find import TimeRange
from wainwright.domain.instants import to_milliseconds
from wainwright.domain.jobs import Job
from wainwright.domain.states import JobStatus
from wainwright.domain.statistics import Statistics
from wainwright.domain.tests import TestOutcome
from wainwright.ports.clock import Clock
from wainwright.ports.job_store import JobStore
from wainwright.usecases.caller import Caller
from wainwright.usecases.find_job import is_gone

MAX_JOBS = 100
"""Jobs that can be analyzed by their ids at once; each is read by its key."""

DEFAULT_SPAN = timedelta(days=7)
MAX_SPAN = timedelta(days=92)
"""The longest time analyzed at once: one row for each hour of it is read."""

MOST_FLAKY = 50
"""Flaky tests named, the flakiest first."""


@dataclass(frozen=True)
class AnalyzeJobs:
    """Computes analytics."""

    jobs: JobStore
    clock: Clock

    def by_time(self, caller: Caller, template_id: str | None, span: TimeRange) -> Analytics:
        """Analytics of the jobs that ended in a stretch of time, of one template or of all.

        Quantiles are exact to 5 %, all else is exact. ``totalJobs`` counts the jobs that ended.

        Raises:
            InvalidInput: the time is too long, or ends before it starts.
        """
        end = span.end or max(self.clock(), span.start or self.clock())
        start = span.start or end - DEFAULT_SPAN
        if end - start > MAX_SPAN:
            raise InvalidInput(
                "from", f"from {start:%Y-%m-%d} to {end:%Y-%m-%d} is longer than {MAX_SPAN.days} days",
                advice="Ask for shorter times one after another.",
            )  # fmt: skip
        sums = self.jobs.statistics(caller.project, template_id, start, end)
        return Analytics(
            total_jobs=sums.total,
            completed_jobs=sums.count(JobStatus.COMPLETED),
            failed_jobs=sums.count(JobStatus.FAILED),
            canceled_jobs=sums.count(JobStatus.CANCELED),
            success_rate=_rate(sums.count(JobStatus.COMPLETED), sums.total),
            average_duration=sums.mean_ms,
            min_duration=sums.shortest_ms,
            max_duration=sums.longest_ms,
            p50_duration=sums.quantile_ms(0.5),
            p95_duration=sums.quantile_ms(0.95),
            error_types=dict(sums.categories),
            flaky_tests=_flaky(sums),
        )

    def by_ids(self, caller: Caller, job_ids: Sequence[str]) -> Analytics:
        """Analytics of these jobs, ended or not; everything is exact.

        Raises:
            InvalidInput: there are too many, or one of them is none of this project's.
        """
        jobs = self._read(caller.project, job_ids)
        of = Counter(job.status for job in jobs)
        took = sorted(
            to_milliseconds(job.completed_at - job.created_at)
            for job in jobs
            if job.status is JobStatus.COMPLETED and job.completed_at is not None
        )
        return Analytics(
            total_jobs=len(jobs),
            completed_jobs=of[JobStatus.COMPLETED],
            failed_jobs=of[JobStatus.FAILED],
            canceled_jobs=of[JobStatus.CANCELED],
            success_rate=_rate(of[JobStatus.COMPLETED], len(jobs)),
            average_duration=sum(took) / len(took) if took else None,
            min_duration=took[0] if took else None,
            max_duration=took[-1] if took else None,
            p50_duration=_quantile(took, 0.5),
            p95_duration=_quantile(took, 0.95),
            error_types=dict(
                Counter(str(job.failure.category) for job in jobs if job.failure and job.status is JobStatus.FAILED)
            ),
            flaky_tests=self._flaky_of(jobs),
        )

    def _read(self, project: str, job_ids: Sequence[str]) -> list[Job]:
        ids = list(dict.fromkeys(job_ids))
        if len(ids) > MAX_JOBS:
            raise InvalidInput("jobIds", f"jobIds names {len(ids)} jobs, more than {MAX_JOBS}")
        now, jobs = self.clock(), []
        for job_id in ids:
            try:
                job = self.jobs.get(project, check_job_id(job_id))
            except InvalidInput as error:
                raise InvalidInput("jobIds", f"jobIds: {job_id[:40]!r} is no job id", advice=error.advice) from error
            if job is None or is_gone(job, now):
                raise InvalidInput("jobIds", f"jobIds: this project has no job {job_id}", advice="Leave it out.")
            jobs.append(job)
        return jobs

    def _flaky_of(self, jobs: Sequence[Job]) -> list[FlakyTest]:
        counts: Counter[str] = Counter()
        for job in jobs:
            if job.tests.flaky:
                tests = self.jobs.tests(job.project, job.id)
                counts.update(test.id for test in tests if test.outcome is TestOutcome.FLAKY)
        return _flaky(Statistics(flaky=counts))


def _rate(completed: int, total: int) -> float | None:
    return completed / total * 100 if total else None


def _quantile(ordered: Sequence[int], share: float) -> int | None:
    """The smallest value that a share of them does not exceed."""
    return ordered[max(math.ceil(share * len(ordered)), 1) - 1] if ordered else None


def _flaky(sums: Statistics) -> list[FlakyTest]:
    ranked = sorted(sums.flaky.items(), key=lambda item: (-item[1], item[0]))
    return [FlakyTest(id=test_id, count=count) for test_id, count in ranked[:MOST_FLAKY]]
