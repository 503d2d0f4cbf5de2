"""The one table of operation id → call, and what the router makes of it. Each call: parse, one use case, map out."""

from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from functions.api import calls_artifacts, calls_control, calls_jobs, calls_project, calls_templates, calls_tests
from functions.api.parsing import Call, check_names, query
from wainwright.contracts.operations import Operation
from wainwright.wiring import http_api

CALLS: dict[str, Call] = (
    calls_jobs.CALLS
    | calls_control.CALLS
    | calls_artifacts.CALLS
    | calls_templates.CALLS
    | calls_project.CALLS
    | calls_tests.CALLS
)
"""By operation id. ``streamEvents`` is a function of its own."""


def rule(operation: Operation) -> str:
    """The operation's path as the router spells it."""
    return "/v1" + operation.path.replace("{path+}", ".+").replace("{", "<").replace("}", ">")


def served(
    app: APIGatewayHttpResolver, api: Callable[[], http_api.Api], operation: Operation
) -> Callable[..., Response[Any]]:
    """What the router calls: authenticates, checks the scope and the parameters' names, calls."""
    call = CALLS[operation.id]

    def serve(**_path: str) -> Response[Any]:
        event = app.current_event
        caller = api().authenticate(event.headers.get("authorization"))
        caller.need(operation.scope)
        if operation.queries:
            check_names(query(event), operation.queries)
        return call(api(), caller, event)

    return serve
