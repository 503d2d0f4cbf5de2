"""Statistics of a job that comes to an end, the same in every store."""

from datetime import UTC, datetime

from wainwright.domain.jobs import Job
from wainwright.domain.statistics import COUNTED, Statistics

MOST_FLAKY = 10
"""Flaky tests counted of one job."""


def ending(before: Job | None, after: Job) -> Statistics | None:
    """Return what a step adds to the statistics; None if it ends no job.

    Every ending counts: a job that failed, was tried again by hand and failed again counts twice.
    """
    if after.status not in COUNTED or (before is not None and before.status is after.status):
        return None
    flaky = before.outcome.flaky_tests[:MOST_FLAKY] if before is not None and before.outcome is not None else ()
    return Statistics.of(after, flaky)


def hour_of(instant: datetime) -> datetime:
    """The hour that an instant lies in."""
    return instant.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def hour_of_end(job: Job) -> datetime:
    """The hour in which a job ended."""
    return hour_of(job.completed_at or job.updated_at)
