"""Cursors: where a query went on, as one opaque word that names no other project's rows."""

import base64
import binascii
import json
from typing import Any

from wainwright.domain.errors import InvalidInput

_ADVICE = "Send the cursor exactly as the page before gave it, with the same filters; or none, to start anew."


def write_cursor(last_key: dict[str, Any]) -> str:
    """The word for a query's ``LastEvaluatedKey``."""
    flat = {name: value["S"] for name, value in last_key.items()}
    return (
        base64.urlsafe_b64encode(json.dumps(flat, separators=(",", ":"), sort_keys=True).encode()).decode().rstrip("=")
    )


def read_cursor(cursor: str, attribute: str, value: str) -> dict[str, Any]:
    """The key that a cursor stands for, if it belongs to the list in which ``attribute`` is ``value``.

    Raises:
        InvalidInput: it was not made by :func:`write_cursor` for this list.
    """
    try:
        flat = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        key = {name: {"S": text} for name, text in flat.items() if isinstance(text, str)}
    except (ValueError, binascii.Error, AttributeError, RecursionError) as error:
        raise InvalidInput("cursor", "this is no cursor", advice=_ADVICE) from error
    if key.get(attribute) != {"S": value} or set(key) != {"pk", "sk", attribute, "createdAt"}:
        raise InvalidInput("cursor", "this cursor belongs to another list", advice=_ADVICE)
    return key
