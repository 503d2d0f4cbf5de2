"""API Gateway's routing and payload format 2.0."""

from __future__ import annotations

import base64
import http.client
from typing import Any

import httpx
import pytest
from werkzeug.test import Client

from wainwright.local.functions import Answer, TooManyRequests
from wainwright.local.http_api import REQUEST_BYTES, HttpApi, Route, Router
from wainwright.local.system import LocalSystem

KEYS = [
    "$default",
    "ANY /v1/{proxy+}",
    "GET /v1/jobs/{jobId}",
    "ANY /v1/jobs/{jobId}",
    "GET /v1/jobs/special",
    "GET /v1/{kind}/special",
    "GET /v1/jobs/{jobId}/report/{proxy+}",
]


@pytest.mark.parametrize(
    ("method", "path", "key", "parameters"),
    [
        ("GET", "/v1/jobs/special", "GET /v1/jobs/special", {}),
        ("GET", "/v1/jobs/7", "GET /v1/jobs/{jobId}", {"jobId": "7"}),
        ("DELETE", "/v1/jobs/7", "ANY /v1/jobs/{jobId}", {"jobId": "7"}),
        ("GET", "/v1/keys/special", "GET /v1/{kind}/special", {"kind": "keys"}),
        (
            "GET",
            "/v1/jobs/7/report/data/a.zip",
            "GET /v1/jobs/{jobId}/report/{proxy+}",
            {"jobId": "7", "proxy": "data/a.zip"},
        ),
        ("POST", "/v1/jobs/7/cancel", "ANY /v1/{proxy+}", {"proxy": "jobs/7/cancel"}),
        ("GET", "/", "$default", {}),
        ("GET", "/v1", "$default", {}),
        ("GET", "/v1/keys/7", "ANY /v1/{proxy+}", {"proxy": "keys/7"}),
    ],
)
def test_finds_the_most_specific_route(method: str, path: str, key: str, parameters: dict[str, str]) -> None:
    for keys in (KEYS, KEYS[::-1]):
        found = Router([Route(each, "f") for each in keys]).find(method, path)
        assert found is not None
        assert (found[0].key, found[1]) == (key, parameters)


def test_without_a_default_route_there_is_not_found(system: LocalSystem) -> None:
    assert httpx.get(f"{system.api_url}/nowhere").status_code == 404


def test_makes_an_event_of_payload_format_2(system: LocalSystem) -> None:
    response = httpx.get(
        f"{system.api_url}/v1/jobs/a%20b",
        params=[("status", "a"), ("status", "b"), ("empty", "")],
        headers={"X-Thing": "1", "Cookie": "a=1; b=2"},
    )
    event = response.json()
    assert event["version"] == "2.0"
    assert event["routeKey"] == event["requestContext"]["routeKey"] == "GET /v1/jobs/{jobId}"
    assert event["rawPath"] == "/v1/jobs/a b"
    assert event["pathParameters"] == {"jobId": "a b"}
    assert event["rawQueryString"] == "status=a&status=b&empty="
    assert event["queryStringParameters"] == {"status": "a,b", "empty": ""}
    assert event["headers"]["x-thing"] == "1"
    assert "cookie" not in event["headers"]
    assert event["cookies"] == ["a=1", "b=2"]
    assert event["requestContext"]["http"] | {"userAgent": ""} == {
        "method": "GET",
        "path": "/v1/jobs/a b",
        "protocol": "HTTP/1.1",
        "sourceIp": "127.0.0.1",
        "userAgent": "",
    }
    assert "body" not in event


def test_passes_text_as_it_is_and_bytes_as_base64(system: LocalSystem) -> None:
    url = f"{system.api_url}/v1/jobs"
    text = httpx.post(url, json={"ü": 1}).json()
    assert (text["body"], text["isBase64Encoded"]) == ('{"ü":1}', False)
    raw = httpx.post(url, content=b"\x00\xff", headers={"content-type": "application/gzip"}).json()
    assert (base64.b64decode(raw["body"]), raw["isBase64Encoded"]) == (b"\x00\xff", True)


def test_refuses_a_body_over_the_bound(system: LocalSystem) -> None:
    response = httpx.post(f"{system.api_url}/v1/jobs", content=b"x" * (REQUEST_BYTES + 1))
    assert (response.status_code, response.json()) == (413, {"message": "Request Too Long"})


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "localhost:1"])
def test_refuses_another_host(system: LocalSystem, host: str) -> None:
    assert httpx.get(f"{system.api_url}/v1/jobs/7", headers={"host": host}).status_code == 421


def test_refuses_a_request_without_a_host(system: LocalSystem) -> None:
    connection = http.client.HTTPConnection(system.api_url.removeprefix("http://"))
    connection.putrequest("GET", "/v1/jobs/7", skip_host=True)
    connection.endheaders()
    assert connection.getresponse().status == 421
    connection.close()


def test_tells_other_origins_nothing_unless_the_template_says_so(system: LocalSystem) -> None:
    headers = {"origin": "http://evil.example", "access-control-request-method": "GET"}
    for method in ("GET", "OPTIONS"):
        response = httpx.request(method, f"{system.api_url}/v1/jobs/7", headers=headers)
        assert not [name for name in response.headers if name.startswith("access-control-")]


class OneFunction:
    """Stands in for the functions: gives one answer."""

    def __init__(self, answer: Answer | Exception) -> None:
        self._answer = answer

    def invoke(self, _name: str, _event: Any) -> Answer:
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


def ask(answer: Answer | Exception) -> tuple[int, dict[str, str], bytes]:
    api = HttpApi("id", "domain", [Route("$default", "f")], OneFunction(answer))  # type: ignore[arg-type]
    response = Client(api).get("/")
    return response.status_code, dict(response.headers), response.data


def test_maps_an_answer_to_a_response() -> None:
    answer = b'{"statusCode": 201, "headers": {"X-A": 1, "Content-Length": "9"}, "cookies": ["a=1"], "body": "hi"}'
    status, headers, body = ask(Answer(answer))
    assert (status, body) == (201, b"hi")
    assert headers == {
        "X-A": "1",
        "Set-Cookie": "a=1",
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Length": "2",
    }


def test_decodes_a_base64_body() -> None:
    answer = b'{"statusCode": 200, "body": "AP8=", "isBase64Encoded": true, "headers": {"content-type": "image/png"}}'
    assert ask(Answer(answer))[2] == b"\x00\xff"


def test_an_answer_without_a_status_is_the_body() -> None:
    assert ask(Answer(b'{"a": 1}'))[::2] == (200, b'{"a": 1}')


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (Answer(b'{"errorType": "E", "errorMessage": "secret"}', failed=True), 500),
        (Answer(b'{"statusCode": "many"}'), 500),
        (Answer(b'{"statusCode": 200, "body": "?", "isBase64Encoded": true}'), 500),
        (TooManyRequests("busy"), 503),
    ],
)
def test_tells_nothing_of_what_went_wrong_inside(answer: Answer | Exception, status: int) -> None:
    told, _, body = ask(answer)
    assert told == status
    assert b"secret" not in body
