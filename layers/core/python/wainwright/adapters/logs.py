"""Logs of jobs, the same in every store."""

from collections.abc import Sequence
from datetime import UTC, datetime

from wainwright.domain.find import TimeRange
from wainwright.domain.logs import MAX_LOG_LINES, LogEntry
from wainwright.ports.log_store import LogQuery

FULL = LogEntry(
    timestamp=datetime(1970, 1, 1, tzinfo=UTC), level="ERROR",
    message=f"this log is full: it has {MAX_LOG_LINES} lines, and keeps no more",
)  # fmt: skip
"""The last line of a log that is full; its time is set when it is written."""


def accepts(query: LogQuery, entry: LogEntry) -> bool:
    """Return True if a line is looked for."""
    return (
        query.level in (None, entry.level)
        and (query.message is None or query.message.casefold() in entry.message.casefold())
        and TimeRange(query.start, query.end).holds(entry.timestamp)
    )


def scope_of(project: str, job_id: str, query: LogQuery) -> Sequence[object]:
    """The list that a query of a log stands for: everything about it but the page."""
    times = [time.isoformat() if time is not None else None for time in (query.start, query.end)]
    return ["logs", project, job_id, query.level, query.message, *times]
