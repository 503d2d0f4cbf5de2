"""Types of the fields of untrusted or stored JSON records: texts and lists are bounded, numbers finite and not negative."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Self, TypeVar

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, TypeAdapter
from pydantic.alias_generators import to_camel

from wainwright.domain.cuts import cut_end

MAX_ID = 4_096
"""Characters of a node id, title or file name. Longer ids are refused, since a cut id would name another test."""
MAX_LABEL = 512
MAX_MESSAGE = 4_096
MAX_STACK = 20_480
MAX_RECORDS = 2_000
"""Entries of any list in one record."""
MAX_JOB_MESSAGE = 10_000
MAX_INFO_BYTES = 10_240
MAX_PATCH_BYTES = 200_000
MAX_DEPTH = 32
"""Levels of lists and objects in what test code says of its job."""
UNKNOWN_TYPE = "application/octet-stream"
_CONTENT_TYPE = re.compile(
    r"[\w.+-]{1,100}/[\w.+-]{1,100}( ?; ?[\w.+-]{1,100}=(\"[\w .:/+-]{0,100}\"|[\w.:+-]{1,100})){0,5}", re.ASCII
)

Item = TypeVar("Item")


def parse_json(line: bytes) -> Any:
    """Parse untrusted JSON. Half a surrogate pair is JSON, but no text that could be stored: it is replaced."""
    found = json.loads(line)
    return (
        json.loads(json.dumps(found, ensure_ascii=False).encode("utf-8", "replace"))
        if b"\\ud" in line.lower()
        else found
    )


def _at_most(limit: int) -> AfterValidator:
    """Cut a longer text, with a mark."""
    return AfterValidator(lambda text: cut_end(text, limit))


def _or(default: str) -> BeforeValidator:
    """Take null for the default."""
    return BeforeValidator(lambda value: default if value is None else value)


def _number(value: Any) -> Any:
    """Refuse what Pydantic would make a number of."""
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise ValueError(f"expected a number, got {value!r:.40}")
    return value


def _float(value: Any) -> float:
    try:
        return float(_number(value))
    except OverflowError as error:
        raise ValueError("expected a finite number") from error


def _cut_list(value: Any) -> Any:
    return value[:MAX_RECORDS] if isinstance(value, list) else value or []


Id = Annotated[str, Field(max_length=MAX_ID)]
Name = Annotated[str, _at_most(MAX_ID)]
Label = Annotated[str, _at_most(MAX_LABEL)]
Phase = Annotated[Label, _or("call")]
Message = Annotated[str, _at_most(MAX_MESSAGE)]
Description = Annotated[Message, _or("")]
Printed = Annotated[str, _at_most(MAX_STACK), _or("")]
JobMessage = Annotated[str, _at_most(MAX_JOB_MESSAGE)]
Count = Annotated[int, BeforeValidator(_number), Field(ge=0, lt=2**53)]
Milliseconds = Annotated[float, BeforeValidator(_float), Field(ge=0, allow_inf_nan=False)]
Percent = Annotated[int, Field(strict=True, ge=0, le=100)]
Listed = Annotated[tuple[Item, ...], BeforeValidator(_cut_list)]
Labels = Listed[Label]
ContentType = Annotated[str, AfterValidator(lambda text: text if _CONTENT_TYPE.fullmatch(text) else UNKNOWN_TYPE)]
"""It becomes a header, of which a line break or another sign makes none."""


def _within(limit: int) -> AfterValidator:
    """Refuse a JSON object beyond its bounds, and replace what is no Unicode in its texts."""

    def bounded(value: Mapping[str, Any]) -> Mapping[str, Any]:
        written = json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")
        if len(written) > limit:
            raise ValueError(f"over {limit} bytes")
        if _measure_depth(value) > MAX_DEPTH:
            raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
        found: dict[str, Any] = json.loads(written)
        return found

    return AfterValidator(bounded)


def _measure_depth(value: Any) -> int:
    """Levels of lists and objects below the outermost."""
    depth, level = 0, [value]
    while level := [
        inner
        for each in level
        if isinstance(each, (dict, list))
        for inner in (each.values() if isinstance(each, dict) else each)
    ]:
        depth += 1
    return depth


def _refuse_unknown(items: Mapping[str, Any]) -> Mapping[str, Any]:
    """Refuse what are no outcomes of items by their ids."""
    for id, item in items.items():
        if not 0 < len(id) <= MAX_LABEL or not isinstance(item, dict):
            raise ValueError("expected objects by ids")
        if item.get("status") not in ("ok", "error") or not isinstance(item.get("errorMessage"), str | None):
            raise ValueError("expected the status ok or error, and a text as errorMessage")
        if not item.keys() <= {"status", "response", "errorMessage"}:
            raise ValueError("an unknown field")
    return items


JobInfo = Annotated[Mapping[str, Any], _within(MAX_INFO_BYTES)]
JobValues = Annotated[Mapping[str, Any], _within(MAX_PATCH_BYTES)]
JobItems = Annotated[JobValues, AfterValidator(_refuse_unknown)]


adapter: Callable[[Any], TypeAdapter[Any]] = cache(TypeAdapter)
"""Returns the validator of a type, compiled once."""


class Record:
    """Base of dataclasses with a JSON form, whose keys are camelCase; fields beyond theirs are passed over."""

    __pydantic_config__ = ConfigDict(alias_generator=to_camel)

    def to_json(self) -> dict[str, Any]:
        """Return the stored form."""
        found: dict[str, Any] = adapter(type(self)).dump_python(self, mode="json", by_alias=True, warnings=False)
        return found

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Rebuild from the stored form; ValueError names the field at fault."""
        found: Self = adapter(cls).validate_python(data)
        return found
