"""Request units of real requests to a table with an index."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from wainwright.local.dynamodb import SafeDynamoDB
from wainwright.local.journal import Journal
from wainwright.local.patches import Patches
from wainwright.local.request_units import Request

SMALLEST_BYTES = 7
"""The names ``pk``, ``sk`` and ``a``, and a key of one character each."""

REGION = "us-east-1"


class Table:
    """A table whose index holds two keys and ``kind``, and what its last request used."""

    def __init__(self, stack: ExitStack, data_dir: Path) -> None:
        stack.enter_context(mock_aws())
        journal = Journal(data_dir)
        stack.callback(journal.close)
        dynamodb = SafeDynamoDB(journal)
        self.used: list[Request] = []
        dynamodb.observer = self.used.append
        dynamodb.install(stack.enter_context(Patches()))
        self.client: Any = boto3.client("dynamodb", region_name=REGION)
        self.client.create_table(
            TableName="shop",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "group", "due")
            ],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "by-group",
                    "KeySchema": [
                        {"AttributeName": "group", "KeyType": "HASH"},
                        {"AttributeName": "due", "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["kind"]},
                }
            ],
            BillingMode="PAY_PER_REQUEST",
        )

    def put(self, sk: str = "1", **attributes: str) -> Request:
        self.client.put_item(TableName="shop", Item=item(sk, **attributes))
        return self.used[-1]


def item(sk: str = "1", **attributes: str) -> dict[str, Any]:
    return {"pk": {"S": "p"}, "sk": {"S": sk}} | {name: {"S": value} for name, value in attributes.items()}


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Table]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")
    with ExitStack() as stack:
        yield Table(stack, tmp_path / "data")


def test_a_write_costs_a_unit_for_each_kilobyte_begun(table: Table) -> None:
    assert table.put(a="x" * (1_024 - SMALLEST_BYTES)).writes == 1
    assert table.put(sk="2", a="x" * (1_025 - SMALLEST_BYTES)).writes == 2
    assert table.put(sk="3", a="ä" * 1_024).writes == 3, "names and values count in UTF-8"


def test_the_larger_of_two_versions_counts(table: Table) -> None:
    table.put(a="x" * 3_000)

    assert table.put(a="x").writes == 3
    table.put(a="x" * 3_000)
    table.client.delete_item(TableName="shop", Key=item())
    assert table.used[-1].writes == 3
    table.client.delete_item(TableName="shop", Key=item())
    assert table.used[-1].writes == 1, "what is not there costs as much as the smallest item"


def test_an_index_costs_a_unit_more_where_its_entry_changes(table: Table) -> None:
    assert table.put(group="g").writes == 1, "without all of its keys it is not in the index"
    assert table.put(group="g", due="1", kind="k").writes == 2, "it comes"
    assert table.put(group="g", due="1", kind="k", body="b").writes == 1, "the index does not hold that"
    assert table.put(group="g", due="1", kind="l").writes == 2, "it changes"
    assert table.put(group="g", due="2", kind="l").writes == 3, "its key changes: out and in"
    assert table.put().writes == 2, "it goes"


def test_an_update_counts_as_the_item_that_it_leaves(table: Table) -> None:
    table.put(group="g", due="1")

    table.client.update_item(
        TableName="shop",
        Key=item(),
        UpdateExpression="SET a = :a",
        ExpressionAttributeValues={":a": {"S": "x" * 2_000}},
    )

    assert table.used[-1].writes == 2


def test_a_transaction_costs_double_its_checks_and_indexes_too(table: Table) -> None:
    table.put(sk="checked", a="x" * 1_500)
    changes: list[Any] = [
        {"Put": {"TableName": "shop", "Item": item("new", group="g", due="1")}},
        {
            "ConditionCheck": {
                "TableName": "shop", "Key": item("checked"), "ConditionExpression": "attribute_exists(pk)",
            }
        },
    ]  # fmt: skip

    table.client.transact_write_items(TransactItems=changes)

    assert table.used[-1].writes == 2 * (1 + 1) + 2 * 2
    assert {key["sk"]["S"] for key in table.used[-1].keys} == {"new", "checked"}


def test_a_write_that_is_refused_costs_what_is_there(table: Table) -> None:
    table.put(a="x" * 1_500)

    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        table.client.put_item(TableName="shop", Item=item(), ConditionExpression="attribute_not_exists(pk)")

    assert (table.used[-1].writes, table.used[-1].grown_bytes) == (2, 0)


def test_a_batch_costs_the_sum_of_its_writes(table: Table) -> None:
    table.put(sk="old", a="x" * 1_500)
    requests = [{"PutRequest": {"Item": item("new")}}, {"DeleteRequest": {"Key": item("old")}}]

    table.client.batch_write_item(RequestItems={"shop": requests})

    assert table.used[-1].writes == 1 + 2
    assert [key["sk"]["S"] for key in table.used[-1].deleted] == ["old"]


def test_reads_cost_a_unit_for_each_four_kilobytes_and_half_where_they_may_be_old(table: Table) -> None:
    table.put(a="x" * 5_000)

    table.client.get_item(TableName="shop", Key=item(), ConsistentRead=True, ProjectionExpression="pk")
    assert table.used[-1].reads == 2, "what is left out of the answer was read"
    table.client.get_item(TableName="shop", Key=item())
    assert table.used[-1].reads == 1
    table.client.get_item(TableName="shop", Key=item("none"))
    assert table.used[-1].reads == 0.5


def test_items_of_a_batch_are_rounded_one_by_one_and_those_of_a_query_together(table: Table) -> None:
    for number in range(4):
        table.put(sk=str(number), a="x" * 900)

    keys = [item(str(number)) for number in range(4)]
    table.client.batch_get_item(RequestItems={"shop": {"Keys": keys, "ConsistentRead": True}})
    assert table.used[-1].reads == 4

    values = {":p": {"S": "p"}}
    condition: dict[str, Any] = {"KeyConditionExpression": "pk = :p", "ExpressionAttributeValues": values}
    table.client.query(TableName="shop", ConsistentRead=True, ProjectionExpression="sk", **condition)
    assert table.used[-1].reads == 1
    table.client.query(TableName="shop", ConsistentRead=True, Limit=1, **condition)
    assert table.used[-1].reads == 1
    table.client.query(TableName="shop", FilterExpression="sk = :none", ConsistentRead=True, **condition | {
        "ExpressionAttributeValues": values | {":none": {"S": "none"}}
    })  # fmt: skip
    assert table.used[-1].reads >= 1, "what a filter leaves out was read"


def test_a_query_of_an_index_reads_what_the_index_holds(table: Table) -> None:
    for number in range(3):
        table.put(sk=str(number), group="g", due="1", kind="k", body="x" * 4_000)

    table.client.query(
        TableName="shop", IndexName="by-group", KeyConditionExpression="#g = :g",
        ExpressionAttributeNames={"#g": "group"}, ExpressionAttributeValues={":g": {"S": "g"}},
    )  # fmt: skip

    assert table.used[-1].reads == 0.5


def test_tells_by_how_much_the_table_has_grown(table: Table) -> None:
    grown = table.put(a="x" * 100).grown_bytes

    assert grown == SMALLEST_BYTES + 100 + 100
    assert table.put(a="x" * 60).grown_bytes == -40
    table.client.delete_item(TableName="shop", Key=item())
    assert table.used[-1].grown_bytes == 40 - grown
