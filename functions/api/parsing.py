"""Requests: bodies, queries and path parameters, read within bounds."""

import binascii
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeVar

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2
from pydantic import TypeAdapter, ValidationError

from wainwright.contracts.http.bounds import MAX_BODY_BYTES
from wainwright.contracts.operations import Query
from wainwright.contracts.problems import input_fault
from wainwright.domain.errors import InvalidInput, TooLarge
from wainwright.domain.model import Record
from wainwright.usecases.caller import Caller
from wainwright.wiring import http_api

MAX_PAGE = 1_000
DEFAULT_PAGE = 50
MAX_KEY = 255
"""Bytes of an Idempotency-Key."""

MAX_DIGITS = 9
"""Digits of a number in a query."""

Call = Callable[[http_api.Api, Caller, APIGatewayProxyEventV2], Response[Any]]
Body = TypeVar("Body", bound=Record)


@cache
def _object() -> TypeAdapter[dict[str, Any]]:
    return TypeAdapter(dict[str, Any])


def part(event: APIGatewayProxyEventV2, number: int = 3) -> str:
    """A part of the path: the third after the first slash is the id in ``/v1/jobs/{jobId}``.

    Read from the path, since a catch-all route has no parameter of this name.
    """
    return event.path.split("/")[number]


def body(event: APIGatewayProxyEventV2, model: type[Body], *, default: Body | None = None) -> Body:
    """The body as a model; ``default`` stands for one that is left out.

    Raises:
        InvalidInput: it is none of the model.
        TooLarge: it has more than MAX_BODY_BYTES.
    """
    text = _text(event)
    if default is not None and not text.strip():
        return default
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        raise input_fault(error) from error


def json_object(event: APIGatewayProxyEventV2) -> dict[str, Any]:
    """The body as a JSON object of any keys; none at all is an empty one. Raises as :func:`body`."""
    text = _text(event)
    try:
        return _object().validate_json(text) if text.strip() else {}
    except ValidationError as error:
        raise input_fault(error) from error


def _text(event: APIGatewayProxyEventV2) -> str:
    try:
        text = event.decoded_body or ""
        size = len(text.encode())
    except (UnicodeError, binascii.Error) as error:
        raise InvalidInput("body", "the body is not text in UTF-8", advice="Send JSON in UTF-8.") from error
    if size > MAX_BODY_BYTES:
        raise TooLarge(
            f"the body is larger than {MAX_BODY_BYTES} bytes", advice="Upload large suites by POST /v1/bundles."
        )
    return text


def query(event: APIGatewayProxyEventV2) -> dict[str, str]:
    """The query's parameters; the caller has checked their names."""
    return event.query_string_parameters or {}


def check_names(given: Mapping[str, str], known: tuple[Query, ...]) -> None:
    """Refuse parameters that the call does not have: a misspelt filter must not select everything.

    Raises:
        InvalidInput: names the first of them.
    """
    names = [each.name for each in known]
    for name in given:
        if name not in names:
            raise InvalidInput(
                name[:100], f"there is no parameter {name[:100]}", advice=f"Known here: {', '.join(names)}."
            )


def whole(given: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    """A whole number within bounds.

    Raises:
        InvalidInput: it is none.
    """
    text = given.get(name, str(default))
    digits = text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS
    if not digits or not least <= int(text) <= most:
        raise InvalidInput(name, f"{name} is to be a whole number from {least} to {most}, not {text[:40]!r}")
    return int(text)


def page_size(given: Mapping[str, str]) -> int:
    """How many rows a page may have. Raises as :func:`whole`."""
    return whole(given, "limit", DEFAULT_PAGE, 1, MAX_PAGE)


def idempotency_key(event: APIGatewayProxyEventV2) -> str | None:
    """The ``Idempotency-Key``.

    Raises:
        InvalidInput: it is empty or too long.
    """
    key = event.headers.get("idempotency-key")
    if key is not None and not 1 <= len(key.encode()) <= MAX_KEY:
        raise InvalidInput("Idempotency-Key", f"an Idempotency-Key has 1 to {MAX_KEY} bytes")
    return key
