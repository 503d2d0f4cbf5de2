"""Logs of jobs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from wainwright.domain.job_query import TimeRange
from wainwright.domain.jobs import Job
from wainwright.domain.lanes import LaneRecord
from wainwright.domain.logs import LogEntry, LogLevel


@dataclass(frozen=True)
class LogQuery:
    """Lines of a log to look for, oldest first. ``message`` is a part of the message, in any case."""

    level: LogLevel | None = None
    message: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    limit: int = 50
    cursor: str | None = None

    def matches(self, entry: LogEntry) -> bool:
        """Return True if a line is looked for."""
        return (
            self.level in (None, entry.level)
            and (self.message is None or self.message.casefold() in entry.message.casefold())
            and TimeRange(self.start, self.end).holds(entry.timestamp)
        )

    def scope(self, project: str, job_id: str) -> Sequence[object]:
        """Return what its cursors are valid for: everything about the query but the page."""
        times = [time.isoformat() if time is not None else None for time in (self.start, self.end)]
        return ["logs", project, job_id, self.level, self.message, *times]


@dataclass(frozen=True)
class LogPage:
    """Some lines, and a cursor if there are more."""

    logs: Sequence[LogEntry]
    cursor: str | None


class LogStore(Protocol):
    """Logs of jobs. A job keeps at most MAX_LOG_LINES lines; the last one says that no more are kept."""

    def append(
        self, project: str, job_id: str, entries: Sequence[LogEntry], *, held: Job | None = None,
        lane: LaneRecord | None = None,
    ) -> int:  # fmt: skip
        """Add lines, at most 25 in one call; returns how many were kept. Their order is that of their times, then of adding.

        ``held`` is the job as its worker knows it, by run and fence, and ``lane`` the worker's lane unless it is the
        owner's; lines that do not come from a worker need neither.

        Raises:
            FenceLost: the job's row has another run or fence by now, or its run is over, or the lane was dismissed.
            Unavailable: others were always first to add theirs.
        """

    def read(self, project: str, job_id: str, query: LogQuery) -> LogPage:
        """A page of the lines that match. Examines at most 1,000, so a page may be short and have a cursor all the same.

        Raises:
            InvalidInput: the cursor is none of ours.
        """
