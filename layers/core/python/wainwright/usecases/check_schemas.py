"""Checks of JSON schemas that users declare, of values against them, and of the size of JSON.

``jsonschema`` is imported where it is needed: most requests bring no schema, and a first call should not wait for it.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from wainwright.domain.errors import InvalidInput, TooLarge

DIALECT = "https://json-schema.org/draft/2020-12/schema"

MAX_DETAIL_BYTES = 100 * 1024
"""Of what a job or template carries besides its row, as JSON."""

MAX_FAULT = 500
"""Characters of a fault's description."""

_ADVICE = "See https://json-schema.org/draft/2020-12 for the keywords of a schema."


def check_schema(field: str, schema: Mapping[str, Any]) -> None:
    """Refuse what is no JSON schema of draft 2020-12, or refers to anything outside itself.

    Raises:
        InvalidInput: names the path within the field that is at fault.
    """
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError

    if schema.get("$schema", DIALECT) not in (DIALECT, f"{DIALECT}#"):
        raise InvalidInput(f"{field}.$schema", f"schemas are of the dialect {DIALECT}", advice="Leave out $schema.")
    try:
        Draft202012Validator.check_schema(schema)
        _check_references(field, schema)
    except SchemaError as error:
        path = ".".join([field, *(str(part) for part in error.absolute_path)])
        raise InvalidInput(path, f"{path}: {error.message[:MAX_FAULT]}", advice=_ADVICE) from error
    except RecursionError as error:
        raise InvalidInput(field, f"{field} refers to itself endlessly, or is too deeply nested") from error
    except OverflowError as error:
        raise InvalidInput(field, f"{field} has a pattern that repeats too often") from error


def check_value(field: str, schema: Mapping[str, Any], value: object) -> None:
    """Refuse a value that does not fit a schema. An empty ``field`` stands for the whole body.

    Raises:
        InvalidInput: names the path within the field that is at fault.
    """
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    nothing_else: Registry[Any] = Registry()
    try:
        fault = best_match(Draft202012Validator(schema, registry=nothing_else).iter_errors(value))
    except (Unresolvable, RecursionError, re.error) as error:
        raise InvalidInput(field or "body", f"the declared schema cannot be applied: {error}") from error
    if fault is not None:
        missing = _missing(fault.validator, fault.validator_value, fault.instance)
        path = ".".join(part for part in (field, *map(str, fault.absolute_path), *missing) if part) or "body"
        message = f"{path}: {str(fault.message)[:MAX_FAULT]}"
        raise InvalidInput(path, message, advice="Correct it and send the request again.")


def _missing(keyword: object, required: object, found: object) -> list[str]:
    """Return the name that is required and not there: it says more than the path of the object that lacks it."""
    if keyword != "required" or not isinstance(required, list) or not isinstance(found, dict):
        return []
    return [name for name in required if name not in found][:1]


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


def _check_references(field: str, schema: Mapping[str, Any]) -> None:
    """Refuse references that leave the schema, lead nowhere, or never end."""
    from jsonschema import Draft202012Validator
    from referencing import Registry
    from referencing.exceptions import Unresolvable
    from referencing.jsonschema import DRAFT202012

    registry: Registry[Any] = Registry()
    resolver = registry.with_resource("", DRAFT202012.create_resource(dict(schema))).crawl().resolver()
    for path, node in _nodes(field, schema):
        for word in ("$ref", "$dynamicRef"):
            target = node.get(word)
            if not isinstance(target, str):
                continue
            if not target.startswith("#"):
                raise InvalidInput(
                    f"{path}.{word}", f"{path}.{word}: {target[:100]!r} is outside the schema",
                    advice="Put the target below $defs, and refer to it as #/$defs/….",
                )  # fmt: skip
            try:
                resolver.lookup(target)
            except Unresolvable as error:
                message = f"{path}.{word}: {target[:100]!r} does not exist in the schema"
                raise InvalidInput(f"{path}.{word}", message, advice=_ADVICE) from error
    validator = Draft202012Validator(schema, registry=registry)
    samples: tuple[object, ...] = ({}, [], "", 0, None)
    for value in samples:
        validator.is_valid(value)


def _nodes(path: str, value: object) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield every object within a value, with its path. Without recursion: nesting is the sender's choice."""
    waiting: list[tuple[str, object]] = [(path, value)]
    while waiting:
        here, found = waiting.pop()
        if isinstance(found, dict):
            yield here, found
            waiting += [(f"{here}.{name}", each) for name, each in found.items()]
        elif isinstance(found, list):
            waiting += [(f"{here}.{number}", each) for number, each in enumerate(found)]
