"""The job, as test code sees it: its reports go through the event pipe. `wainwright.current_job()` finds it here.

The bounds are those that the worker holds as well; here they are errors that point at the line of the test.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

MAX_MESSAGE = 10_000
MAX_INFO_BYTES = 10_240
MAX_RESULTS_BYTES = 200_000
MAX_ITEM_BYTES = 64_000
MAX_NAME = 512
MAX_DEPTH = 32
"""Levels of lists and objects in a value."""
ITEMS_NOTE = "itemsNote"
"""The name in the results under which the worker says that items were left out."""

current: CurrentJob | None = None


class CurrentJob:
    """The `wainwright.CurrentJob` of test code."""

    def __init__(self, facts: Mapping[str, Any], send: Callable[..., None]) -> None:
        self.id: str = facts["id"]
        self.label: str | None = facts["label"]
        self.url: str | None = facts["url"]
        self.params: dict[str, Any] = facts["params"]
        self.attempt: int = facts["attempt"]
        self.previous: dict[str, dict[str, Any]] = facts.get("previous", {})
        self.test_id: str | None = None
        self._send = send
        self._sizes: dict[str, int] = {}

    def __repr__(self) -> str:
        return f"<job {self.id}, attempt {self.attempt}>"

    def log_info(self, message: str, **info: Any) -> None:
        """Add a line to the job's log."""
        self._log("INFO", message, info)

    def log_error(self, message: str, **info: Any) -> None:
        """Add an error to the job's log."""
        self._log("ERROR", message, info)

    def _log(self, level: str, message: str, info: dict[str, Any]) -> None:
        check_text("the message", message, MAX_MESSAGE)
        measure_size(info, "the additional information", MAX_INFO_BYTES)
        self._report("job_log", level=level, message=message, info=info or None)

    def progress(self, percent: Any, message: str = "") -> None:
        """Tell how far the work has come."""
        if isinstance(percent, bool) or not isinstance(percent, (int, float)) or not 0 <= percent <= 100:
            raise ValueError(f"progress should be a number from 0 to 100, not {percent!r:.40}")
        if message:
            check_text("the message", message, MAX_MESSAGE)
        self._report("job_progress", percent=int(percent), message=message)

    def result(self, name: str | Mapping[str, Any], value: Any = None) -> None:
        """Put values into the job's results."""
        values = {name: value} if isinstance(name, str) else dict(name)
        for each in values:
            check_name("the name of a result", each)
        new = {each: measure_size({each: given}, each, MAX_RESULTS_BYTES) for each, given in values.items()}
        if sum({**self._sizes, **new}.values()) > MAX_RESULTS_BYTES:
            raise ValueError(f"the job's results would be over {MAX_RESULTS_BYTES} bytes of JSON")
        self._sizes.update(new)
        self._report("job_result", values=values)

    def item(self, id: str, ok: bool, response: Any = None, error_message: str | None = None) -> None:
        """Put the outcome of one of many items into the job's results."""
        check_name("the id of an item", id)
        entry: dict[str, Any] = {"status": "ok" if ok else "error"}
        if response is not None:
            entry["response"] = response
        if error_message is not None:
            entry["errorMessage"] = str(error_message)
        measure_size(entry, f"item {id}", MAX_ITEM_BYTES)
        self._report("job_result", items={id: entry})

    def _report(self, kind: str, **fields: Any) -> None:
        self._send(kind, testId=self.test_id, **fields)


def check_text(what: str, given: Any, limit: int) -> None:
    """Refuse what is no text, or is empty or too long."""
    if not isinstance(given, str) or not given.strip():
        raise ValueError(f"{what} should be a text that is not empty")
    if len(given) > limit:
        raise ValueError(f"{what} has {len(given)} characters; at most {limit} are kept")


def check_name(what: str, given: Any) -> None:
    """Refuse a key of the results that is none."""
    check_text(what, given, MAX_NAME)
    if given == ITEMS_NOTE:
        raise ValueError(f"{ITEMS_NOTE} is where Wainwright says that items were left out: use another name")


def measure_size(value: Any, what: str, limit: int) -> int:
    """Bytes of the value as JSON; refuses what is no JSON, nested too deeply, or over the limit."""
    try:
        size = len(json.dumps(value, allow_nan=False, ensure_ascii=False).encode("utf-8", "replace"))
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"{what} cannot be written as JSON: {error}") from error
    if size > limit:
        raise ValueError(f"{what} has {size} bytes of JSON; at most {limit} are kept")
    if measure_depth(value) > MAX_DEPTH:
        raise ValueError(f"{what} is nested deeper than {MAX_DEPTH} levels")
    return size


def measure_depth(value: Any) -> int:
    """Return the levels of lists and objects, counted without recursion, since the value may be as deep as it likes."""
    depth, level = 0, [value]
    while level := [inner for each in level for inner in list_inner(each)]:
        depth += 1
    return depth


def list_inner(value: Any) -> Iterable[Any]:
    """Return the values in a list or an object."""
    if isinstance(value, Mapping):
        return value.values()
    return value if isinstance(value, (list, tuple)) else ()
