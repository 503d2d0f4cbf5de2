"""Calls of what jobs take and leave: bundles, logs, reports."""

from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2

from functions.api import reports
from functions.api.answers import answered
from functions.api.parsing import Call, body, page_size, part, query
from wainwright.contracts.http.bundles import CreateBundle
from wainwright.contracts.http.logs import CreateLog, LogAnswer, LogList
from wainwright.usecases.caller import Caller
from wainwright.wiring import http_api


def create_bundle(api: http_api.Api, caller: Caller, event: APIGatewayProxyEventV2) -> Response[str]:
    """``POST /v1/bundles``."""
    return answered(200, api.accept_bundle(caller, body(event, CreateBundle)))


def list_logs(api: http_api.Api, caller: Caller, event: APIGatewayProxyEventV2) -> Response[str]:
    """``GET /v1/jobs/{jobId}/logs``."""
    given = query(event)
    page = api.logs.read(caller, part(event), given, limit=page_size(given))
    return answered(200, LogList(logs=list(page.logs), cursor=page.cursor))


def create_log(api: http_api.Api, caller: Caller, event: APIGatewayProxyEventV2) -> Response[str]:
    """``POST /v1/jobs/{jobId}/logs``."""
    return answered(201, LogAnswer(log=api.logs.add(caller, part(event), body(event, CreateLog))))


def create_ticket(api: http_api.Api, caller: Caller, event: APIGatewayProxyEventV2) -> Response[str]:
    """``POST /v1/jobs/{jobId}/ticket``."""
    return answered(201, api.reports.give_ticket(caller, part(event)))


def get_report(api: http_api.Api, caller: Caller, event: APIGatewayProxyEventV2) -> Response[Any]:
    """``GET /v1/jobs/{jobId}/report/{path}``."""
    path = event.path.split("/report/", 1)[1]
    return reports.answer(api.reports.read(caller, part(event), path), path)


CALLS: dict[str, Call] = {
    "createBundle": create_bundle,
    "listLogs": list_logs,
    "createLog": create_log,
    "createTicket": create_ticket,
    "getReport": get_report,
}
