"""Figures of jobs, and of tests over the jobs of a project, as the API gives them."""

from wainwright.domain.instants import Instant
from wainwright.domain.record import Record


class FlakyTest(Record):
    """A test that passed only after a retry, and how often it did."""

    id: str
    count: int


class Analytics(Record):
    """Figures of jobs. Durations are milliseconds from creation to completion, of completed jobs.

    Without such jobs, rates and durations are null: never NaN.
    """

    total_jobs: int
    completed_jobs: int
    failed_jobs: int
    canceled_jobs: int
    success_rate: float | None
    average_duration: float | None
    min_duration: int | None
    max_duration: int | None
    p50_duration: int | None
    p95_duration: int | None
    error_types: dict[str, int]
    flaky_tests: list[FlakyTest]


class TestRecord(Record):
    """Figures of a test over its jobs of the last 90 days.

    ``failed`` counts runs in which it failed, in quarantine or not; ``flaky`` those in which it passed only after a retry; rates
    are shares of ``runs``, 0 to 1. ``expected_duration`` is a moving average in milliseconds, null for a test that was always
    skipped. ``last_outcomes`` has a letter for each of its last 20 outcomes, the newest last: P passed, F failed, K flaky,
    S skipped.
    """

    id: str
    file: str
    runs: int
    failed: int
    flaky: int
    quarantined: bool
    flake_rate: float
    failure_rate: float
    expected_duration: int | None
    last_outcomes: str
    last_run_at: Instant


class TestAnalytics(Record):
    """Answer to ``GET /v1/analytics/tests``: by ``sortBy``, the highest first.

    ``truncated``: the project has tests in more files than are looked at, and those of the others are not in the list. Name a
    ``file`` to see its tests in any case.
    """

    tests: list[TestRecord]
    cursor: str | None
    truncated: bool = False
