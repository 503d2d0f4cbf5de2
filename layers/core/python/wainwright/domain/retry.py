"""Back-off arithmetic of a job's own retries (requirement A11)."""

from datetime import timedelta

from pydantic import Field

from wainwright.domain.failures import FailureCategory
from wainwright.domain.model import Record

NOT_RETRIED = frozenset(
    {
        FailureCategory.INVALID_INPUT,
        FailureCategory.INSTRUCTIONS,
        FailureCategory.OUTPUT_SCHEMA,
        FailureCategory.CANCELED_BY_USER,
    }
)
"""Failures that another try cannot mend."""

MAX_DELAY = timedelta(hours=24)
"""No retry waits longer than this, whatever the multiplier makes of it."""


class RetryPolicy(Record):
    """How often and how soon a job's work is tried again. ``max_attempts`` counts all tries, the first included."""

    max_attempts: int = Field(default=1, ge=1, le=10)
    delay_ms: int = Field(default=10_000, ge=0, le=3_600_000)
    backoff_multiplier: float = Field(default=2.0, ge=1.0, le=10.0)

    def delay_after(self, attempt: int) -> timedelta:
        """How long to wait after try number ``attempt`` (from 1): delay × multiplier^(attempt − 1), bounded."""
        milliseconds = int(self.delay_ms * self.backoff_multiplier ** (attempt - 1))
        return min(timedelta(milliseconds=milliseconds), MAX_DELAY)

    def allows(self, attempt: int, category: FailureCategory) -> bool:
        """Whether another try follows when try number ``attempt`` failed so."""
        return attempt < self.max_attempts and category not in NOT_RETRIED
