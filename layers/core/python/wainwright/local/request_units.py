"""Request units of a DynamoDB request, from the sizes of the items that it reads and writes.

moto says 1.0 of every request. The rules, as AWS publishes them:

- a write costs one unit for each KB, begun, of the larger of the item's two versions, in the table and once more in each
  index whose entry it changes: one unit for an entry that comes, goes or changes, two where its key changes;
- a write that a condition refuses costs what the item that is there would; so does a condition check;
- a strongly consistent read costs one unit for each 4 KB, begun; others half of that. A query adds up the sizes of what it
  examined first; single items are rounded one by one. What is not there costs as much as the smallest item;
- a transaction doubles all of it, its index entries too.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table

WRITE_BYTES = 1_024
READ_BYTES = 4_096
ENTRY_OVERHEAD_BYTES = 100
"""Bytes that DynamoDB stores for an item, and for an index entry, besides its attributes."""

Attributes = Mapping[str, DynamoType]


@dataclass(slots=True)
class Request:
    """One request: its keys, in DynamoDB's JSON, and what it used. ``grown_bytes`` may be negative."""

    operation: str
    writes: float = 0.0
    reads: float = 0.0
    grown_bytes: int = 0
    keys: list[Mapping[str, Any]] = field(default_factory=list)
    deleted: list[Mapping[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Named:
    """One item that a request names, by itself or by its key, and what the request does with it."""

    table: str
    item: Mapping[str, Any]
    action: str
    consistent: bool = True


def _named_items(operation: str, body: Mapping[str, Any]) -> Iterator[_Named]:
    if operation in ("GetItem", "PutItem", "UpdateItem", "DeleteItem"):
        consistent = bool(body.get("ConsistentRead"))
        yield _Named(body["TableName"], _item(body), operation.removesuffix("Item"), consistent)
    elif operation.startswith("Transact"):
        for entry in body["TransactItems"]:
            for action, part in entry.items():
                yield _Named(part["TableName"], _item(part), action)
    elif operation == "BatchGetItem":
        for table, asked in body["RequestItems"].items():
            consistent = bool(asked.get("ConsistentRead"))
            yield from (_Named(table, key, "Get", consistent) for key in asked["Keys"])
    elif operation == "BatchWriteItem":
        for table, entries in body["RequestItems"].items():
            parts = [part for entry in entries for part in entry.items()]
            yield from (_Named(table, _item(part), action.removesuffix("Request")) for action, part in parts)


def _item(part: Mapping[str, Any]) -> Mapping[str, Any]:
    item: Mapping[str, Any] = part["Item"] if "Item" in part else part["Key"]
    return item


def write_units(table: Table, before: Item | None, after: Item | None) -> float:
    """Units of one write in the table and its indexes."""
    units = float(_begun(max(item_size(before), item_size(after)), WRITE_BYTES))
    for index in table.all_indexes():
        if index not in table.global_indexes:
            continue
        old, new = _entry(table, index, before), _entry(table, index, after)
        if old == new:
            continue
        size = max(attributes_size(old or {}), attributes_size(new or {}))
        moved = old is not None and new is not None and any(old[name] != new[name] for name in index.schema_key_attrs)
        units += _begun(size, WRITE_BYTES) * (2 if moved else 1)
    return units


def read_units(size: int, *, consistent: bool) -> float:
    """Units of a read of so many bytes."""
    return _begun(size, READ_BYTES) * (1.0 if consistent else 0.5)


def examined_size(table: Table, items: Iterable[Item], index_name: str | None) -> int:
    """Bytes that a query examined: of items, or of their entries in an index."""
    if index_name is None:
        return sum(item_size(item) for item in items)
    index = next(each for each in table.all_indexes() if each.name == index_name)
    return sum(attributes_size(_entry(table, index, item) or {}) for item in items)


def stored_bytes(table: Table, item: Item | None) -> int:
    """Bytes stored for an item, in the table and in the indexes that it is in."""
    if item is None:
        return 0
    entries = (_entry(table, index, item) for index in table.global_indexes)
    indexed = sum(attributes_size(entry) + ENTRY_OVERHEAD_BYTES for entry in entries if entry is not None)
    return item_size(item) + ENTRY_OVERHEAD_BYTES + indexed


def item_size(item: Item | None) -> int:
    """Bytes of an item: of its names and values."""
    return 0 if item is None else attributes_size(item.attrs)


def attributes_size(attributes: Attributes) -> int:
    """Bytes of attributes: UTF-8 of the names, and the values."""
    return sum(len(name.encode()) + _value_size(value) for name, value in attributes.items())


def _value_size(value: DynamoType) -> int:
    kind, held = value.type, value.value
    if kind == "S":
        return len(held.encode())
    if kind == "N":
        return len(str(held).strip("-+.0")) // 2 + 2
    if kind == "B":
        return len(held) if isinstance(held, bytes) else len(held) * 3 // 4
    if kind in ("SS", "NS", "BS"):
        return sum(_value_size(DynamoType({kind[0]: each})) for each in held)
    if kind == "L":
        return 3 + sum(1 + _value_size(each) for each in held)
    if kind == "M":
        return 3 + sum(1 + len(name.encode()) + _value_size(each) for name, each in held.items())
    return 1


def _entry(table: Table, index: Any, item: Item | None) -> dict[str, DynamoType] | None:
    """An item's entry in an index; None where it has none."""
    if item is None or any(name not in item.attrs for name in index.schema_key_attrs):
        return None
    kind = (index.projection or {}).get("ProjectionType", "ALL")
    if kind == "ALL":
        return dict(item.attrs)
    names = {*index.schema_key_attrs, *table.table_key_attrs}
    if kind == "INCLUDE":
        names |= set(index.projection.get("NonKeyAttributes", ()))
    return {name: value for name, value in item.attrs.items() if name in names}


def _begun(size: int, step: int) -> int:
    return max(1, math.ceil(size / step))


def measure(
    operation: str,
    body: Mapping[str, Any],
    tables: Mapping[str, Table],
    before: Mapping[tuple[str, str], Item | None],
    examined: int | None,
    *,
    done: bool,
) -> Request:
    """Return what a request used, after it was answered. `examined` is in bytes, `done` true if it took effect.

    `before` has the items that it may have changed, as they were, by table and `values_text` of their keys.
    """
    request = Request(operation)
    factor = 2.0 if operation.startswith("Transact") else 1.0
    for named in _named_items(operation, body):
        table = tables[named.table]
        now = _find(table, named.item)
        request.keys.append(named.item)
        if named.action == "Get":
            request.reads += factor * read_units(item_size(now), consistent=named.consistent)
        elif named.action == "ConditionCheck" or not done:
            request.writes += factor * _begun(item_size(now), WRITE_BYTES)
        else:
            was = before.get((named.table, key_text(table, named.item)))
            request.writes += factor * write_units(table, was, now)
            request.grown_bytes += stored_bytes(table, now) - stored_bytes(table, was)
            if was is not None and now is None:
                request.deleted.append(named.item)
    if examined is not None:
        request.reads += read_units(examined, consistent=bool(body.get("ConsistentRead")))
        request.keys += [{"pk": value} for value in body.get("ExpressionAttributeValues", {}).values()]
    return request


def key_text(table: Table, named: Mapping[str, Any]) -> str:
    """An item's key as text, from the item or its key in DynamoDB's JSON."""
    return "\0".join(str(next(iter(named[name].values()))) for name in table.table_key_attrs)


def values_text(hash_key: DynamoType, range_key: DynamoType | None) -> str:
    """The same text as `key_text` gives, from the values of a key."""
    return "\0".join(str(key.value) for key in (hash_key, range_key) if key is not None)


def _find(table: Table, named: Mapping[str, Any]) -> Item | None:
    if any(name not in named for name in table.table_key_attrs):
        return None  # moto refuses such a request
    range_key = DynamoType(named[table.range_key_attr]) if table.range_key_attr else None
    return table.get_item(DynamoType(named[table.hash_key_attr]), range_key)
