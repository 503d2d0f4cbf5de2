"""Back-off arithmetic of a job's own retries (requirement A11)."""

from datetime import timedelta

from pydantic import Field

from wainwright.domain.failures import FailureCategory
from wainwright.domain.record import Record

NOT_RETRIED = frozenset(
    {
        FailureCategory.INVALID_INPUT,
        FailureCategory.INSTRUCTIONS,
        FailureCategory.OUTPUT_SCHEMA,
        FailureCategory.CANCELED_BY_USER,
    }
)
"""Failures that another attempt cannot mend."""

MAX_DELAY = timedelta(hours=24)
"""Longest wait before a retry."""


class RetryPolicy(Record):
    """Number and delays of a job's attempts. ``max_attempts`` includes the first."""

    max_attempts: int = Field(default=1, ge=1, le=10)
    delay_ms: int = Field(default=10_000, ge=0, le=3_600_000)
    backoff_multiplier: float = Field(default=2.0, ge=1.0, le=10.0)

    def delay_after(self, attempt: int) -> timedelta:
        """Return the wait after attempt number ``attempt`` (from 1): delay × multiplier^(attempt − 1), at most MAX_DELAY."""
        milliseconds = int(self.delay_ms * self.backoff_multiplier ** (attempt - 1))
        return min(timedelta(milliseconds=milliseconds), MAX_DELAY)

    def allows(self, attempt: int, category: FailureCategory) -> bool:
        """True if another attempt follows attempt number ``attempt``, which failed so."""
        return attempt < self.max_attempts and category not in NOT_RETRIED
