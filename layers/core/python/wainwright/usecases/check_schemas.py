"""JSON schemas that users declare: whether they are any, and whether values fit them."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError, best_match
from referencing.exceptions import Unresolvable

from wainwright.domain.errors import InvalidInput, TooLarge

DIALECT = "https://json-schema.org/draft/2020-12/schema"
MAX_DETAIL_BYTES = 100 * 1024
"""What a job or template may carry besides its row, as JSON."""

_ADVICE = "See https://json-schema.org/draft/2020-12 for what a schema may say."


def check_schema(field: str, schema: Mapping[str, Any]) -> None:
    """Refuse what is no JSON schema of draft 2020-12, or refers to anything outside itself.

    Raises:
        InvalidInput: names the path within the field that is at fault.
    """
    if schema.get("$schema", DIALECT) not in (DIALECT, f"{DIALECT}#"):
        raise InvalidInput(f"{field}.$schema", f"schemas are of the dialect {DIALECT}", advice="Leave out $schema.")
    _check_references(field, schema)
    try:
        Draft202012Validator.check_schema(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
        _check_patterns(field, schema)
        # Values of every kind, so that each local reference is followed once: a dangling or endless one shows here.
        for value in ({}, [], "", 0, None):
            Draft202012Validator(schema).is_valid(value)
    except SchemaError as error:
        path = ".".join([field, *(str(part) for part in error.absolute_path)])
        raise InvalidInput(path, f"{path}: {error.message[:500]}", advice=_ADVICE) from error
    except Unresolvable as error:
        raise InvalidInput(field, f"{field}: {error.ref} refers to nothing in the schema", advice=_ADVICE) from error
    except RecursionError as error:
        raise InvalidInput(field, f"{field} refers to itself without end, or is too deeply nested") from error


def check_value(field: str, schema: Mapping[str, Any], value: object) -> None:
    """Refuse a value that does not fit a schema.

    Raises:
        InvalidInput: names the path within the field that is at fault.
    """
    try:
        fault = best_match(Draft202012Validator(schema).iter_errors(value))
    except (Unresolvable, RecursionError, re.error) as error:
        raise InvalidInput(field, f"{field} cannot be checked: its schema is not usable ({error})") from error
    if fault is not None:
        path = ".".join(part for part in (field, *map(str, fault.absolute_path)) if part) or "body"
        raise InvalidInput(path, f"{path}: {_message(fault)}", advice="Mend it and send the request again.")


def check_size(**parts: object) -> None:
    """Refuse details that are no JSON, or together more than MAX_DETAIL_BYTES of it.

    Raises:
        InvalidInput: a number in them is not finite.
        TooLarge: names the largest part.
    """
    sizes: dict[str, int] = {}
    for name, part in parts.items():
        try:
            sizes[name] = len(json.dumps(part, allow_nan=False, ensure_ascii=False).encode()) if part is not None else 0
        except ValueError as error:
            raise InvalidInput(name, f"{name} holds a number that JSON cannot write") from error
    total = sum(sizes.values())
    if total > MAX_DETAIL_BYTES:
        largest = max(sizes, key=lambda name: sizes[name])
        raise TooLarge(
            f"{', '.join(sizes)} are together {total} bytes of JSON, more than {MAX_DETAIL_BYTES}; "
            f"{largest} has {sizes[largest]}",
            advice=f"Make {largest} smaller; data of that size belong in the bundle.",
        )


def _message(fault: ValidationError) -> str:
    return str(fault.message)[:500]


def _check_references(field: str, schema: Mapping[str, Any]) -> None:
    for path, node in _nodes(field, schema):
        for word in ("$ref", "$dynamicRef"):
            target = node.get(word)
            if isinstance(target, str) and not target.startswith("#"):
                raise InvalidInput(
                    f"{path}.{word}", f"{path}.{word}: {target[:100]!r} lies outside the schema",
                    advice="Put what it refers to below $defs, and refer to it by #/$defs/….",
                )  # fmt: skip


def _check_patterns(field: str, schema: Mapping[str, Any]) -> None:
    for path, node in _nodes(field, schema):
        patterns = [node["pattern"]] if isinstance(node.get("pattern"), str) else []
        within = node.get("patternProperties")
        patterns += [*within] if isinstance(within, dict) else []
        for pattern in patterns:
            try:
                re.compile(pattern)
            except re.error as error:
                message = f"{path}: {pattern[:100]!r} is no regular expression: {error}"
                raise InvalidInput(path, message, advice=_ADVICE) from error


def _nodes(path: str, value: object) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every object within a value, with its path. Without recursion: nesting is the sender's choice."""
    waiting: list[tuple[str, object]] = [(path, value)]
    while waiting:
        here, found = waiting.pop()
        if isinstance(found, dict):
            yield here, found
            waiting += [(f"{here}.{name}", each) for name, each in found.items()]
        elif isinstance(found, list):
            waiting += [(f"{here}.{number}", each) for number, each in enumerate(found)]
