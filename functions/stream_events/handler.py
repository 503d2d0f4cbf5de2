"""``GET /v1/jobs/{jobId}/events`` and, on the reports' own origin, ``GET /r/{ticket}/events``: server-sent events."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from functions.problems import problem_answer
from wainwright.adapters.aws.access_store import DynamoAccessStore
from wainwright.adapters.aws.clients import Clients
from wainwright.adapters.aws.job_store import DynamoJobStore
from wainwright.adapters.clock import system_clock
from wainwright.contracts.problems import CONTENT_TYPE
from wainwright.contracts.scopes import Scope
from wainwright.settings import StoreSettings
from wainwright.usecases.authenticate import Authenticate
from wainwright.usecases.stream_events import StreamEvents

HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
FROM_ANYWHERE = {"Access-Control-Allow-Origin": "*", "Referrer-Policy": "no-referrer"}
"""With a ticket alone: it is the secret, without which no page can read the events, and no credentials are sent."""


@dataclass(frozen=True)
class EventStream:
    """The use cases that answer a request."""

    authenticate: Authenticate
    stream: StreamEvents


@cache
def stream() -> EventStream:
    """Return the use cases, put together at the first request."""
    settings, clients = StoreSettings.read(os.environ), Clients()
    return EventStream(
        authenticate=Authenticate(DynamoAccessStore(clients.dynamodb, settings.table), system_clock),
        stream=StreamEvents(DynamoJobStore(clients.dynamodb, settings.table), system_clock),
    )


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer with what is new, or 204 when there will be nothing new any more (an EventSource stops at that)."""
    request_id = event["requestContext"]["requestId"]
    path: dict[str, str] = event["pathParameters"]
    headers: dict[str, str] = event.get("headers") or {}
    more = HEADERS | (FROM_ANYWHERE if "ticket" in path else {})
    try:
        project, job_id = _job(path, headers)
        segment = stream().stream(
            project, job_id, headers.get("last-event-id"), lambda: context.get_remaining_time_in_millis() / 1_000
        )
    except Exception as error:  # noqa: BLE001 - told to the caller, and logged
        status, again, text = problem_answer(error, request_id)
        return _answer(status, CONTENT_TYPE, text, more | again)
    if segment is None:
        return {"statusCode": 204, "headers": more}
    return _answer(200, "text/event-stream; charset=utf-8", segment, more)


def _job(path: Mapping[str, str], headers: Mapping[str, str]) -> tuple[str, str]:
    """Return the project and job that the key, or the ticket, opens."""
    if "ticket" in path:
        ticket = stream().authenticate.open_ticket(path["ticket"])
        return ticket.project, ticket.job_id
    caller = stream().authenticate(headers.get("authorization"))
    caller.need(Scope.READ)
    return caller.project, path["jobId"]


def _answer(status: int, content_type: str, body: str, headers: Mapping[str, str]) -> dict[str, Any]:
    return {"statusCode": status, "headers": {"Content-Type": content_type, **headers}, "body": body}
