"""The one table of operation id → call, and what the router makes of it. Each call: parse, one use case, map out."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from functions.api.parsing import Call, check_names, query
from wainwright.contracts.operations import Operation
from wainwright.wiring import http_api

_MODULES = {
    "calls_jobs": ("createJob", "listJobs", "getJob"),
    "calls_control": ("patchJob", "deleteJob", "stopJob", "resumeJob", "retryJob", "cancelJob"),
    "calls_artifacts": ("createBundle", "listLogs", "createLog", "createTicket", "getReport"),
    "calls_templates": (
        "createTemplate", "listTemplates", "getTemplate", "updateTemplate", "deleteTemplate", "invokeTemplate",
    ),
    "calls_project": (
        "health", "openapi", "analytics", "queue", "getLimits", "putLimits", "listKeys", "createKey", "revokeKey",
        "listSecrets", "putSecret", "deleteSecret",
    ),
    "calls_tests": ("analyzeTests", "listQuarantine", "putQuarantine", "deleteQuarantine"),
}  # fmt: skip

CALLS = {operation: module for module, operations in _MODULES.items() for operation in operations}
"""By operation id, the module beside this one that has the call. ``streamEvents`` is a function of its own."""


def call_of(operation_id: str) -> Call:
    """The call, from its module: that is imported when first asked for, so that a first request waits for what it needs."""
    call: Call = import_module(f"functions.api.{CALLS[operation_id]}").CALLS[operation_id]
    return call


def rule(operation: Operation) -> str:
    """The operation's path as the router spells it."""
    return "/v1" + operation.path.replace("{path+}", ".+").replace("{", "<").replace("}", ">")


def served(
    app: APIGatewayHttpResolver, api: Callable[[], http_api.Api], operation: Operation
) -> Callable[..., Response[Any]]:
    """What the router calls: authenticates, checks the scope and the parameters' names, calls."""

    def serve(**_path: str) -> Response[Any]:
        event = app.current_event
        caller = api().authenticate(event.headers.get("authorization"))
        caller.need(operation.scope)
        if operation.queries:
            check_names(query(event), operation.queries)
        return call_of(operation.id)(api(), caller, event)

    return serve
