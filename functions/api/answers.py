"""Answers in API Gateway's payload format 2.0."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from wainwright.domain.record import Record

JSON = "application/json"
SAFE = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
"""On every answer: a browser shall neither guess its type nor keep it."""


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
