"""Checks of JSON schemas that users declare, of values against them, and of the size of JSON.

A pattern such as ``^(a+)+$`` never ends and holds the interpreter's lock, and references can multiply without bound. So only
what is short and has none of these is checked here; all else in a process of its own, which the kernel ends.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from wainwright.domain.errors import InvalidInput, TooLarge, Unavailable
from wainwright.usecases.apply_schemas import TOO_MUCH, apply_metaschema, apply_schema

MAX_DETAIL_BYTES = 100 * 1024
"""Of what a job or template carries besides its row, as JSON."""

MAX_PLAIN = 2_000
"""Characters of JSON, schema and value together, that are checked without a process: the work grows with their product."""

_PLAIN_KEYWORDS = frozenset(
    {"title", "description", "default", "examples", "deprecated"}
    | {"type", "enum", "const", "format", "required", "properties", "items", "additionalProperties"}
    | {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}
    | {"minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"}
)
"""Keywords that apply at most one schema to each part of a value, and no pattern."""

CPU_SECONDS = 5.0
MEMORY_BYTES = 256 * 1024 * 1024
"""Bounds of a check in a process."""

WAIT_SECONDS = 20.0
"""Seconds that a check may wait for the CPU: the API has to answer within 29."""

_PROGRAM = (
    "import sys; sys.path[:] = {path!r}; from wainwright.usecases.apply_schemas import main; main({seconds}, {memory})"
)


def check_schema(field: str, schema: Mapping[str, Any]) -> None:
    """Refuse what is no JSON schema of draft 2020-12, refers to anything outside itself, or costs too much.

    Raises:
        InvalidInput: names the path within the field that is at fault.
        Unavailable: the machine is too busy.
    """
    text = _to_json(field, schema)
    if len(text) <= MAX_PLAIN and _is_plain(schema):
        apply_metaschema(field, schema)
    else:
        _check_apart(field, text)


def check_value(field: str, schema: Mapping[str, Any], value: object) -> None:
    """Refuse a value that does not fit a schema, or costs too much to check. An empty ``field`` stands for the whole body.

    Raises:
        InvalidInput: names the path within the field that is at fault.
        Unavailable: the machine is too busy.
    """
    text = _to_json(field, schema, value)
    if len(text) <= MAX_PLAIN and _is_plain(schema):
        apply_schema(field, schema, value)
    else:
        _check_apart(field, text)


def _to_json(field: str, *parts: object) -> str:
    try:
        return json.dumps([field, *parts])
    except (ValueError, RecursionError) as error:
        name = field or "body"
        raise InvalidInput(name, f"{name} is too deeply nested, or has a value that JSON cannot represent") from error


def _is_plain(schema: Mapping[str, Any]) -> bool:
    """Return True if the work of applying a schema cannot exceed its length times that of the value."""
    waiting: list[object] = [schema]
    while waiting:
        node = waiting.pop()
        if not isinstance(node, dict):
            continue
        if not node.keys() <= _PLAIN_KEYWORDS:
            return False
        waiting += [node.get("items"), node.get("additionalProperties")]
        if isinstance(properties := node.get("properties"), dict):
            waiting += properties.values()
    return True


def _check_apart(field: str, text: str) -> None:
    """Check in a process of its own, under bounds of CPU time and memory."""
    program = _PROGRAM.format(path=sys.path, seconds=CPU_SECONDS, memory=MEMORY_BYTES)
    try:
        ran = subprocess.run(
            [sys.executable, "-c", program],
            input=text, capture_output=True, text=True, timeout=WAIT_SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        message = f"{field or 'the body'} could not be checked against its schema within {WAIT_SECONDS:g} s"
        raise Unavailable(message, advice="Try again later.") from error
    if ran.returncode < 0 or ran.returncode == TOO_MUCH:
        name = field or "body"
        raise InvalidInput(
            name, f"{name}: the check against its schema needs more than {CPU_SECONDS:g} s of CPU time "
            f"or {MEMORY_BYTES >> 20} MiB",
            advice="Simplify its patterns, such as (a+)+, and references that multiply.",
        )  # fmt: skip
    if ran.returncode:
        raise RuntimeError(f"the check of a schema failed: {ran.stderr[-2_000:]}")
    if ran.stdout:
        fault = json.loads(ran.stdout)
        raise InvalidInput(fault["field"], fault["message"], advice=fault["advice"])


def check_size(**parts: object) -> None:
    """Refuse details that are no JSON, or together more than MAX_DETAIL_BYTES of it.

    Raises:
        InvalidInput: a number in them is not finite.
        TooLarge: names the largest part.
    """
    sizes = {name: json_size(name, part) if part is not None else 0 for name, part in parts.items()}
    total = sum(sizes.values())
    if total > MAX_DETAIL_BYTES:
        largest = max(sizes, key=lambda name: sizes[name])
        raise TooLarge(
            f"{', '.join(sizes)} are together {total} bytes of JSON, more than {MAX_DETAIL_BYTES}; "
            f"{largest} has {sizes[largest]}",
            advice=f"Make {largest} smaller; data of that size belong in the bundle.",
        )


def json_size(field: str, value: object) -> int:
    """Return the bytes of a value as JSON. Raises InvalidInput: a number in it is not finite."""
    try:
        return len(json.dumps(value, allow_nan=False, ensure_ascii=False).encode())
    except ValueError as error:
        raise InvalidInput(field, f"{field} has a value that JSON cannot represent, such as infinity") from error
