"""Logs of jobs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from wainwright.domain.logs import LogEntry, LogLevel


@dataclass(frozen=True)
class LogQuery:
    """A query of a log's lines, oldest first. ``message`` is a part of the message, in any case."""

    level: LogLevel | None = None
    message: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    limit: int = 50
    cursor: str | None = None


@dataclass(frozen=True)
class LogPage:
    """Some lines, and where to go on if there are more."""

    logs: Sequence[LogEntry]
    cursor: str | None


class LogStore(Protocol):
    """Logs of jobs. A job keeps at most MAX_LOG_LINES lines; the last one says that no more are kept."""

    def append(self, project: str, job_id: str, entries: Sequence[LogEntry]) -> int:
        """Add lines, at most 25 in one call; returns how many were kept. Their order is that of their times, then of adding."""
        ...

    def read(self, project: str, job_id: str, query: LogQuery) -> LogPage:
        """A page of the lines that match. Examines at most 1,000, so a page may be short and have a cursor all the same.

        Raises:
            InvalidInput: the cursor is none of ours.
        """
        ...
