"""Reading what test code says of its job: checked and bounded like everything that comes from the test process."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from wainwright.worker.runners.record_fields import MAX_ID, MAX_LABEL, one_of, optional_text, text
from wainwright.worker.runners.suite import JobLog, JobProgress, JobResult

MAX_MESSAGE = 10_000
MAX_INFO_BYTES = 10_240
MAX_PATCH_BYTES = 200_000
MAX_DEPTH = 32


def read_log(record: Mapping[str, Any]) -> JobLog:
    """A line of the job's log; ValueError names the field at fault, as of all of these."""
    info = record.get("info")
    return JobLog(
        level=one_of(record, "level", ("INFO", "ERROR")),
        message=text(record, "message", MAX_MESSAGE),
        info=None if info is None else _object(info, "info", MAX_INFO_BYTES),
        test_id=optional_text(record, "testId", MAX_ID),
    )


def read_progress(record: Mapping[str, Any]) -> JobProgress:
    """How far the work has come."""
    percent = record.get("percent")
    if not isinstance(percent, int) or isinstance(percent, bool) or not 0 <= percent <= 100:
        raise ValueError("percent: expected an integer from 0 to 100")
    return JobProgress(percent, text(record, "message", MAX_MESSAGE, default=""))


def read_result(record: Mapping[str, Any]) -> JobResult:
    """An addition to the results."""
    items = _object(record.get("items") or {}, "items", MAX_PATCH_BYTES)
    return JobResult(
        values=_object(record.get("values") or {}, "values", MAX_PATCH_BYTES),
        items={id: _item(id, item) for id, item in items.items()},
        test_id=optional_text(record, "testId", MAX_ID),
    )


def _item(id: str, item: Any) -> Mapping[str, Any]:
    if not 0 < len(id) <= MAX_LABEL or not isinstance(item, Mapping):
        raise ValueError("items: expected objects by ids")
    one_of(item, "status", ("ok", "error"))
    optional_text(item, "errorMessage", MAX_PATCH_BYTES)
    if not item.keys() <= {"status", "response", "errorMessage"}:
        raise ValueError("items: an unknown field")
    return item


def _object(value: Any, name: str, limit: int) -> Mapping[str, Any]:
    """A JSON object within its bounds, with what is no Unicode in its texts replaced."""
    if not isinstance(value, dict):
        raise ValueError(f"{name}: expected an object")
    written = json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")
    if len(written) > limit:
        raise ValueError(f"{name}: over {limit} bytes")
    if _depth(value) > MAX_DEPTH:
        raise ValueError(f"{name}: nested deeper than {MAX_DEPTH} levels")
    found: dict[str, Any] = json.loads(written)
    return found


def _depth(value: Any) -> int:
    """Levels of lists and objects below the outermost."""
    depth, level = 0, [value]
    while level := [inner for each in level for inner in _inner(each)]:
        depth += 1
    return depth


def _inner(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
