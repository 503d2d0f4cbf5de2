"""``ANY /v1/…`` and, on the reports' own origin, ``GET /r/{ticket}/…``."""

import os
import re
from functools import cache
from importlib import import_module
from typing import Any

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2

from functions.api.answers import SAFE, Response
from functions.api.context import Api
from functions.api.operations import MODULES, Router
from functions.problems import problem_answer
from wainwright.contracts.problems import CONTENT_TYPE
from wainwright.domain.errors import NotFound
from wainwright.settings import ApiSettings

_TICKET = re.compile(r"/r/(?P<secret>[^/]+)(/(?P<path>.*))?")


@cache
def api() -> Api:
    """Return the stores, queues and settings of this function."""
    return Api(ApiSettings.read(os.environ))


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Answer one request (API Gateway payload format 2.0)."""
    request = APIGatewayProxyEventV2(event)
    try:
        return _answer(request).to_event()
    except Exception as error:  # noqa: BLE001 - told to the caller, and logged
        status, headers, text = problem_answer(error, request.request_context.request_id)
        if status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        return Response(status, CONTENT_TYPE, text, SAFE | headers).to_event()


def _answer(request: APIGatewayProxyEventV2) -> Response:
    ticket = _TICKET.fullmatch(request.raw_path)
    if ticket is not None and request.http_method == "GET":
        from functions.api.reports import open_with_ticket

        asks_for_worker = request.headers.get("service-worker") is not None
        return open_with_ticket(api(), ticket["secret"], ticket["path"] or "", service_worker=asks_for_worker)
    for name, paths in MODULES.items():
        if paths.match(request.raw_path):
            router: Router = import_module(f"functions.api.{name}").route
            for operation in router.operations:
                values = operation.match(request)
                if values is not None:
                    return operation.serve(api(), request, values)
    raise NotFound(
        f"there is no call {request.http_method} {request.raw_path}", advice="See GET /v1/openapi.json for all calls."
    )
