"""Queries answered as moto answers them, from fewer rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto import mock_aws
from moto.dynamodb.models.table import Table

from wainwright.local.dynamodb import SafeDynamoDB
from wainwright.local.journal import Journal
from wainwright.local.patches import Patches

REGION = "us-east-1"
TYPES = {"pk": "S", "sk": "S", "group": "S", "rank": "N", "name": "S"}
INDEXES = {
    "by-rank": ("group", "rank"),
    "by-name": ("group", "name"),
    "by-group": ("group", None),
    "mine": ("pk", "name"),
}
SORT_KEYS: dict[str | None, str] = {None: "sk", "by-rank": "rank", "by-name": "name", "mine": "name"}
TEXT = ["a", "ab", "abc", "b", "é", "z", "\U0001f600"]
NUMBERS = ["-3", "0", "1", "1.0", "1.5", "10", "2"]


def schema(hash_name: str, range_name: str | None) -> list[dict[str, str]]:
    keys = [{"AttributeName": hash_name, "KeyType": "HASH"}]
    return keys + ([{"AttributeName": range_name, "KeyType": "RANGE"}] if range_name else [])


class Shop:
    """A table with indexes of several kinds, which is safe while it is watched."""

    def __init__(self, folder: Path) -> None:
        self.journal = Journal(folder)
        self.client: Any = boto3.client("dynamodb", region_name=REGION)

    @contextmanager
    def safe(self) -> Iterator[SafeDynamoDB]:
        dynamodb = SafeDynamoDB(self.journal)
        with Patches() as patches:
            dynamodb.install(patches)
            yield dynamodb

    def create(self) -> None:
        projection = {"Projection": {"ProjectionType": "ALL"}}
        made = {name: {"IndexName": name, "KeySchema": schema(*keys), **projection} for name, keys in INDEXES.items()}
        self.client.create_table(
            TableName="shop",
            KeySchema=schema("pk", "sk"),
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": kind} for name, kind in TYPES.items()],
            LocalSecondaryIndexes=[made.pop("mine")],
            GlobalSecondaryIndexes=list(made.values()),
            BillingMode="PAY_PER_REQUEST",
        )

    def pages(self, query: Mapping[str, Any], most: int = 6) -> list[Mapping[str, Any]]:
        """The answers to a query and to those after it."""
        found: list[Mapping[str, Any]] = []
        start: dict[str, Any] = {}
        while len(found) < most:
            answer = self.client.query(TableName="shop", **query, **start)
            found.append({name: answer.get(name) for name in ("Items", "Count", "ScannedCount", "LastEvaluatedKey")})
            if "LastEvaluatedKey" not in answer:
                break
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
        return found


@contextmanager
def shop() -> Iterator[Shop]:
    with TemporaryDirectory() as name, mock_aws():
        made = Shop(Path(name))
        made.create()
        try:
            yield made
        finally:
            made.journal.close()


def value(name: str) -> st.SearchStrategy[dict[str, str]]:
    known = ["one", "two"] if name in ("pk", "group") else NUMBERS if TYPES[name] == "N" else TEXT
    return st.sampled_from(known).map(lambda each: {TYPES[name]: each})


ROWS = st.fixed_dictionaries(
    {"pk": value("pk"), "sk": value("sk")},
    optional={name: value(name) for name in ("group", "rank", "name")} | {"size": st.just({"N": "1"})},
)
CHANGES = st.lists(st.tuples(st.sampled_from([*["put"] * 6, "delete", "refused"]), ROWS), min_size=15, max_size=40)


@st.composite
def queries(draw: st.DrawFn) -> dict[str, Any]:
    index = draw(st.sampled_from([None, *INDEXES]))
    hash_name = "pk" if index is None else INDEXES[index][0]
    names, values = {"#h": hash_name}, {":h": draw(value(hash_name))}
    asked = "#h = :h"
    sort_name = SORT_KEYS.get(index)
    if sort_name is not None and draw(st.booleans()):
        names["#s"] = sort_name
        forms = ["#s = :a", "#s < :a", "#s <= :a", "#s > :a", "#s >= :a", "#s BETWEEN :a AND :b"]
        form = draw(st.sampled_from([*forms, "begins_with(#s, :a)"] if TYPES[sort_name] == "S" else forms))
        values |= {name: draw(value(sort_name)) for name in (":a", ":b") if name in form}
        asked = f"{asked} AND {form}"
    more: dict[str, Any] = {} if index is None else {"IndexName": index}
    if draw(st.booleans()):
        more["Limit"] = draw(st.integers(1, 5))
    if draw(st.booleans()):
        more["ScanIndexForward"] = draw(st.booleans())
    if draw(st.integers(0, 3)) == 0:
        names["#f"] = "size"
        more["FilterExpression"] = "attribute_exists(#f)"
    return {
        "KeyConditionExpression": asked,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
        **more,
    }


def test_answers_every_query_as_plain_moto_does() -> None:
    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(changes=CHANGES, asked=st.lists(queries(), min_size=1, max_size=8))
    def check(changes: list[tuple[str, dict[str, Any]]], asked: list[dict[str, Any]]) -> None:
        made.client.delete_table(TableName="shop")
        made.create()
        with made.safe():
            for number, (kind, row) in enumerate(changes):
                if kind == "delete":
                    made.client.delete_item(TableName="shop", Key={name: row[name] for name in ("pk", "sk")})
                elif kind == "refused":
                    refused(made, row)
                else:
                    made.client.put_item(TableName="shop", Item=row)
                if number == len(changes) // 2:
                    made.pages(asked[0])
            ours = [made.pages(query) for query in asked]
        # Without the patches the same rows are moto's alone.
        assert ours == [made.pages(query) for query in asked]

    with shop() as made:
        check()


def refused(made: Shop, row: Mapping[str, Any]) -> None:
    key = {"pk": {"S": "one"}, "sk": {"S": "never there"}}
    check = {"ConditionCheck": {"TableName": "shop", "Key": key, "ConditionExpression": "attribute_exists(pk)"}}
    with pytest.raises(made.client.exceptions.TransactionCanceledException):
        made.client.transact_write_items(TransactItems=[{"Put": {"TableName": "shop", "Item": row}}, check])


GROUP = {
    "IndexName": "by-rank",
    "KeyConditionExpression": "#g = :g",
    "ExpressionAttributeNames": {"#g": "group"},
    "ExpressionAttributeValues": {":g": {"S": "one"}},
}


def put_ranked(made: Shop, numbers: range, **more: Any) -> None:
    for number in numbers:
        row = {"pk": {"S": "one"}, "sk": {"S": f"{number:04}"}, "group": {"S": "one"}, "rank": {"N": str(number)}}
        made.client.put_item(TableName="shop", Item=row | more)


def test_hands_moto_a_page_of_the_partition_and_one_row_more() -> None:
    handed: list[int] = []
    with shop() as made, made.safe():
        put_ranked(made, range(40))
        meant = Table.all_items

        def all_items(table: Table) -> Any:
            rows = meant(table)
            handed.append(len(rows))
            return rows

        with patch.object(Table, "all_items", all_items):
            first = made.client.query(TableName="shop", Limit=3, ScanIndexForward=False, **GROUP)
            made.client.query(TableName="shop", Limit=3, ExclusiveStartKey=first["LastEvaluatedKey"], **GROUP)
            made.client.query(TableName="shop", **GROUP)
    assert [item["rank"]["N"] for item in first["Items"]] == ["39", "38", "37"]
    assert handed == [4, 2, 40]


def test_an_answer_is_full_at_its_greatest_size() -> None:
    with shop() as made:
        with made.safe():
            put_ranked(made, range(12), text={"S": "x" * 300_000})
            ours = made.pages(GROUP)
            assert [page["Count"] for page in ours] == [3, 3, 3, 3]
        assert ours == made.pages(GROUP)


def test_a_table_made_anew_has_no_rows_of_the_one_before() -> None:
    with shop() as made, made.safe():
        put_ranked(made, range(3))
        made.client.delete_table(TableName="shop")
        made.create()
        assert made.pages(GROUP)[0]["Count"] == 0


def test_rows_that_were_there_before_are_found() -> None:
    with shop() as made:
        put_ranked(made, range(3))
        with made.safe():
            put_ranked(made, range(3, 5))
            assert made.pages(GROUP)[0]["Count"] == 5


def test_an_index_added_later_has_the_rows_of_its_table() -> None:
    with shop() as made, made.safe():
        put_ranked(made, range(3))
        key = {"IndexName": "by-sk", "KeySchema": schema("group", "sk"), "Projection": {"ProjectionType": "ALL"}}
        definitions = [{"AttributeName": name, "AttributeType": kind} for name, kind in TYPES.items()]
        made.client.update_table(
            TableName="shop", AttributeDefinitions=definitions, GlobalSecondaryIndexUpdates=[{"Create": key}]
        )
        assert made.pages(GROUP | {"IndexName": "by-sk"})[0]["Count"] == 3


def test_an_update_that_fails_leaves_its_index_entry_as_it_was() -> None:
    with shop() as made, made.safe():
        put_ranked(made, range(1), text={"S": "no number"})
        with pytest.raises(made.client.exceptions.ClientError):
            made.client.update_item(
                TableName="shop",
                Key={"pk": {"S": "one"}, "sk": {"S": "0000"}},
                UpdateExpression="SET #r = :new, b = missing + :new",
                ExpressionAttributeNames={"#r": "rank"},
                ExpressionAttributeValues={":new": {"N": "7"}},
            )
        assert [item["rank"]["N"] for item in made.pages(GROUP)[0]["Items"]] == ["0"]


@pytest.mark.parametrize("forward", [True, False])
def test_names_a_last_key_wherever_the_partition_goes_on_after_the_range(forward: bool) -> None:
    query: dict[str, Any] = {
        **GROUP,
        "KeyConditionExpression": "#g = :g AND #r BETWEEN :a AND :b",
        "ExpressionAttributeNames": {"#g": "group", "#r": "rank"},
        "ExpressionAttributeValues": {":g": {"S": "one"}, ":a": {"N": "4"}, ":b": {"N": "5"}},
    }
    with shop() as made:
        with made.safe():
            put_ranked(made, range(10))
            ours = made.pages(query | {"Limit": 2, "ScanIndexForward": forward})
        assert ours[0]["LastEvaluatedKey"] is not None
        assert ours == made.pages(query | {"Limit": 2, "ScanIndexForward": forward})
