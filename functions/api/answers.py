"""Answers: JSON of a model."""

from aws_lambda_powertools.event_handler import Response

from wainwright.domain.model import Record

JSON = "application/json"
SAFE = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
"""On every answer: a browser shall neither guess its type nor keep it."""


def answered(status: int, body: Record, headers: dict[str, str] | None = None) -> Response[str]:
    """Return a model as JSON."""
    return Response(status, JSON, body.model_dump_json(by_alias=True), SAFE | (headers or {}))
