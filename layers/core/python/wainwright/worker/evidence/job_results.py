"""A job's results: what its tests handed back, merged over all tests, workers and tries."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from wainwright.domain.errors import InvalidInput, Unavailable
from wainwright.domain.failures import Failure, FailureCategory
from wainwright.ports.job_store import StoredTest
from wainwright.usecases.check_schemas import check_value
from wainwright.worker.runners.suite import JobResult

MAX_ITEMS = 1_000
MAX_BYTES = 200_000
"""Of all results as JSON: with the rest of a job's detail they have to fit into one item of 400 KB."""

NOTE = "itemsNote"


class JobResults:
    """Collects additions; a later value or outcome of the same name takes the place of the earlier one. What each test handed
    back (:meth:`of_test`) is kept in the test's row: whoever goes on with the job starts with those of tests not run again.
    """

    def __init__(self, stored: Sequence[StoredTest] = ()) -> None:
        self._values: dict[str, Any] = {}
        self._items: dict[str, Any] = {}
        self._sizes: dict[str, int] = {}
        self._cut = ""
        self._of_tests: dict[str, dict[str, dict[str, Any]]] = {}
        for test in sorted(stored, key=_last_started):
            if part := test.body.get("results"):
                self.add(JobResult(values=part["values"], items=part["items"], test_id=test.id))

    def add(self, result: JobResult) -> list[str]:
        """Take in an addition; returns the names of values for which there is no room."""
        refused = [name for name, value in result.values.items() if not self._put(self._values, name, value)]
        for id, item in result.items.items():
            if id not in self._items and len(self._items) >= MAX_ITEMS:
                self._cut = f"more than {MAX_ITEMS:,} items were reported; the first {MAX_ITEMS:,} are kept"
            elif not self._put(self._items, id, item):
                self._cut = f"the results are over {MAX_BYTES:,} bytes; later items are not kept"
        if result.test_id is not None:
            part = self._of_tests.setdefault(result.test_id, {"values": {}, "items": {}})
            part["values"] |= {name: value for name, value in result.values.items() if name not in refused}
            part["items"] |= {id: item for id, item in result.items.items() if self._items.get(id) == item}
        return refused

    def _put(self, target: dict[str, Any], name: str, value: Any) -> bool:
        size = len(json.dumps({name: value}, ensure_ascii=False).encode("utf-8", "replace"))
        if sum(self._sizes.values()) - self._sizes.get(name, 0) + size > MAX_BYTES:
            return False
        self._values.pop(name, None)
        self._items.pop(name, None)
        target[name] = value
        self._sizes[name] = size
        return True

    def of_test(self, test_id: str) -> Mapping[str, Any] | None:
        """Results of a test, to be kept in its row."""
        return self._of_tests.get(test_id)

    @property
    def values(self) -> dict[str, Any]:
        """Values and outcomes of items in one object, as ``results`` has them, without the note."""
        return self._values | self._items

    @property
    def stored(self) -> dict[str, Any] | None:
        """The job's ``results``; None when nothing was handed back."""
        return (self.values | ({NOTE: self._cut} if self._cut else {})) or None


def check_results(schema: Mapping[str, Any] | None, results: JobResults) -> Failure | None:
    """Return the failure of a job whose results do not have the form that it declared; None if they have."""
    if schema is None:
        return None
    try:
        check_value("results", schema, results.values)
    except InvalidInput as error:
        field = error.field or "results"
        path = field.replace(".", "/")
        return Failure.of(FailureCategory.OUTPUT_SCHEMA, f"{path}{str(error).removeprefix(field)}")
    except Unavailable as error:
        return Failure.of(FailureCategory.INFRASTRUCTURE, str(error))
    return None


def _last_started(test: StoredTest) -> str:
    """RFC 3339 of one width in UTC, so that text order is the order of time."""
    attempts = test.body["attempts"]
    return str(attempts[-1]["startedAt"]) if attempts else ""
