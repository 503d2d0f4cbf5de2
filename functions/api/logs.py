"""Calls of the logs of jobs."""

from datetime import datetime
from typing import Annotated

from functions.api.context import Api
from functions.api.operations import Query, Router
from functions.api.parameters import DEFAULT_PAGE, Cursor, Limit, choice, read_instant, read_period, time_range
from wainwright.contracts.http.logs import CreateLog, LogAnswer, LogList
from wainwright.contracts.scopes import Scope
from wainwright.domain.errors import InvalidInput
from wainwright.domain.logs import LogLevel
from wainwright.ports.log_store import LogQuery
from wainwright.usecases.caller import Caller
from wainwright.usecases.job_logs import JobLogs

MAX_SEARCHED = 1_000
"""Characters of a part of a message to look for."""

route = Router()


_LEVELS: dict[str, LogLevel] = {"info": "INFO", "error": "ERROR"}


def _read_message(name: str, text: str) -> str:
    if not 0 < len(text) <= MAX_SEARCHED:
        raise InvalidInput(name, f"{name} is a part of 1 to {MAX_SEARCHED} characters")
    return text


@route("GET /jobs/{jobId}/logs", Scope.READ, problems=(400, 404))
def list_logs(
    api: Api,
    caller: Caller,
    job_id: str,
    level: Annotated[LogLevel | None, Query("INFO or ERROR", choice(_LEVELS, "is INFO or ERROR"))] = None,
    message: Annotated[str | None, Query("a part of the message, in any case", _read_message)] = None,
    from_: Annotated[datetime | None, Query("RFC 3339 or epoch milliseconds; overrides period", read_instant)] = None,
    to: Annotated[datetime | None, Query("RFC 3339 or epoch milliseconds; overrides period", read_instant)] = None,
    period: Annotated[str | None, Query("today, yesterday, or a duration such as 2h 30m")] = None,
    limit: Limit = DEFAULT_PAGE,
    cursor: Cursor = None,
) -> LogList:
    """The log of a job, oldest first."""
    if period is not None and from_ is None and to is None:
        span = read_period(period, api.clock())
    else:
        span = time_range(("from", "to"), from_, to)
    query = LogQuery(level=level, message=message, start=span.start, end=span.end, limit=limit, cursor=cursor)
    page = JobLogs(api.jobs, api.logs, api.clock).read(caller, job_id, query)
    return LogList(logs=list(page.logs), cursor=page.cursor)


@route("POST /jobs/{jobId}/logs", Scope.RUN, status=201, problems=(400, 404, 413))
def create_log(api: Api, caller: Caller, job_id: str, body: CreateLog) -> LogAnswer:
    """Add a line to the log of a job, ended or not."""
    entry = JobLogs(api.jobs, api.logs, api.clock).add(
        caller, job_id, body.message, level=body.level, additional_info=body.additional_info
    )
    return LogAnswer(log=entry)
