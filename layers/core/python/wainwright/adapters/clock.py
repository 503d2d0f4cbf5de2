"""The time of this machine."""

from datetime import UTC, datetime

from wainwright.domain.instants import cut


def system_clock() -> datetime:
    """Return the time now: UTC, whole milliseconds, as rows keep it."""
    return cut(datetime.now(UTC))
