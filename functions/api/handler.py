"""``ANY /v1/…`` and, on the reports' own origin, ``GET /r/{ticket}/…``."""

import os
from collections.abc import Callable
from functools import cache
from importlib import import_module
from threading import Lock
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError

from functions.api.answers import SAFE
from functions.api.context import Api
from functions.api.operations import MODULES, Operation, Router
from functions.problems import problem_answer
from wainwright.contracts.problems import CONTENT_TYPE
from wainwright.domain.errors import NotFound
from wainwright.settings import ApiSettings

app = APIGatewayHttpResolver()
_adding, _added = Lock(), set[str]()


@cache
def api() -> Api:
    """Return the stores, queues and settings of this function."""
    return Api(ApiSettings.read(os.environ))


def _add_routes(module: str) -> None:
    """Import a module's operations at the first request for one; the local system serves requests side by side."""
    with _adding:
        if module in _added:
            return
        router: Router = import_module(f"functions.api.{module}").route
        for operation in router.operations:
            if operation.served:
                rule = "/v1" + operation.path.replace("{path+}", ".+").replace("{", "<").replace("}", ">")
                app.route(rule, method=operation.method)(_serving(operation))
        _added.add(module)


def _serving(operation: Operation) -> Callable[..., Response[Any]]:
    def serve(**_path: str) -> Response[Any]:
        event = app.current_event  # before anything that takes time: it is of all threads
        return operation.serve(api(), event)

    return serve


@app.get("/r/<ticket>")
@app.get("/r/<ticket>/.+")
def _open_report(ticket: str) -> Response[Any]:
    from functions.api.reports import open_with_ticket

    return open_with_ticket(api(), ticket, app.current_event.path.partition(f"{ticket}/")[2])


@app.not_found
def _no_such_call(_error: NotFoundError) -> Response[str]:
    request = app.current_event.request_context.http
    advice = "See GET /v1/openapi.json for all calls."
    return _refuse(NotFound(f"there is no call {request.method} {request.path}", advice=advice))


def _refuse(error: Exception) -> Response[str]:
    status, headers, text = problem_answer(error, app.current_event.request_context.request_id)
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(status, CONTENT_TYPE, text, SAFE | headers)


# Powertools leaves this decorator without types; as a plain call it keeps those of the function.
app.exception_handler(Exception)(_refuse)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one request (API Gateway payload format 2.0)."""
    for module, paths in MODULES.items():
        if paths.match(event["rawPath"]):
            _add_routes(module)
            break
    return app.resolve(event, context)
