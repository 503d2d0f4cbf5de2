"""Analytics of ended jobs (requirement A14): from sums by template and hour, or of some jobs by their ids. Never a scan."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from wainwright.contracts.names import check_job_id
from wainwright.domain.analytics import Analytics, FlakyTest
from wainwright.domain.errors import InvalidInput
from wainwright.domain.job_query import TimeRange
from wainwright.domain.jobs import Job
from wainwright.domain.states import JobStatus
from wainwright.domain.statistics import Statistics
from wainwright.domain.tests import TestOutcome
from wainwright.ports.clock import Clock
from wainwright.ports.job_store import JobStore
from wainwright.usecases.caller import Caller

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
        """Return the analytics of the jobs that ended in a stretch of time, of one template or of all.

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
        return _analytics(sums, sums.quantile_ms)

    def by_ids(self, caller: Caller, job_ids: Sequence[str]) -> Analytics:
        """Return the exact analytics of these jobs, ended or not.

        Raises:
            InvalidInput: there are too many, or one of them is none of this project's.
        """
        each = [Statistics.of(job, self._flaky_tests(job)) for job in self._read(caller.project, job_ids)]
        durations = sorted(one.duration_sum_ms for one in each if one.durations)
        return _analytics(sum(each, Statistics()), lambda share: _quantile(durations, share))

    def _flaky_tests(self, job: Job) -> list[str]:
        tests = self.jobs.tests(job.project, job.id) if job.tests.flaky else ()
        return [test.id for test in tests if test.outcome is TestOutcome.FLAKY]

    def _read(self, project: str, job_ids: Sequence[str]) -> list[Job]:
        ids = list(dict.fromkeys(job_ids))
        if len(ids) > MAX_JOBS:
            raise InvalidInput("jobIds", f"jobIds names {len(ids)} jobs, more than {MAX_JOBS}")
        now, jobs = self.clock(), []
        for job_id in ids:
            try:
                job = self.jobs.get(project, check_job_id(job_id))
            except InvalidInput as error:
                raise InvalidInput("jobIds", f"jobIds: {job_id[:40]!r}is not a job id", advice=error.advice) from error
            if job is None or job.has_expired(now):
                raise InvalidInput("jobIds", f"jobIds: this project has no job {job_id}", advice="Leave it out.")
            jobs.append(job)
        return jobs


def _analytics(sums: Statistics, quantile: Callable[[float], int | None]) -> Analytics:
    completed = sums.count(JobStatus.COMPLETED)
    flaky = sorted(sums.flaky.items(), key=lambda item: (-item[1], item[0]))
    return Analytics(
        total_jobs=sums.total,
        completed_jobs=completed,
        failed_jobs=sums.count(JobStatus.FAILED),
        canceled_jobs=sums.count(JobStatus.CANCELED),
        success_rate=completed / sums.total * 100 if sums.total else None,
        average_duration=sums.mean_ms,
        min_duration=sums.shortest_ms,
        max_duration=sums.longest_ms,
        p50_duration=quantile(0.5),
        p95_duration=quantile(0.95),
        error_types=dict(sums.categories),
        flaky_tests=[FlakyTest(id=test_id, count=count) for test_id, count in flaky[:MOST_FLAKY]],
    )


def _quantile(ordered: Sequence[int], share: float) -> int | None:
    """Return the smallest value that a share of them does not exceed."""
    return ordered[max(math.ceil(share * len(ordered)), 1) - 1] if ordered else None
