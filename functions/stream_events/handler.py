"""``GET /v1/jobs/{jobId}/events``: one short segment of server-sent events."""

import logging
import os
from functools import cache
from typing import Any

from wainwright import wiring
from wainwright.contracts.problems import CONTENT_TYPE, internal_problem, problem_of, to_json
from wainwright.contracts.scopes import Scope
from wainwright.domain.errors import WainwrightError
from wainwright.settings import StoreSettings

log = logging.getLogger(__name__)

HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


@cache
def stream() -> wiring.EventStream:
    """The use cases, put together at the first request."""
    return wiring.event_stream(StoreSettings.read(os.environ))


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Answer with what is new, or 204 when there will be nothing new any more (an EventSource stops at that)."""
    request_id = event["requestContext"]["requestId"]
    headers = event.get("headers") or {}
    try:
        caller = stream().authenticate(headers.get("authorization"))
        caller.need(Scope.READ)
        segment = stream().stream(caller, event["pathParameters"]["jobId"], headers.get("last-event-id"))
    except WainwrightError as error:
        problem = problem_of(error, request_id)
        return _answer(problem.status, CONTENT_TYPE, to_json(problem))
    except Exception:
        log.exception("unexpected error", extra={"requestId": request_id})
        problem = internal_problem(request_id)
        return _answer(problem.status, CONTENT_TYPE, to_json(problem))
    if segment is None:
        return {"statusCode": 204, "headers": HEADERS}
    return _answer(200, "text/event-stream; charset=utf-8", segment)


def _answer(status: int, content_type: str, body: str) -> dict[str, Any]:
    return {"statusCode": status, "headers": {"Content-Type": content_type} | HEADERS, "body": body}
