"""Requests and answers of API Gateway's payload format 2.0."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from wainwright.domain.model import Record

JSON = "application/json"
SAFE = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
"""On every answer: a browser shall neither guess its type nor keep it."""


class Request:
    """A request as API Gateway hands it on."""

    def __init__(self, event: Mapping[str, Any]) -> None:
        http = event["requestContext"]["http"]
        self.id = str(event["requestContext"]["requestId"])
        self.method: str = http["method"]
        self.path: str = event["rawPath"]
        self.query: Mapping[str, str] = event.get("queryStringParameters") or {}
        self._event = event

    @cached_property
    def headers(self) -> Mapping[str, str]:
        """Headers by their names in lower case."""
        return {name.lower(): value for name, value in (self._event.get("headers") or {}).items()}

    def text(self) -> str:
        """Return the body. Raises UnicodeError or binascii.Error if it is no text."""
        body: str = self._event.get("body") or ""
        return base64.b64decode(body).decode() if self._event.get("isBase64Encoded") else body


@dataclass(frozen=True)
class Response:
    """An answer."""

    status: int
    content_type: str | None = None
    body: str | bytes = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    def to_event(self) -> dict[str, Any]:
        """Return it as API Gateway takes it."""
        typed = {} if self.content_type is None else {"Content-Type": self.content_type}
        encoded = isinstance(self.body, bytes)
        body = base64.b64encode(self.body).decode() if isinstance(self.body, bytes) else self.body
        return {
            "statusCode": self.status, "headers": {**typed, **self.headers}, "body": body, "isBase64Encoded": encoded,
        }  # fmt: skip


def answered(status: int, body: Record, headers: Mapping[str, str] | None = None) -> Response:
    """Return a model as JSON."""
    return Response(status, JSON, body.model_dump_json(by_alias=True), SAFE | dict(headers or {}))
