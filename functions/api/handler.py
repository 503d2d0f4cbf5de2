"""``ANY /v1/…`` and, on the reports' own origin, ``GET /r/{ticket}/…``."""

import os
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError

from functions.api.answers import failed, refused
from functions.api.backend import Backend
from functions.api.operations import MODULES, Operation, Router
from wainwright.domain.errors import NotFound, WainwrightError
from wainwright.settings import ApiSettings

app = APIGatewayHttpResolver()


@cache
def backend() -> Backend:
    """Return the stores, queues and settings of this function."""
    return Backend(ApiSettings.read(os.environ))


@cache
def _add_routes(module: str) -> None:
    router: Router = import_module(f"functions.api.{module}").router
    for operation in router.operations:
        if operation.served:
            rule = "/v1" + operation.path.replace("{path+}", ".+").replace("{", "<").replace("}", ">")
            app.route(rule, method=operation.method)(_serving(operation))


def _serving(operation: Operation) -> Callable[..., Response[Any]]:
    return lambda **_path: operation.serve(backend(), app.current_event)


@app.get("/r/<ticket>")
@app.get("/r/<ticket>/.+")
def _open_report(ticket: str) -> Response[Any]:
    from functions.api.reports import open_with_ticket

    return open_with_ticket(backend(), ticket, app.current_event.path.partition(f"{ticket}/")[2])


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
    for module, paths in MODULES.items():
        if paths.match(event["rawPath"]):
            _add_routes(module)
            break
    return app.resolve(event, context)
