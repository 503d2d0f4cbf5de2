"""``ANY /v1/…`` and, on the reports' own origin, ``GET /r/{ticket}/…``."""

import os
from functools import cache
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError

from functions.api import calls, reports
from functions.api.answers import failed, refused
from wainwright.contracts.operations import OPERATIONS
from wainwright.domain.errors import NotFound, WainwrightError
from wainwright.settings import ApiSettings
from wainwright.wiring import http_api

app = APIGatewayHttpResolver()


@cache
def api() -> http_api.Api:
    """The use cases."""
    return http_api.Api(ApiSettings.read(os.environ))


def _register() -> None:
    for operation in OPERATIONS:
        if operation.id in calls.CALLS:
            app.route(calls.rule(operation), method=operation.method)(calls.served(app, api, operation))
    app.get("/r/<ticket>/.+")(lambda ticket: reports.by_ticket(app, api(), ticket))
    app.get("/r/<ticket>")(reports.to_index)


_register()


@app.not_found
def _no_such_call(_error: NotFoundError) -> Response[str]:
    request = app.current_event.request_context.http
    advice = "See GET /v1/openapi.json for all calls."
    return refused(app, NotFound(f"there is no call {request.method} {request.path}", advice=advice))


def _refused(error: WainwrightError) -> Response[str]:
    return refused(app, error)


def _failed(error: Exception) -> Response[str]:
    return failed(app, error)


# Powertools leaves these decorators without types; as plain calls they keep those of the functions.
app.exception_handler(WainwrightError)(_refused)
app.exception_handler(Exception)(_failed)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one request (API Gateway payload format 2.0)."""
    return app.resolve(event, context)
