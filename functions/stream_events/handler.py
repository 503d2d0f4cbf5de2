"""``GET /v1/jobs/{jobId}/events`` and, on the reports' own origin, ``GET /r/{ticket}/events``: server-sent events."""

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from wainwright.adapters.aws.access_store import DynamoAccessStore
from wainwright.adapters.aws.clients import Clients
from wainwright.adapters.aws.job_store import DynamoJobStore
from wainwright.adapters.aws.outages import as_unavailable
from wainwright.adapters.clock import system_clock
from wainwright.contracts.problems import CONTENT_TYPE, internal_problem, problem_of, retry_after, to_json
from wainwright.contracts.scopes import Scope
from wainwright.domain.errors import WainwrightError
from wainwright.settings import StoreSettings
from wainwright.usecases.authenticate import Authenticate
from wainwright.usecases.open_ticket import OpenTicket
from wainwright.usecases.stream_events import StreamEvents

log = logging.getLogger(__name__)

HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
FROM_ANYWHERE = {"Access-Control-Allow-Origin": "*", "Referrer-Policy": "no-referrer"}
"""With a ticket alone: it is the secret, no page gets at the events without it, and no credentials go along."""


@dataclass(frozen=True)
class EventStream:
    """The use cases that answer a request."""

    authenticate: Authenticate
    open_ticket: OpenTicket
    stream: StreamEvents


@cache
def stream() -> EventStream:
    """Return the use cases, put together at the first request."""
    settings, clients = StoreSettings.read(os.environ), Clients()
    access = DynamoAccessStore(clients.dynamodb, settings.table)
    return EventStream(
        authenticate=Authenticate(access, system_clock),
        open_ticket=OpenTicket(access, system_clock),
        stream=StreamEvents(DynamoJobStore(clients.dynamodb, settings.table), system_clock),
    )


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Answer with what is new, or 204 when there will be nothing new any more (an EventSource stops at that)."""
    request_id = event["requestContext"]["requestId"]
    path: dict[str, str] = event["pathParameters"]
    headers: dict[str, str] = event.get("headers") or {}
    more = HEADERS | (FROM_ANYWHERE if "ticket" in path else {})
    try:
        project, job_id = _job(path, headers)
        segment = stream().stream(project, job_id, headers.get("last-event-id"))
    except WainwrightError as error:
        return _refused(error, request_id, more)
    except Exception as error:
        outage = as_unavailable(error)
        if outage is not None:
            log.warning(outage.message, exc_info=error, extra={"requestId": request_id})
            return _refused(outage, request_id, more)
        log.exception("unexpected error", extra={"requestId": request_id})
        problem = internal_problem(request_id)
        return _answer(problem.status, CONTENT_TYPE, to_json(problem), more)
    if segment is None:
        return {"statusCode": 204, "headers": more}
    return _answer(200, "text/event-stream; charset=utf-8", segment, more)


def _refused(error: WainwrightError, request_id: str, headers: Mapping[str, str]) -> dict[str, Any]:
    problem = problem_of(error, request_id)
    seconds = retry_after(error)
    again = {} if seconds is None else {"Retry-After": str(seconds)}
    return _answer(problem.status, CONTENT_TYPE, to_json(problem), {**headers, **again})


def _job(path: Mapping[str, str], headers: Mapping[str, str]) -> tuple[str, str]:
    """Return the project and job that the key, or the ticket, opens."""
    if "ticket" in path:
        ticket = stream().open_ticket(path["ticket"])
        return ticket.project, ticket.job_id
    caller = stream().authenticate(headers.get("authorization"))
    caller.need(Scope.READ)
    return caller.project, path["jobId"]


def _answer(status: int, content_type: str, body: str, headers: Mapping[str, str]) -> dict[str, Any]:
    return {"statusCode": status, "headers": {"Content-Type": content_type, **headers}, "body": body}
