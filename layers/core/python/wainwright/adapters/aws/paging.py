"""Pages of lists: rows read in key order, in chunks, within a bound that no filter and no size of the table exceeds."""

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from wainwright.adapters.aws.items import text
from wainwright.adapters.aws.table import Table

MOST_EXAMINED = 1_000
"""Rows examined for one page."""

MOST_QUERIES = 16
"""Queries for one page: one for each of nine states, and as many again where most rows are passed over."""

CHUNK = 100
"""Rows of the first chunk where a filter may pass over some. Each chunk is twice the one before."""

FIRST, LAST = "!", "~"
"""Before and after every place: places start with a digit."""


class _Exhausted(Exception):
    """The bounds of the page are reached."""


@dataclass
class Reader:
    """Reads what one page may read. ``chunk`` is the number of rows first asked for from each range."""

    table: Table
    chunk: int
    examined_left: int = field(default=MOST_EXAMINED, init=False)
    queries_left: int = field(default=MOST_QUERIES, init=False)

    def range(self, partition: str, first: str, last: str, *, ascending: bool, **index: Any) -> Iterator[Any]:
        """Rows of one key range, in order; ``index`` as :func:`by_index` makes it."""
        if first > last:
            return
        keys: dict[str, Any] = index.pop("ExpressionAttributeNames", {"#pk": "pk", "#sk": "sk"})
        request = {
            "KeyConditionExpression": "#pk = :pk AND #sk BETWEEN :first AND :last",
            "ExpressionAttributeNames": keys,
            "ExpressionAttributeValues": {":pk": text(partition), ":first": text(first), ":last": text(last)},
            "ScanIndexForward": ascending,
        } | index
        chunk = self.chunk
        start: dict[str, Any] = {}
        while True:
            if not self.examined_left or not self.queries_left:
                raise _Exhausted
            answer = self.table.ask(Limit=min(chunk, self.examined_left), **request, **start)
            self.queries_left -= 1
            self.examined_left -= answer["ScannedCount"]
            yield from answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
            chunk *= 2


def by_index(name: str, keys: tuple[str, str]) -> dict[str, Any]:
    """Return the part of a query that names an index, which lags a little behind the table."""
    return {"IndexName": name, "ExpressionAttributeNames": {"#pk": keys[0], "#sk": keys[1]}}


@dataclass(frozen=True)
class Bounds:
    """A range of places, of which those up to the cursor's are behind us."""

    first: str = FIRST
    last: str = LAST
    ascending: bool = True
    passed: str | None = None

    @property
    def ends(self) -> tuple[str, str]:
        """The first and the last place that are still to be read, both included."""
        if self.passed is None:
            return self.first, self.last
        if self.ascending:
            return max(self.first, self.passed), self.last
        return self.first, min(self.last, self.passed)


def page(
    ranges: Sequence[Iterator[Any]], place_of: Callable[[Any], str], bounds: Bounds, accepts: Callable[[Any], bool],
    limit: int,
) -> tuple[list[Any], str | None]:  # fmt: skip
    """The next rows of ranges that are merged in the order of places, and the place to go on after, if there is more.

    It stops at the first row beyond a full page without asking whether it is accepted: the page after this may be empty.
    """
    found: list[Any] = []
    passed = bounds.passed
    merged = heapq.merge(*ranges, key=place_of, reverse=not bounds.ascending)
    try:
        for row in merged:
            place = place_of(row)
            if place == bounds.passed:
                continue
            if len(found) == limit:
                return found, passed
            if accepts(row):
                found.append(row)
            passed = place
    except _Exhausted:
        return found, passed
    return found, None
