"""Calls about the tests of a project: analytics and quarantine."""

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2

from functions.api.answers import SAFE, answered
from functions.api.parsing import Call, body, page_size, query
from wainwright.adapters.cursors import read_cursor, write_cursor
from wainwright.contracts.http.analytics import TestAnalytics
from wainwright.contracts.http.quarantine import PutQuarantine, QuarantineAnswer, QuarantineList
from wainwright.domain.errors import InvalidInput
from wainwright.usecases.analyze_tests import TestQuery, read_sort
from wainwright.usecases.caller import Caller
from wainwright.usecases.read_jobs import read_flag
from wainwright.wiring import http_api


def analyze_tests(api: http_api.Api, caller: Caller, event: APIGatewayProxyEventV2) -> Response[str]:
    """``GET /v1/analytics/tests``."""
    given = query(event)
    flaky = read_flag("flaky", given["flaky"]) if "flaky" in given else None
    file, sort_by = given.get("file"), read_sort(given.get("sortBy"))
    scope = ["tests", caller.project, flaky, file, sort_by]
    start = _number(read_cursor(given.get("cursor"), scope))
    page = api.analyze_tests(caller, TestQuery(flaky, file, sort_by, start, page_size(given)))
    cursor = None if page.following is None else write_cursor(scope, str(page.following))
    return answered(200, TestAnalytics(tests=page.tests, cursor=cursor, truncated=page.truncated))


def _number(place: str | None) -> int:
    if place is not None and not place.isdigit():
        raise InvalidInput("cursor", "this is no cursor")
    return int(place or 0)


def list_quarantine(api: http_api.Api, caller: Caller, _event: APIGatewayProxyEventV2) -> Response[str]:
    """``GET /v1/quarantine``."""
    return answered(200, QuarantineList(quarantine=list(api.quarantine.list(caller))))


def put_quarantine(api: http_api.Api, caller: Caller, event: APIGatewayProxyEventV2) -> Response[str]:
    """``PUT /v1/quarantine``."""
    asked = body(event, PutQuarantine)
    entry = api.quarantine.put(caller, asked.test_id, asked.until, asked.reason)
    return answered(200, QuarantineAnswer(quarantine=entry))


def delete_quarantine(api: http_api.Api, caller: Caller, event: APIGatewayProxyEventV2) -> Response[str]:
    """``DELETE /v1/quarantine``."""
    test_id = query(event).get("testId")
    if not test_id:
        raise InvalidInput("testId", "testId is missing", advice="Name the test: ?testId=test_file.py::test_name.")
    api.quarantine.remove(caller, test_id)
    return Response(204, headers=SAFE)


CALLS: dict[str, Call] = {
    "analyzeTests": analyze_tests,
    "listQuarantine": list_quarantine,
    "putQuarantine": put_quarantine,
    "deleteQuarantine": delete_quarantine,
}
