"""The one table as the stores use it: rows by key, partitions, transactions, batches; no scans."""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from wainwright.adapters.aws.items import Item, text
from wainwright.adapters.aws.transactions import BASE_SECONDS, TRIES, attempt_until_clear
from wainwright.domain.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MOST_OPERATIONS = 100
"""Rows that one transaction may touch: DynamoDB's own bound."""

READ_BATCH, WRITE_BATCH = 100, 25
"""Rows that one batch may read and write: DynamoDB's own bounds."""


class Rows:
    """The rows of one table."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def get(self, key: Item) -> Any:
        """One row, read consistently, or None."""
        return self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")

    def ask(self, **request: Any) -> Any:
        """One ``Query``, as it is answered."""
        return self._client.query(TableName=self._table, **request)

    def partition(self, partition: str, prefix: str = "", *, most: int | None = None, **more: Any) -> list[Any]:
        """All rows of a partition whose sort key starts so, or the first ``most``; read consistently, page by page.

        With ``most`` no more than so many are read at first, and twice as many each time that a filter passed over some.
        """
        values = {":pk": text(partition)} | more.pop("ExpressionAttributeValues", {})
        condition = "pk = :pk"
        if prefix:
            values[":prefix"] = text(prefix)
            condition += " AND begins_with(sk, :prefix)"
        return self._pages(most, KeyConditionExpression=condition, ExpressionAttributeValues=values, **more)

    def between(self, partition: str, first: str, last: str) -> list[Any]:
        """All rows of a partition from one sort key to another, both included; read consistently, page by page."""
        values = {":pk": text(partition), ":first": text(first), ":last": text(last)}
        condition = "pk = :pk AND sk BETWEEN :first AND :last"
        return self._pages(None, KeyConditionExpression=condition, ExpressionAttributeValues=values)

    def of_index(self, index: str, condition: str, values: Item, most: int) -> list[Any]:
        """The first rows of an index for which a key condition holds, page by page. An index lags behind the rows."""
        return self._pages(
            most, IndexName=index, ConsistentRead=False, KeyConditionExpression=condition,
            ExpressionAttributeValues=values,
        )  # fmt: skip

    def _pages(self, most: int | None, **request: Any) -> list[Any]:
        rows: list[Any] = []
        more: dict[str, Any] = {} if most is None else {"Limit": most}
        while True:
            answer = self.ask(**{"ConsistentRead": True} | request | more)
            rows += answer["Items"]
            last = answer.get("LastEvaluatedKey")
            if last is None or (most is not None and len(rows) >= most):
                return rows[:most]
            more["ExclusiveStartKey"] = last
            if most is not None:
                more["Limit"] *= 2

    def get_all(self, keys: Sequence[Item]) -> list[Any]:
        """Those of the rows that there are, read consistently, in no order.

        Raises:
            Unavailable: the database was too busy to answer for all.
        """
        found: list[Any] = []
        for batch in _batches(keys, READ_BATCH):
            self._until_done(batch, lambda left: self._get_batch(left, found))
        return found

    def _get_batch(self, keys: Sequence[Any], found: list[Any]) -> Sequence[Any]:
        request: Any = {self._table: {"Keys": keys, "ConsistentRead": True}}
        answer = self._client.batch_get_item(RequestItems=request)
        found += answer["Responses"].get(self._table, [])
        left: Any = answer.get("UnprocessedKeys", {})
        return left[self._table]["Keys"] if left else ()

    def commit(self, operations: Sequence[dict[str, Any]]) -> None:
        """Do all of these (``Put``, ``Update``, ``Delete``, ``ConditionCheck``) or none; raises as attempt_until_clear.

        A single ``Put`` is no transaction, which would cost twice as much.
        """
        if len(operations) > MOST_OPERATIONS:
            raise ValueError(f"{len(operations)} rows in one transaction, more than {MOST_OPERATIONS}")
        for operation in operations:
            for request in operation.values():
                request["TableName"] = self._table
        if len(operations) == 1 and "Put" in operations[0]:
            put = operations[0]["Put"]
            attempt_until_clear(lambda: self._client.put_item(**put))
        else:
            transaction: Any = list(operations)
            attempt_until_clear(lambda: self._client.transact_write_items(TransactItems=transaction))

    def update(self, key: Item, expression: str, values: Item, **more: Any) -> Any:
        """Update one row; returns what ``ReturnValues`` asks for, raises as attempt_until_clear."""
        answer = attempt_until_clear(
            lambda: self._client.update_item(
                TableName=self._table, Key=key, UpdateExpression=expression, ExpressionAttributeValues=values, **more
            )
        )
        return answer.get("Attributes")

    def remove(self, key: Item, condition: str, values: Item, **more: Any) -> None:
        """Delete one row under a condition; raises as attempt_until_clear."""
        attempt_until_clear(
            lambda: self._client.delete_item(
                TableName=self._table, Key=key, ConditionExpression=condition, ExpressionAttributeValues=values, **more
            )
        )

    def put_all(self, items: Iterable[Item]) -> None:
        """Write rows without conditions, in batches. Raises as :meth:`get_all`."""
        self._write_all([{"PutRequest": {"Item": item}} for item in items])

    def remove_all(self, keys: Iterable[Item]) -> None:
        """Delete rows without conditions, in batches. Raises as :meth:`get_all`."""
        self._write_all([{"DeleteRequest": {"Key": key}} for key in keys])

    def _write_all(self, requests: Sequence[Any]) -> None:
        for batch in _batches(requests, WRITE_BATCH):
            self._until_done(batch, self._write_batch)

    def _write_batch(self, requests: Sequence[Any]) -> Sequence[Any]:
        request: Any = {self._table: requests}
        return self._client.batch_write_item(RequestItems=request).get("UnprocessedItems", {}).get(self._table, ())

    def _until_done(self, batch: Sequence[Any], step: Callable[[Sequence[Any]], Sequence[Any]]) -> None:
        """Take a step with what the step before left, a little later each time: a batch may be served in part."""
        for number in range(TRIES):
            left = batch
            batch = attempt_until_clear(lambda left=left: step(left))  # type: ignore[misc]  # bound at once
            if not batch:
                return
            time.sleep(min(0.5, BASE_SECONDS * 2**number))
        raise Unavailable("the database was too busy", advice="Send the same request again.")


def _batches(rows: Sequence[Any], size: int) -> Iterable[list[Any]]:
    return (list(rows[start : start + size]) for start in range(0, len(rows), size))
