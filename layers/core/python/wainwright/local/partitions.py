"""The rows of a table or of one of its indexes, by partition and in the order of their keys.

moto looks at a whole partition for every query and sorts it anew. Handed only the rows that the query may come by, in order,
it gives the same answer: what is left out here, it would have passed over.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any, Self

from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import RESULT_SIZE_LIMIT, SecondaryIndex, Table

Scalar = str | Decimal
SortKey = tuple[Scalar, ...]
_Attributes = Mapping[str, DynamoType]


@dataclass(frozen=True)
class Condition:
    """A query's condition on the sort key: moto's comparison (``=``, ``<=``, ``BETWEEN``, ...) and its values."""

    comparison: str
    values: Sequence[DynamoType]


@dataclass(frozen=True)
class Page:
    """The rows of a partition that a query wants, after the key `start`; without `limit` as many as an answer holds."""

    condition: Condition | None = None
    forward: bool = True
    limit: int | None = None
    start: Mapping[str, Any] | None = None


@dataclass(slots=True)
class _Partition:
    items: dict[SortKey, Item] = field(default_factory=dict)
    order: list[SortKey] | None = None
    """The keys in order, from the first query on: restoring many rows need not keep them so."""

    def put(self, key: SortKey, item: Item) -> None:
        if self.order is not None and key not in self.items:
            insort(self.order, key)
        self.items[key] = item

    def remove(self, key: SortKey) -> None:
        if self.items.pop(key, None) is not None and self.order is not None:
            del self.order[bisect_left(self.order, key)]

    def ordered(self) -> list[SortKey]:
        if self.order is None:
            self.order = sorted(self.items)
        return self.order


class Partitions:
    """All partitions of a table, or of one index of it."""

    def __init__(self, hash_name: str, sort_names: Sequence[str], types: Mapping[str, str]) -> None:
        """Partitions by `hash_name`, ordered by `sort_names`, which tell its rows apart; `types` has ``S`` or ``N`` of each."""
        self._hash_name = hash_name
        self._sort_names = tuple(sort_names)
        self._types = types
        self._partitions: dict[Scalar, _Partition] = {}

    @classmethod
    def of(cls, table: Table, index: SecondaryIndex | None) -> Self | None:
        """For a table or an index; None where its key is not of one or two attributes that are strings or numbers."""
        schema = table.schema if index is None else index.schema
        hashes = [part["AttributeName"] for part in schema if part["KeyType"] == "HASH"]
        ranges = [part["AttributeName"] for part in schema if part["KeyType"] == "RANGE"]
        own = [name for name in (table.hash_key_attr, table.range_key_attr) if name]
        types = {attribute["AttributeName"]: attribute["AttributeType"] for attribute in table.attr}
        plain = all(types.get(name) in ("S", "N") for name in hashes + ranges + own)
        if len(hashes) != 1 or len(ranges) > 1 or not plain:
            return None
        # As moto does: where an index has no range key of its own, the table's takes its place.
        return cls(hashes[0], ranges if index is None else [*(ranges or own[-1:]), *own], types)

    def replace(self, before: Item | None, after: Item | None) -> None:
        """A row was as it was before, and is now as it is after; None where there is none."""
        if before is not None and (place := self._place(before.attrs)) is not None:
            partition = self._partitions.get(place[0])
            if partition is not None:
                partition.remove(place[1])
                if not partition.items:
                    del self._partitions[place[0]]
        if after is not None and (place := self._place(after.attrs)) is not None:
            self._partitions.setdefault(place[0], _Partition()).put(place[1], after)

    def rows(self, value: DynamoType, page: Page) -> list[Item]:
        """The rows of a partition that a query may come by before its answer is complete, in ascending order.

        Among them is the row next to those that it wants: by it moto sees that there are more.
        """
        scalar = self._scalar(self._hash_name, value)
        partition = None if scalar is None else self._partitions.get(scalar)
        if partition is None:
            return []
        order = partition.ordered()
        wanted = self._range(order, page.condition)
        if wanted is None:
            return [partition.items[key] for key in order]
        low, high = wanted
        if page.forward:
            high = min(high + 1, len(order))
        else:
            low = max(low - 1, 0)
        start = self._place({name: DynamoType(each) for name, each in (page.start or {}).items()})
        if start is not None and start[0] == scalar:
            if page.forward:
                low = max(low, bisect_right(order, start[1]))
            else:
                high = min(high, bisect_left(order, start[1]))
        places = range(low, high) if page.forward else range(high - 1, low - 1, -1)
        found = list(_until_full((partition.items[order[place]] for place in places), page.limit))
        return found if page.forward else found[::-1]

    def _place(self, attributes: _Attributes) -> tuple[Scalar, SortKey] | None:
        """Partition and sort key; None for what lacks a part of them, which is in no index."""
        found = [
            None if (value := attributes.get(name)) is None else self._scalar(name, value)
            for name in (self._hash_name, *self._sort_names)
        ]
        known = [each for each in found if each is not None]
        return (known[0], tuple(known[1:])) if len(known) == len(found) else None

    def _scalar(self, name: str, value: DynamoType) -> Scalar | None:
        if value.type != self._types[name]:
            return None
        return Decimal(value.value) if value.type == "N" else str(value.value)

    def _range(self, order: list[SortKey], condition: Condition | None) -> tuple[int, int] | None:
        """The range of the rows that meet a condition; None if it is not known."""
        if condition is None:
            return 0, len(order)
        values = [self._scalar(name, value) for name in self._sort_names[:1] for value in condition.values]
        if not values or (first := values[0]) is None or (last := values[-1]) is None:
            return None
        match condition.comparison.upper():
            case "=" | "EQ":
                return bisect_left(order, first, key=_first), bisect_right(order, first, key=_first)
            case "<" | "LT":
                return 0, bisect_left(order, first, key=_first)
            case "<=" | "LE":
                return 0, bisect_right(order, first, key=_first)
            case ">" | "GT":
                return bisect_right(order, first, key=_first), len(order)
            case ">=" | "GE":
                return bisect_left(order, first, key=_first), len(order)
            case "BETWEEN":
                return bisect_left(order, first, key=_first), bisect_right(order, last, key=_first)
            case "BEGINS_WITH" if isinstance(first, str):
                begun = bisect_left(order, first, key=_first)
                return begun, bisect_right(order, first, key=partial(_beginning, len(first)))
        return None


def _first(key: SortKey) -> Any:
    return key[0]


def _beginning(length: int, key: SortKey) -> str:
    return str(key[0])[:length]


def _until_full(items: Iterator[Item], limit: int | None) -> Iterator[Item]:
    """Items until there is one more than an answer holds."""
    size = 0
    for number, item in enumerate(items):
        yield item
        size += item.size()
        if size > RESULT_SIZE_LIMIT or number == limit:
            return
