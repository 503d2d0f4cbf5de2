"""Answers: JSON of a model, and problem documents."""

import logging

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from wainwright.adapters.aws.outages import as_unavailable
from wainwright.contracts.http.service import Problem
from wainwright.contracts.problems import CONTENT_TYPE, internal_problem, problem_of, retry_after, to_json
from wainwright.domain.errors import InvalidInput, Unauthenticated, WainwrightError
from wainwright.domain.model import Record

log = logging.getLogger(__name__)

SAFE = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
"""On every answer: a browser shall neither guess what it is nor keep it."""


def answered(status: int, body: Record, headers: dict[str, str] | None = None) -> Response[str]:
    """A model as JSON."""
    text = body.model_dump_json(by_alias=True)
    return Response(status_code=status, content_type="application/json", body=text, headers=SAFE | (headers or {}))


def refused(app: APIGatewayHttpResolver, error: WainwrightError) -> Response[str]:
    """The problem document of an error raised on purpose."""
    headers = dict(SAFE)
    if (seconds := retry_after(error)) is not None:
        headers["Retry-After"] = str(seconds)
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    problem = problem_of(error, _request_id(app))
    extra = error.extra if isinstance(error, InvalidInput) else {}
    return _document(problem, to_json(problem, extra), headers)


def failed(app: APIGatewayHttpResolver, error: Exception) -> Response[str]:
    """The problem document of what we rest on not answering, or of a fault of ours; the log has the rest."""
    outage = as_unavailable(error)
    if outage is not None:
        log.warning(outage.message, exc_info=error, extra={"requestId": _request_id(app)})
        return refused(app, outage)
    log.error("unexpected error", exc_info=error, extra={"requestId": _request_id(app)})
    problem = internal_problem(_request_id(app))
    return _document(problem, to_json(problem), SAFE)


def _document(problem: Problem, text: str, headers: dict[str, str]) -> Response[str]:
    return Response(status_code=problem.status, content_type=CONTENT_TYPE, body=text, headers=headers)


def _request_id(app: APIGatewayHttpResolver) -> str:
    return str(app.current_event.request_context.request_id)
