"""Events in the shapes in which AWS hands them to functions."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]

CONTEXT = SimpleNamespace(
    function_name="function",
    memory_limit_in_mb=128,
    invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:function",
    aws_request_id="1",
    get_remaining_time_in_millis=lambda: 29_000,
)


def http_event(
    method: str,
    path: str,
    *,
    key: str | None = None,
    body: str | None = None,
    encoded: bool = False,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    parameters: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """A request as an HTTP API hands it on (payload format 2.0): header names in lower case."""
    sent = {"host": "api.example", "accept": "*/*"} | {name.lower(): value for name, value in (headers or {}).items()}
    if key is not None:
        sent["authorization"] = f"Bearer {key}"
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": urlencode(query or {}),
        "headers": sent,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "api",
            "domainName": "api.example",
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "x"},
            "requestId": "request-1",
            "routeKey": "$default",
            "stage": "$default",
            "time": "22/Nov/2026:02:42:45 +0000",
            "timeEpoch": 1795315365123,
        },
        "isBase64Encoded": encoded,
    }
    if query:
        event["queryStringParameters"] = dict(query)
    if parameters:
        event["pathParameters"] = dict(parameters)
    if body is not None:
        event["body"] = body
    return event


@dataclass(frozen=True)
class Answer:
    """An answer as a client sees it."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Answer:
        """From what a function gave to the gateway."""
        text = answer.get("body") or ""
        content = base64.b64decode(text) if answer.get("isBase64Encoded") else text.encode()
        return cls(answer["statusCode"], {k.lower(): v for k, v in answer["headers"].items()}, content)

    @property
    def json(self) -> Any:
        """The body."""
        assert self.headers["content-type"] in {"application/json", "application/problem+json"}
        return json.loads(self.content)

    def problem(self, status: int, kind: str) -> Any:
        """The problem document, which is to be of this status and kind."""
        assert (self.status, self.headers["content-type"]) == (status, "application/problem+json"), self.content
        document = self.json
        assert document["status"] == status
        assert document["type"] == f"urn:wainwright:problem:{kind}"
        assert document["title"]
        assert document["detail"]
        assert document["instance"] == "request-1"
        return document


@dataclass(frozen=True)
class Http:
    """A client of one function. ``key`` goes with each request unless another, or None, is given."""

    handler: Handler
    key: str | None

    def __call__(self, method: str, path: str, *, json_body: object = None, **request: Any) -> Answer:
        """Send one request."""
        request.setdefault("key", self.key)
        if json_body is not None:
            request["body"] = json.dumps(json_body)
        return Answer.of(self.handler(http_event(method, path, **request), CONTEXT))

    def get(self, path: str, **request: Any) -> Answer:
        """GET."""
        return self("GET", path, **request)

    def post(self, path: str, json_body: object = None, **request: Any) -> Answer:
        """POST."""
        return self("POST", path, json_body=json_body, **request)


def sqs_event(*bodies: str, queue: str = "jobs") -> dict[str, Any]:
    """Messages as an event source mapping hands them on."""
    return {
        "Records": [
            {
                "messageId": f"message-{number}",
                "receiptHandle": f"receipt-{number}",
                "body": body,
                "attributes": {
                    "ApproximateReceiveCount": "1",
                    "SentTimestamp": "1795315365123",
                    "SenderId": "AIDA",
                    "ApproximateFirstReceiveTimestamp": "1795315365124",
                },
                "messageAttributes": {},
                "md5OfBody": "0",
                "eventSource": "aws:sqs",
                "eventSourceARN": f"arn:aws:sqs:us-east-1:123456789012:{queue}",
                "awsRegion": "us-east-1",
            }
            for number, body in enumerate(bodies)
        ]
    }


def stream_event(*changes: tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]) -> dict[str, Any]:
    """(old, new) images of rows as a DynamoDB stream's event source mapping hands them on."""
    records = []
    for number, (old, new) in enumerate(changes):
        image = new or old
        assert image is not None
        change: dict[str, Any] = {
            "ApproximateCreationDateTime": 1795315365.0,
            "Keys": {name: image[name] for name in ("pk", "sk")},
            "SequenceNumber": f"{number:021d}",
            "SizeBytes": 100,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        }
        if old is not None:
            change["OldImage"] = dict(old)
        if new is not None:
            change["NewImage"] = dict(new)
        records.append(
            {
                "eventID": str(number),
                "eventName": "MODIFY" if old and new else "INSERT" if new else "REMOVE",
                "eventVersion": "1.1",
                "eventSource": "aws:dynamodb",
                "awsRegion": "us-east-1",
                "dynamodb": change,
                "eventSourceARN": "arn:aws:dynamodb:us-east-1:123456789012:table/wainwright-test/stream/1",
            }
        )
    return {"Records": records}


def bus_event(detail_type: str, source: str, detail: Mapping[str, Any]) -> dict[str, Any]:
    """An event of EventBridge."""
    return {
        "version": "0",
        "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
        "detail-type": detail_type,
        "source": source,
        "account": "123456789012",
        "time": "2026-11-22T02:42:45Z",
        "region": "us-east-1",
        "resources": [],
        "detail": dict(detail),
    }
