"""Lines of a job's log."""

from datetime import UTC, datetime
from typing import Any, Literal

from wainwright.domain.instants import Instant
from wainwright.domain.record import Record

MAX_LOG_MESSAGE = 10_000
MAX_LOG_LINES = 10_000
"""Lines of one job's log; the last one says that it is full."""

LogLevel = Literal["INFO", "ERROR"]


class LogEntry(Record):
    """One line of a job's log."""

    timestamp: Instant
    level: LogLevel
    message: str
    additional_info: dict[str, Any] | None = None


LOG_FULL = LogEntry(
    timestamp=datetime(1970, 1, 1, tzinfo=UTC), level="ERROR",
    message=f"this log is full: it has {MAX_LOG_LINES} lines",
)  # fmt: skip
"""The last line of a log that is full; its time is set when it is written."""
