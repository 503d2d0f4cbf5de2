"""Aggregates of ended jobs: counts, and durations in a histogram, so that no list of jobs has to be read.

Histograms are added up bucket by bucket; mean is exact, minimum and maximum are kept beside it, and
quantiles are exact to the width of a bucket (5 %).
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from wainwright.domain.instants import to_milliseconds
from wainwright.domain.jobs import Job
from wainwright.domain.states import FINAL, JobStatus

GROWTH = 1.05
"""Each bucket reaches 5 % further than the one before."""

MAX_FLAKY = 10
"""Flaky tests counted of one job."""


def bucket_of(milliseconds: int) -> int:
    """Return the bucket of a duration."""
    return 0 if milliseconds <= 1 else math.ceil(math.log(milliseconds, GROWTH))


def top_of(bucket: int) -> int:
    """Return the longest duration of a bucket, in milliseconds."""
    return math.floor(GROWTH**bucket)


@dataclass(frozen=True)
class Statistics:
    """Sums over some ended jobs. ``durations`` are those of completed ones: bucket → number."""

    by_status: Mapping[str, int] = field(default_factory=dict)
    categories: Mapping[str, int] = field(default_factory=dict)
    durations: Mapping[int, int] = field(default_factory=dict)
    duration_sum_ms: int = 0
    shortest_ms: int | None = None
    longest_ms: int | None = None
    flaky: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of_change(cls, before: Job | None, after: Job) -> "Statistics | None":
        """Return what a change of a job adds; None if it does not end the job.

        Every end counts: a job that failed, was tried again by hand and failed again counts twice.
        """
        if after.status not in FINAL or (before is not None and before.status is after.status):
            return None
        flaky = before.outcome.flaky_tests[:MAX_FLAKY] if before is not None and before.outcome is not None else ()
        return cls.of(after, flaky)

    @classmethod
    def of(cls, job: Job, flaky_tests: Iterable[str] = ()) -> "Statistics":
        """Return the sums over one ended job."""
        by_status = {str(job.status): 1}
        categories = {str(job.failure.category): 1} if job.failure and job.status is JobStatus.FAILED else {}
        flaky = dict.fromkeys(flaky_tests, 1)
        if job.status is not JobStatus.COMPLETED or job.completed_at is None:
            return cls(by_status=by_status, categories=categories, flaky=flaky)
        took = to_milliseconds(job.completed_at - job.created_at)
        return cls(
            by_status=by_status, durations={bucket_of(took): 1}, duration_sum_ms=took, shortest_ms=took, longest_ms=took,
            flaky=flaky,
        )  # fmt: skip

    def __add__(self, other: "Statistics") -> "Statistics":
        extremes = [self.shortest_ms, self.longest_ms, other.shortest_ms, other.longest_ms]
        known = [each for each in extremes if each is not None]
        return Statistics(
            by_status=Counter(self.by_status) + Counter(other.by_status),
            categories=Counter(self.categories) + Counter(other.categories),
            durations=Counter(self.durations) + Counter(other.durations),
            duration_sum_ms=self.duration_sum_ms + other.duration_sum_ms,
            shortest_ms=min(known, default=None),
            longest_ms=max(known, default=None),
            flaky=Counter(self.flaky) + Counter(other.flaky),
        )

    @property
    def total(self) -> int:
        """Number of ended jobs."""
        return sum(self.by_status.values())

    def count(self, status: JobStatus) -> int:
        """Return the number of jobs that ended so."""
        return self.by_status.get(str(status), 0)

    @property
    def mean_ms(self) -> float | None:
        """Mean duration of completed jobs."""
        number = sum(self.durations.values())
        return self.duration_sum_ms / number if number else None

    def quantile_ms(self, share: float) -> int | None:
        """Return the duration that a share (0 to 1) of the completed jobs did not exceed, exact to 5 %."""
        number = sum(self.durations.values())
        if not number or self.longest_ms is None or self.shortest_ms is None:
            return None
        seen = 0
        for bucket in sorted(self.durations):
            seen += self.durations[bucket]
            if seen >= share * number:
                return max(min(top_of(bucket), self.longest_ms), self.shortest_ms)
        return self.longest_ms


def hour_of(instant: datetime) -> datetime:
    """Return the hour that an instant lies in."""
    return instant.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def hour_of_end(job: Job) -> datetime:
    """Return the hour in which a job ended."""
    return hour_of(job.completed_at or job.updated_at)
