"""Tests in quarantine: they run, and their failures do not fail a job, until a day that is named from the start."""

from datetime import date, datetime, timedelta

from pydantic import Field

from wainwright.domain.errors import InvalidInput
from wainwright.domain.instants import Instant
from wainwright.domain.record import Record

MOST_DAYS = 90
"""Longest quarantine: a test that is not fixed by then fails again."""

MAX_QUARANTINED = 500
"""Tests of one project. A worker reads them all before a run."""

MAX_TEST_ID = 4_000
MAX_REASON = 500


class Quarantine(Record):
    """One test in quarantine, by its exact id. ``until`` is its last day, in UTC; ``by`` names the key that put it in."""

    test_id: str = Field(min_length=1, max_length=MAX_TEST_ID)
    until: date
    reason: str = Field(min_length=1, max_length=MAX_REASON)
    added_at: Instant
    by: str = ""

    def holds(self, now: datetime) -> bool:
        """True if it is in force."""
        return now.date() <= self.until

    @property
    def note(self) -> str:
        """Remark beside a failure that does not count."""
        return f"quarantined until {self.until.isoformat()}: {self.reason}"


def check_until(until: date, now: datetime) -> None:
    """Raise InvalidInput for a last day that is over, or more than MOST_DAYS ahead."""
    today = now.date()
    last = today + timedelta(days=MOST_DAYS)
    if not today <= until <= last:
        raise InvalidInput(
            "until", f"until must be a day from {today.isoformat()} to {last.isoformat()}, not {until.isoformat()}",
            advice=f"A quarantine lasts {MOST_DAYS} days at most; it can be renewed.",
        )  # fmt: skip
