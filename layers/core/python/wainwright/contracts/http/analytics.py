"""Bodies of the calls of analytics."""

from wainwright.domain.model import Record


class FlakyTest(Record):
    """A test that passed only after a retry, and how often it did."""

    id: str
    count: int


class Analytics(Record):
    """Answer to ``GET /v1/analytics``. Durations are milliseconds from creation to completion, of completed jobs.

    Where there is nothing, rates and durations are null: never NaN.
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
