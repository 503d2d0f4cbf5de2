"""Checks of JSON schemas that users declare, and of values against them. They may take for ever, or hold the interpreter's
lock: :mod:`wainwright.usecases.check_schemas` calls them, and bounds them.

``jsonschema`` is imported where it is needed: most requests bring no schema, and a first call should not wait for it.
"""

import contextlib
import json
import re
import resource
import signal
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from wainwright.domain.errors import InvalidInput

DIALECT = "https://json-schema.org/draft/2020-12/schema"

MAX_FAULT = 500
"""Characters of a fault's description."""

TOO_MUCH = 3
"""Exit code of a process to which memory, or the stack, did not suffice."""

_ADVICE = "See https://json-schema.org/draft/2020-12 for the keywords of a schema."


def apply_metaschema(field: str, schema: Mapping[str, Any]) -> None:
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


def apply_schema(field: str, schema: Mapping[str, Any], value: object) -> None:
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
    except (Unresolvable, RecursionError, re.error, ArithmeticError, ValueError) as error:
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


def main(cpu_seconds: float, memory_bytes: int) -> None:
    """Do one check in a process of its own: read the arguments as JSON, and write the fault, if there is one, so."""
    import jsonschema  # noqa: F401 - the start does not count

    with contextlib.suppress(OSError, ValueError):  # macOS has no such bound
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    signal.setitimer(signal.ITIMER_PROF, cpu_seconds)  # its signal, which Python leaves to the kernel, ends the process
    try:
        field, schema, *value = json.load(sys.stdin)
        if value:
            apply_schema(field, schema, value[0])
        else:
            apply_metaschema(field, schema)
    except InvalidInput as error:
        json.dump({"field": error.field, "message": error.message, "advice": error.advice}, sys.stdout)
    except (MemoryError, RecursionError):
        sys.exit(TOO_MUCH)
