"""Reading fields of untrusted or stored JSON records: every text is bounded, every type checked, every refusal names
the field.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeVar

MAX_ID = 4_096
"""Characters of a node id, title or file name. Longer ids are refused, since a cut id would name another test."""
MAX_LABEL = 512
MAX_MESSAGE = 4_096
MAX_STACK = 20_480
MAX_RECORDS = 2_000
"""Entries of any list in one record."""

Choice = TypeVar("Choice", bound=str)
_REQUIRED = object()


def text(data: Mapping[str, Any], name: str, limit: int, default: Any = _REQUIRED) -> str:
    """A text of at most `limit` characters; longer ones are cut, with a mark, except ids, which are refused."""
    value = data.get(name, default)
    if value is None and default is not _REQUIRED:
        value = default
    if not isinstance(value, str):
        raise ValueError(f"{name}: expected a text, got {type(value).__name__}")
    if len(value) <= limit:
        return value
    if name == "id":
        raise ValueError(f"id: longer than {limit} characters")
    return value[: limit - 1] + "…"


def optional_text(data: Mapping[str, Any], name: str, limit: int) -> str | None:
    """As `text`, or None where it is absent."""
    return None if data.get(name) is None else text(data, name, limit)


def integer(data: Mapping[str, Any], name: str, default: int | None = None) -> int:
    """A non-negative integer below 2^53."""
    value: Any = data.get(name, default)
    if isinstance(value, (float, Decimal)) and math.isfinite(value) and value == int(value):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**53:
        raise ValueError(f"{name}: expected a non-negative integer, got {value!r:.40}")
    return value


def optional_integer(data: Mapping[str, Any], name: str) -> int | None:
    """As `integer`, or None where it is absent."""
    return None if data.get(name) is None else integer(data, name)


def number(data: Mapping[str, Any], name: str) -> float:
    """A finite, non-negative number."""
    value = data.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise ValueError(f"{name}: expected a number, got {type(value).__name__}")
    try:
        result = float(value)
    except OverflowError:
        result = math.inf
    if not math.isfinite(result) or result < 0:
        raise ValueError(f"{name}: expected a finite, non-negative number")
    return result


def one_of(data: Mapping[str, Any], name: str, choices: Sequence[Choice]) -> Choice:
    """One of the given texts."""
    value = data.get(name)
    for choice in choices:
        if value == choice:
            return choice
    raise ValueError(f"{name}: expected one of {', '.join(choices)}, got {value!r:.40}")


def records(data: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """A list of at most MAX_RECORDS objects; absent means empty."""
    value = data.get(name) or []
    if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
        raise ValueError(f"{name}: expected a list of objects")
    return value[:MAX_RECORDS]


def texts(data: Mapping[str, Any], name: str, limit: int) -> tuple[str, ...]:
    """A list of bounded texts; absent means empty."""
    value = data.get(name) or []
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError(f"{name}: expected a list of texts")
    return tuple(item[:limit] for item in value[:MAX_RECORDS])
