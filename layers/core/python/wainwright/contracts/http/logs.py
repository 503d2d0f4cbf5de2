"""Bodies of the calls of logs."""

from typing import Any

from pydantic import Field

from wainwright.domain.logs import MAX_LOG_MESSAGE, LogEntry, LogLevel
from wainwright.domain.record import Record


class CreateLog(Record):
    """``POST /v1/jobs/{jobId}/logs``. An ``ERROR`` sets the job's ``hasErrors``."""

    level: LogLevel = "INFO"
    message: str = Field(min_length=1, max_length=MAX_LOG_MESSAGE)
    additional_info: dict[str, Any] | None = None


class LogAnswer(Record):
    """Answer to ``POST /v1/jobs/{jobId}/logs``."""

    log: LogEntry


class LogList(Record):
    """Answer to ``GET /v1/jobs/{jobId}/logs``: a page, oldest first."""

    logs: list[LogEntry]
    cursor: str | None = None
