"""Categories of failure: a closed list. Nothing fails without one of these."""

from enum import StrEnum

from wainwright.domain.record import Record

MAX_MESSAGE = 2_000
"""Characters of a failure's message that a row keeps; the report has the rest."""


class FailureCategory(StrEnum):
    """Kinds of failure that end a job."""

    ASSERTION = "assertion"
    TEST_TIMEOUT = "test_timeout"
    JOB_TIMEOUT = "job_timeout"
    SCRIPT_ERROR = "script_error"
    NAVIGATION = "navigation"
    OUT_OF_MEMORY = "out_of_memory"
    WORKER_LOST = "worker_lost"
    INFRASTRUCTURE = "infrastructure"
    INVALID_INPUT = "invalid_input"
    OUTPUT_SCHEMA = "output_schema"
    INSTRUCTIONS = "instructions"
    CANCELED_BY_USER = "canceled_by_user"


PLATFORM_FAILURES = frozenset({FailureCategory.WORKER_LOST, FailureCategory.INFRASTRUCTURE})
"""Failures of Wainwright or AWS rather than of the tests: ``wainwright run`` exits 3 for them."""


class Failure(Record):
    """One failure: its category, a message, and the test that caused it, if one did."""

    category: FailureCategory
    message: str
    test_id: str | None = None

    @classmethod
    def of(cls, category: FailureCategory, message: str, *, test_id: str | None = None) -> "Failure":
        """Return a failure with its message cut to MAX_MESSAGE."""
        return cls(category=category, message=message[:MAX_MESSAGE], test_id=test_id)

    def to_line(self) -> str:
        """Return the failure in one line, as ``error`` of a job record."""
        first = self.message.strip().splitlines()
        return f"{self.category}: {first[0]}" if first else str(self.category)
