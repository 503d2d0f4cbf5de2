"""Bodies of the calls of quarantine."""

from datetime import date

from pydantic import Field

from wainwright.domain.quarantine import MAX_REASON, MAX_TEST_ID, Quarantine
from wainwright.domain.record import Record


class PutQuarantine(Record):
    """``PUT /v1/quarantine``. ``test_id`` is the exact id of a test, as results name it; ``until`` its last day in quarantine, in
    UTC, at most 90 days ahead.
    """

    test_id: str = Field(min_length=1, max_length=MAX_TEST_ID)
    until: date
    reason: str = Field(min_length=1, max_length=MAX_REASON)


class QuarantineAnswer(Record):
    """Answer to ``PUT /v1/quarantine``."""

    quarantine: Quarantine


class QuarantineList(Record):
    """Answer to ``GET /v1/quarantine``: by test id; those whose last day is over for a week more."""

    quarantine: list[Quarantine]
