"""DynamoDB that may be relied upon: moto's tables behind one lock, with undo, a journal, streams and indexes.

As it is, moto copies whole tables for every transaction and puts the copies back when one is refused, over what others
wrote meanwhile; it leaves half an update behind when one fails; it answers with rows that others go on changing; and it
sorts a whole table for every query. Here each request runs alone, its rows are remembered before they change, and it
either takes effect as a whole (memory, journal and stream records) or leaves no trace.
"""

import copy
import inspect
import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

from moto.core.serialize import BaseJSONSerializer
from moto.dynamodb.models import DynamoDBBackend, dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import SecondaryIndex, StreamRecord, StreamShard, Table
from moto.dynamodb.models.utilities import dynamo_json_dump
from moto.dynamodb.responses import DynamoHandler

from wainwright.local.errors import LocalError
from wainwright.local.journal import Journal, RowChange
from wainwright.local.partitions import Condition, Page, Partitions
from wainwright.local.patches import Patches
from wainwright.local.request_units import Request, examined_size, measure, values_text
from wainwright.local.template import ACCOUNT_ID, REGION, STREAM_LABEL

_RECORDS_KEPT = 10_000
_FILTERED_BYTES = 512
"""Assumed size of an item that a filter left out, where the query found no other to go by."""
_QUERY = inspect.signature(Table.query)
_TTL_PRINCIPAL = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}


class Stream(StreamShard):
    """A table's stream: one shard that keeps the newest records and tells readers when there are more."""

    def __init__(self, table: Table) -> None:
        super().__init__(table.account_id, table)
        self.changed = threading.Condition()
        # Later than any number of an earlier run, so that readers may use it as an identity.
        self.starting_sequence_number = time.time_ns() // 1_000

    def add(self, old: Item | None, new: Item | None) -> None:
        """Nothing: records are made when the whole request has succeeded, one for each row that changed."""

    def append(self, record: StreamRecord) -> None:
        """Publish a record to the readers."""
        with self.changed:
            self.items.append(record)
            if (surplus := len(self.items) - _RECORDS_KEPT) > 0:
                del self.items[:surplus]
                self.starting_sequence_number += surplus
            self.changed.notify_all()

    @property
    def next_sequence(self) -> int:
        """The sequence number that the next record will have."""
        return self.starting_sequence_number + len(self.items)

    def get(self, start: int, quantity: int) -> list[dict[str, Any]]:
        """Up to `quantity` records from a sequence number on."""
        first = max(0, start - self.starting_sequence_number)
        return [record.to_json() for record in self.items[first : first + quantity]]


@dataclass(slots=True)
class _Touched:
    table: Table
    hash_key: DynamoType
    range_key: DynamoType | None
    before: Item | None


class SafeDynamoDB:
    """Makes moto's DynamoDB safe, and keeps its rows in the journal."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._lock = threading.RLock()
        self._touched: dict[tuple[str, str], _Touched] = {}
        self._candidates: list[Item] | None = None
        self._examined: int | None = None
        self.observer: Callable[[Request], None] | None = None
        """Told of every request and what it used, by the thread that makes it."""
        # By the table itself: another of the same name may take its place.
        self._partitions: WeakKeyDictionary[Table, dict[str | None, Partitions | None]] = WeakKeyDictionary()
        self._journalled_streams: set[str] = set()
        self._backend: DynamoDBBackend = dynamodb_backends[ACCOUNT_ID][REGION]

    def install(self, patches: Patches) -> None:
        """Put this in moto's place until the patches are undone."""
        patches.wrap(DynamoHandler, "call_action", self._request)
        patches.wrap(Table, "put_item", self._put)
        patches.wrap(Table, "delete_item", self._delete)
        patches.wrap(Table, "query", self._query)
        patches.wrap(Table, "all_items", self._all_items)
        patches.wrap(DynamoDBBackend, "update_item", self._update)
        # moto's own transaction copies tables and puts the copies back; undoing is ours, so a copy is the table itself.
        patches.replace(Table, "__deepcopy__", lambda table, _memo: table)
        patches.wrap(BaseJSONSerializer, "_serialize_type_structure", _serialize_structure)
        meant: Any = vars(DynamoType)["cast_value"]
        patches.replace(DynamoType, "cast_value", property(partial(_cast_value, meant)))

    def adopt(self, name: str, *, journal_stream: bool) -> Stream | None:
        """Take over a table that was just created; `journal_stream` keeps its unread stream records over a restart."""
        table = self._backend.get_table(name)
        if table.stream_shard is None:
            return None
        stream = Stream(table)
        table.stream_shard = stream
        table.latest_stream_label = STREAM_LABEL
        if journal_stream:
            self._journalled_streams.add(name)
        return stream

    def stream(self, name: str) -> Stream:
        """The stream of a table."""
        shard = self._backend.get_table(name).stream_shard
        if not isinstance(shard, Stream):
            raise LocalError(f"the table {name} has no stream: give it a StreamSpecification in the infrastructure")
        return shard

    def restore(self) -> int:
        """Put the journalled rows into the tables; returns how many there were.

        Raises:
            LocalError: the journal holds rows of a table that the template no longer has.
        """
        count = 0
        with self._lock:
            for name, attributes in self._journal.rows():
                if name not in self._backend.tables:
                    raise LocalError(
                        f"the data directory {self._journal.data_dir} holds rows of the table {name}, which this version "
                        "does not have: start with another data directory, or remove this one to start again"
                    )
                table = self._backend.tables[name]
                hash_key = DynamoType(attributes[table.hash_key_attr])
                range_key = DynamoType(attributes[table.range_key_attr]) if table.range_key_attr else None
                _store(table, hash_key, range_key, item := Item(hash_key, range_key, attributes))
                self._reindex(table, None, item)
                count += 1
        return count

    def unread(self, name: str) -> list[dict[str, Any]]:
        """Stream records of an earlier run that no reader had passed, oldest first."""
        return [json.loads(record) for _, record in self._journal.records(name)]

    def forget(self, name: str, up_to: int) -> None:
        """A reader has passed these stream records."""
        if name in self._journalled_streams:
            self._journal.forget_records(name, up_to)

    def expire(self, now: float) -> int:
        """Delete the rows whose time to live has passed; returns how many."""
        count = 0
        with self._lock:
            for table in self._backend.tables.values():
                attribute = table.ttl.get("AttributeName")
                if table.ttl["TimeToLiveStatus"] != "ENABLED" or attribute is None:
                    continue
                for item in table.all_items():
                    expiry = item.attrs.get(attribute)
                    if expiry is not None and expiry.type == "N" and float(expiry.value) < now:
                        table.delete_item(item.hash_key, item.range_key)
                        count += 1
            self._commit(user_identity=_TTL_PRINCIPAL)
        return count

    def _request(self, original: Callable[..., Any], handler: DynamoHandler) -> Any:
        with self._lock:
            self._touched.clear()
            self._examined = None
            try:
                answer = original(handler)
                before = self._touched.copy()
                if done := int(answer[0]) < 400:
                    self._commit()
                else:
                    self._undo()
            except BaseException:
                self._undo()
                raise
            used = self._measure(handler, before, done=done) if self.observer is not None else None
        if self.observer is not None and used is not None:
            self.observer(used)
        return answer

    def _measure(self, handler: DynamoHandler, touched: Mapping[tuple[str, str], _Touched], *, done: bool) -> Request:
        before = {
            (each.table.name, values_text(each.hash_key, each.range_key)): each.before for each in touched.values()
        }
        operation = handler.headers["x-amz-target"].rpartition(".")[2]
        return measure(operation, handler.body, self._backend.tables, before, self._examined, done=done)

    def _commit(self, user_identity: dict[str, str] | None = None) -> None:
        rows: list[RowChange] = []
        records: list[tuple[Stream, StreamRecord]] = []
        journalled: list[tuple[str, int, str]] = []
        ahead: dict[str, int] = defaultdict(int)
        changes = [
            (identity, each, each.table.get_item(each.hash_key, each.range_key))
            for identity, each in self._touched.items()
        ]
        for (name, key), touched, after in changes:
            if touched.before == after if touched.before is not None and after is not None else touched.before is after:
                continue
            rows.append(RowChange(name, key, None if after is None else _attributes(after)))
            stream = touched.table.stream_shard
            if isinstance(stream, Stream):
                sequence = stream.next_sequence + ahead[name]
                record = _record(touched, after, sequence, user_identity)
                ahead[name] += 1
                records.append((stream, record))
                if name in self._journalled_streams:
                    journalled.append((name, sequence, dynamo_json_dump(record.to_json())))
        if rows:
            self._journal.write(rows, journalled)
        for _, touched, after in changes:
            self._reindex(touched.table, touched.before, after)
        self._touched.clear()
        for stream, record in records:
            stream.append(record)

    def _undo(self) -> None:
        for touched in self._touched.values():
            _store(touched.table, touched.hash_key, touched.range_key, touched.before)
            self._reindex(touched.table, touched.before, touched.before)
        self._touched.clear()

    def _touch(self, table: Table, hash_key: DynamoType, range_key: DynamoType | None) -> None:
        identity = (table.name, _key(hash_key, range_key))
        if identity not in self._touched:
            before = copy.deepcopy(table.get_item(hash_key, range_key))
            self._touched[identity] = _Touched(table, hash_key, range_key, before)

    def _touch_named(self, table: Table, attributes: dict[str, Any]) -> None:
        if all(name in attributes for name in table.table_key_attrs):
            range_key = DynamoType(attributes[table.range_key_attr]) if table.range_key_attr else None
            self._touch(table, DynamoType(attributes[table.hash_key_attr]), range_key)

    def _put(
        self, original: Callable[..., Any], table: Table, item_attrs: dict[str, Any], *args: Any, **kw: Any
    ) -> Any:
        self._touch_named(table, item_attrs)
        return original(table, item_attrs, *args, **kw)

    def _delete(
        self, original: Callable[..., Any], table: Table, hash_key: DynamoType, range_key: DynamoType | None
    ) -> Any:
        self._touch(table, hash_key, range_key)
        return original(table, hash_key, range_key)

    def _update(
        self,
        original: Callable[..., Any],
        backend: DynamoDBBackend,
        table_name: str,
        key: dict[str, Any],
        *args: Any,
        **kw: Any,
    ) -> Any:
        self._touch_named(backend.get_table(table_name), key)
        return original(backend, table_name, key, *args, **kw)

    def _query(
        self, original: Callable[..., Any], table: Table, hash_key: DynamoType | None, *args: Any, **kw: Any
    ) -> Any:
        """Let moto look at the rows that a query may come by, instead of at all rows of the table."""
        asked = _QUERY.bind(table, hash_key, *args, **kw).arguments
        index_name = asked.get("index_name")
        self._candidates = self._rows(asked)
        try:
            results, scanned, last = original(table, hash_key, *args, **kw)
        finally:
            self._candidates = None
        if self.observer is not None:
            # Found anew: what was found may be cut to what was asked for, which costs no less.
            found = [item for each in results if (item := table.get_item(each.hash_key, each.range_key)) is not None]
            size = examined_size(table, found, index_name)
            # What a filter left out is as large as the rest, as far as is known here.
            self._examined = size * scanned // len(found) if found else scanned * _FILTERED_BYTES
        return results, scanned, last

    def _rows(self, asked: Mapping[str, Any]) -> list[Item] | None:
        """The rows that a query may come by; None where that is not known."""
        conditions = asked.get("hash_key_conditions") or []
        partitions = self._partitions_of(asked["self"]).get(asked.get("index_name"))
        # The older kind of filter leaves rows out before they are counted.
        if partitions is None or len(conditions) != 1 or asked.get("filter_kwargs"):
            return None
        comparison = asked["range_comparison"]
        condition = None if comparison is None else Condition(comparison, asked["range_objs"])
        forward = asked["scan_index_forward"] is not False
        page = Page(condition, forward, asked["limit"], asked["exclusive_start_key"])
        return partitions.rows(conditions[0][1], page)

    def _all_items(self, original: Callable[..., Any], table: Table) -> Any:
        return original(table) if self._candidates is None else self._candidates

    def _partitions_of(self, table: Table) -> dict[str | None, Partitions | None]:
        """The table's own by None, those of its indexes by their names."""
        found = self._partitions.get(table)
        if found is None:
            found = self._partitions[table] = {None: _filled(table, None)}
        for index in table.all_indexes():
            if index.name not in found:
                found[index.name] = _filled(table, index)
        return found

    def _reindex(self, table: Table, before: Item | None, after: Item | None) -> None:
        for partitions in self._partitions_of(table).values():
            if partitions is not None:
                partitions.replace(before, after)


def _serialize_structure(
    original: Callable[..., None], serializer: Any, serialized: Any, value: Any, shape: Any, key: str
) -> None:
    """An attribute's value has one of ten members: moto looks for each of the others by all names that it might have."""
    if shape.name == "AttributeValue" and key and type(value) is dict and len(value) == 1:
        (kind,) = value
        if (member := shape.members.get(kind)) is not None:
            wrapper: dict[str, Any] = {}
            member.parent = shape
            serializer._serialize_structure_member(wrapper, value, member, kind)  # noqa: SLF001
            serializer._default_serialize(serialized, wrapper, shape, key)  # noqa: SLF001
            return
    original(serializer, serialized, value, shape, key)


def _cast_value(meant: property, value: DynamoType) -> Any:
    """The value to compare and hash by. Most are strings, and moto asks for all other types first."""
    return value.value if value.type == "S" else meant.__get__(value)


def _filled(table: Table, index: SecondaryIndex | None) -> Partitions | None:
    partitions = Partitions.of(table, index)
    if partitions is not None:
        places: Iterable[Any] = table.items.values()
        for place in places:
            for item in place.values() if table.range_key_attr else (place,):
                partitions.replace(None, item)
    return partitions


def _key(hash_key: DynamoType, range_key: DynamoType | None) -> str:
    return dynamo_json_dump([hash_key.to_json(), None if range_key is None else range_key.to_json()])


def _attributes(item: Item) -> dict[str, Any]:
    attributes: dict[str, Any] = json.loads(dynamo_json_dump(item.to_json()["Attributes"]))
    return attributes


def _store(table: Table, hash_key: DynamoType, range_key: DynamoType | None, item: Item | None) -> None:
    place: dict[DynamoType, Any] = table.items if range_key is None else table.items[hash_key]
    key = hash_key if range_key is None else range_key
    if item is None:
        place.pop(key, None)
    else:
        place[key] = item


def _record(touched: _Touched, after: Item | None, sequence: int, user_identity: dict[str, str] | None) -> StreamRecord:
    kind = "INSERT" if touched.before is None else "REMOVE" if after is None else "MODIFY"
    view: Iterable[str] = (touched.table.stream_specification or {}).get("StreamViewType", "KEYS_ONLY")
    record = StreamRecord(touched.table, str(view), kind, touched.before, copy.deepcopy(after), sequence)
    record.record["awsRegion"] = touched.table.region_name
    if user_identity is not None:
        record.record["userIdentity"] = user_identity
    return record
