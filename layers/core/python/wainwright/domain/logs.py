"""Lines of a job's log."""

from typing import Any, Literal

from wainwright.domain.instants import Instant
from wainwright.domain.model import Record

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
