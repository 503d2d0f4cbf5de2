"""Bodies of the calls of analytics; the others are of :mod:`wainwright.domain.analytics`."""

from wainwright.domain.analytics import TestRecord
from wainwright.domain.model import Record


class TestAnalytics(Record):
    """Answer to ``GET /v1/analytics/tests``: by ``sortBy``, the highest first.

    ``truncated``: the project has tests in more files than are looked at, and those of the others are not in the list. Name a
    ``file`` to see its tests in any case.
    """

    tests: list[TestRecord]
    cursor: str | None
    truncated: bool = False
