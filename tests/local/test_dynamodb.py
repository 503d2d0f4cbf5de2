"""Tables that lose nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from wainwright.local.dynamodb import SafeDynamoDB
from wainwright.local.errors import LocalError
from wainwright.local.journal import Journal
from wainwright.local.patches import Patches

REGION = "us-east-1"


class Tables:
    """A safe DynamoDB with one table over a data directory."""

    def __init__(self, data_dir: Path) -> None:
        self.stack = ExitStack()
        mock = mock_aws()
        mock.start()
        self.stack.callback(mock.stop)
        self.journal = Journal(data_dir)
        self.stack.callback(self.journal.close)
        self.dynamodb = SafeDynamoDB(self.journal)
        patches = Patches()
        self.stack.push(patches)
        self.dynamodb.install(patches)
        self.client: Any = boto3.client("dynamodb", region_name=REGION)
        self.client.create_table(
            TableName="shop",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "group")],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "by-group",
                    "KeySchema": [
                        {"AttributeName": "group", "KeyType": "HASH"},
                        {"AttributeName": "sk", "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        )
        stream = self.dynamodb.adopt("shop", journal_stream=True)
        assert stream is not None
        self.stream = stream

    def put(self, pk: str, sk: str, **attributes: dict[str, Any]) -> None:
        self.client.put_item(TableName="shop", Item={"pk": {"S": pk}, "sk": {"S": sk}, **attributes})

    def get(self, pk: str, sk: str) -> dict[str, Any] | None:
        item: dict[str, Any] | None = self.client.get_item(
            TableName="shop", Key={"pk": {"S": pk}, "sk": {"S": sk}}
        ).get("Item")
        return item

    def group(self, name: str) -> list[str]:
        answer = self.client.query(
            TableName="shop",
            IndexName="by-group",
            KeyConditionExpression="#g = :g",
            ExpressionAttributeNames={"#g": "group"},
            ExpressionAttributeValues={":g": {"S": name}},
        )
        return [item["sk"]["S"] for item in answer["Items"]]

    def journalled(self) -> dict[tuple[str, str], dict[str, Any]]:
        return {(item["pk"]["S"], item["sk"]["S"]): item for _, item in self.journal.rows()}

    def changes(self) -> list[tuple[str, str]]:
        records = [record.to_json() for record in self.stream.items]
        return [(record["eventName"], record["dynamodb"]["Keys"]["sk"]["S"]) for record in records]


@pytest.fixture
def tables(tmp_path: Path) -> Iterator[Tables]:
    made = Tables(tmp_path / "data")
    with made.stack:
        yield made


def refused_put(sk: str) -> dict[str, Any]:
    return {
        "Put": {
            "TableName": "shop",
            "Item": {"pk": {"S": "refused"}, "sk": {"S": sk}, "group": {"S": "refused"}},
            "ConditionExpression": "attribute_exists(pk)",
        }
    }


def increment(by: int = 1) -> dict[str, Any]:
    return {
        "Update": {
            "TableName": "shop",
            "Key": {"pk": {"S": "counter"}, "sk": {"S": "0"}},
            "UpdateExpression": "SET n = n + :one",
            "ExpressionAttributeValues": {":one": {"N": str(by)}},
        }
    }


def test_loses_no_acknowledged_write_under_threads(tables: Tables) -> None:
    tables.put("counter", "0", n={"N": "0"})
    threads, rounds = 8, 40
    acknowledged: list[str] = []
    refused: list[str] = []

    def work(thread: int) -> None:
        client: Any = boto3.session.Session().client("dynamodb", region_name=REGION)
        for round_ in range(rounds):
            name = f"{thread}-{round_}"
            if round_ % 4 == 0:
                try:
                    client.transact_write_items(TransactItems=[increment(), refused_put(name)])
                except client.exceptions.TransactionCanceledException:
                    refused.append(name)
            elif round_ % 4 == 1:
                client.put_item(TableName="shop", Item={"pk": {"S": "single"}, "sk": {"S": name}})
                acknowledged.append(name)
            else:
                put = {"Put": {"TableName": "shop", "Item": {"pk": {"S": "pair"}, "sk": {"S": name}}}}
                client.transact_write_items(TransactItems=[increment(), put])
                acknowledged.append(name)

    running = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()

    transactions = threads * rounds // 2
    assert len(refused) == threads * rounds // 4
    assert len(acknowledged) == threads * rounds * 3 // 4
    counter = tables.get("counter", "0")
    assert counter is not None
    assert counter["n"] == {"N": str(transactions)}
    journalled = tables.journalled()
    assert {sk for pk, sk in journalled if pk in ("single", "pair")} == set(acknowledged)
    assert journalled["counter", "0"]["n"] == {"N": str(transactions)}
    assert not [key for key in journalled if key[0] == "refused"]


def test_a_refused_transaction_leaves_no_trace(tables: Tables) -> None:
    tables.put("counter", "0", n={"N": "5"})
    before = tables.changes()
    delete = {"Delete": {"TableName": "shop", "Key": {"pk": {"S": "absent"}, "sk": {"S": "1"}}}}
    with pytest.raises(tables.client.exceptions.TransactionCanceledException) as refusal:
        tables.client.transact_write_items(TransactItems=[increment(3), delete, refused_put("x")])
    reasons = refusal.value.response["CancellationReasons"]
    assert [reason["Code"] for reason in reasons] == ["None", "None", "ConditionalCheckFailed"]
    assert tables.get("counter", "0") == {"pk": {"S": "counter"}, "sk": {"S": "0"}, "n": {"N": "5"}}
    assert tables.get("refused", "x") is None
    assert tables.group("refused") == []
    assert tables.changes() == before
    assert set(tables.journalled()) == {("counter", "0")}


def test_a_refused_condition_returns_the_old_row_where_asked(tables: Tables) -> None:
    tables.put("counter", "0", n={"N": "5"})
    check = {
        "ConditionCheck": {
            "TableName": "shop",
            "Key": {"pk": {"S": "counter"}, "sk": {"S": "0"}},
            "ConditionExpression": "n > :nine",
            "ExpressionAttributeValues": {":nine": {"N": "9"}},
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
    }
    with pytest.raises(tables.client.exceptions.TransactionCanceledException) as refusal:
        tables.client.transact_write_items(TransactItems=[check])
    assert refusal.value.response["CancellationReasons"][0]["Item"]["n"] == {"N": "5"}


def test_an_update_that_fails_half_way_changes_nothing(tables: Tables) -> None:
    tables.put("row", "1", a={"S": "old"}, text={"S": "no number"})
    with pytest.raises(tables.client.exceptions.ClientError):
        tables.client.update_item(
            TableName="shop",
            Key={"pk": {"S": "row"}, "sk": {"S": "1"}},
            UpdateExpression="SET a = :new, b = missing + :one",
            ExpressionAttributeValues={":new": {"S": "new"}, ":one": {"N": "1"}},
        )
    assert tables.get("row", "1") == {
        "pk": {"S": "row"},
        "sk": {"S": "1"},
        "a": {"S": "old"},
        "text": {"S": "no number"},
    }


def test_an_update_of_a_new_row_is_one_insert_in_the_stream(tables: Tables) -> None:
    tables.client.update_item(
        TableName="shop",
        Key={"pk": {"S": "row"}, "sk": {"S": "1"}},
        UpdateExpression="SET a = :a",
        ExpressionAttributeValues={":a": {"S": "x"}},
    )
    tables.put("row", "1", a={"S": "x"})
    tables.put("row", "1", a={"S": "y"})
    tables.client.delete_item(TableName="shop", Key={"pk": {"S": "row"}, "sk": {"S": "1"}})
    assert tables.changes() == [("INSERT", "1"), ("MODIFY", "1"), ("REMOVE", "1")]
    modified = tables.stream.items[1].to_json()["dynamodb"]
    assert (modified["OldImage"]["a"], modified["NewImage"]["a"]) == ({"S": "x"}, {"S": "y"})


def test_streams_can_be_read_through_the_api(tables: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCOUNT_ID_ENDPOINT_MODE", "disabled")
    tables.put("row", "1")
    client = boto3.session.Session().client("dynamodbstreams", region_name=REGION)
    arn = tables.client.describe_table(TableName="shop")["Table"]["LatestStreamArn"]
    shard = client.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    iterator = client.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON")[
        "ShardIterator"
    ]
    records = client.get_records(ShardIterator=iterator)["Records"]
    assert [record["eventName"] for record in records] == ["INSERT"]


def test_an_index_follows_its_rows(tables: Tables) -> None:
    tables.put("row", "b", group={"S": "one"})
    tables.put("row", "a", group={"S": "one"})
    tables.put("row", "none")
    assert tables.group("one") == ["a", "b"]
    tables.put("row", "a", group={"S": "two"})
    tables.client.delete_item(TableName="shop", Key={"pk": {"S": "row"}, "sk": {"S": "b"}})
    assert (tables.group("one"), tables.group("two")) == ([], ["a"])


def test_a_query_reads_its_partition_in_pages_and_in_order(tables: Tables) -> None:
    for number in (3, 1, 2, 5, 4):
        tables.put("mine", str(number))
        tables.put("other", str(number))
    pages: list[str] = []
    start: dict[str, Any] = {}
    while True:
        answer = tables.client.query(
            TableName="shop",
            KeyConditionExpression="pk = :p",
            ExpressionAttributeValues={":p": {"S": "mine"}},
            ScanIndexForward=False,
            Limit=2,
            **start,
        )
        pages.append("".join(item["sk"]["S"] for item in answer["Items"]))
        if "LastEvaluatedKey" not in answer:
            break
        start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
    assert "".join(pages) == "54321"


def test_expired_rows_go_and_say_so_in_the_stream(tables: Tables) -> None:
    tables.client.update_time_to_live(
        TableName="shop", TimeToLiveSpecification={"AttributeName": "expiresAt", "Enabled": True}
    )
    tables.put("row", "old", expiresAt={"N": "100"})
    tables.put("row", "new", expiresAt={"N": "300"})
    tables.put("row", "kept")
    assert tables.dynamodb.expire(200.0) == 1
    assert set(tables.journalled()) == {("row", "new"), ("row", "kept")}
    assert tables.stream.items[-1].to_json()["userIdentity"]["principalId"] == "dynamodb.amazonaws.com"


def test_restores_rows_of_every_type_with_their_indexes(tmp_path: Path) -> None:
    attributes: dict[str, Any] = {
        "bytes": {"B": b"\x00\xff"},
        "deep": {"M": {"list": {"L": [{"BS": [b"\xfe"]}, {"N": "1.50"}, {"NULL": True}, {"BOOL": False}]}}},
        "set": {"SS": ["a", "b"]},
        "group": {"S": "one"},
    }
    first = Tables(tmp_path / "data")
    with first.stack:
        first.put("row", "1", **attributes)
    second = Tables(tmp_path / "data")
    with second.stack:
        assert second.dynamodb.restore() == 1
        assert second.get("row", "1") == {"pk": {"S": "row"}, "sk": {"S": "1"}, **attributes}
        assert second.group("one") == ["1"]
        assert [record["eventName"] for record in second.dynamodb.unread("shop")] == ["INSERT"]


def test_refuses_rows_of_a_table_that_is_gone(tmp_path: Path) -> None:
    first = Tables(tmp_path / "data")
    with first.stack:
        first.put("row", "1")
    second = Tables(tmp_path / "data")
    with second.stack:
        second.client.delete_table(TableName="shop")
        with pytest.raises(LocalError, match="rows of the table shop"):
            second.dynamodb.restore()
