"""The one table as the stores use it: rows by key, partitions, transactions, batches; no scans."""

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import ClientError

from wainwright.adapters.aws.items import Item, expressions, text
from wainwright.adapters.aws.outages import error_code
from wainwright.domain.errors import Unavailable
from wainwright.ports.updates import jittered_delay

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

T = TypeVar("T")

TRIES = 10
BASE_SECONDS = 0.02
MAX_SECONDS = 0.5

CONDITION_FAILED = "ConditionalCheckFailed"
PASSING = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})
"""Cancellation reasons that another try may not meet."""

_PASSING_ERRORS = frozenset(
    {"TransactionConflictException", "TransactionInProgressException", "ThrottlingException", "InternalServerError",
     "ProvisionedThroughputExceededException", "RequestLimitExceeded"}
)  # fmt: skip

MOST_OPERATIONS = 100
"""Rows that one transaction may touch: DynamoDB's own bound."""

READ_BATCH, WRITE_BATCH = 100, 25
"""Rows that one batch may read and write: DynamoDB's own bounds."""


log = logging.getLogger(__name__)


class Refusal(Exception):
    """A condition did not hold. ``failed`` has the positions of the operations whose conditions did not."""

    def __init__(self, failed: Sequence[int]) -> None:
        super().__init__(f"conditions of operations {list(failed)} did not hold")
        self.failed = frozenset(failed)


class Table:
    """One table. What commits or updates raises Refusal and Unavailable as :func:`attempt_until_clear`."""

    def __init__(self, client: "DynamoDBClient", name: str) -> None:
        self.client = client
        self._name = name

    def get(self, key: Item) -> Any:
        """One row, read consistently, or None."""
        return self.client.get_item(TableName=self._name, Key=key, ConsistentRead=True).get("Item")

    def ask(self, **request: Any) -> Any:
        """One ``Query``, as it is answered."""
        return self.client.query(TableName=self._name, **request)

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
        request: Any = {self._name: {"Keys": keys, "ConsistentRead": True}}
        answer = self.client.batch_get_item(RequestItems=request)
        found += answer["Responses"].get(self._name, [])
        left: Any = answer.get("UnprocessedKeys", {})
        return left[self._name]["Keys"] if left else ()

    def commit(self, operations: Sequence[dict[str, Any]]) -> None:
        """Do all of these (``Put``, ``Update``, ``Delete``, ``ConditionCheck``) or none.

        A single ``Put`` is no transaction, which would cost twice as much.
        """
        if len(operations) > MOST_OPERATIONS:
            raise ValueError(f"{len(operations)} rows in one transaction, more than {MOST_OPERATIONS}")
        for operation in operations:
            for request in operation.values():
                request["TableName"] = self._name
        if len(operations) == 1 and "Put" in operations[0]:
            put = operations[0]["Put"]
            attempt_until_clear(lambda: self.client.put_item(**put))
        else:
            transaction: Any = list(operations)
            attempt_until_clear(lambda: self.client.transact_write_items(TransactItems=transaction))

    def update(self, key: Item, expression: str, values: Item, condition: str = "", **more: Any) -> Any:
        """Update one row; returns what ``ReturnValues`` asks for. ``#name`` in expressions is the attribute ``name``."""
        clauses = {"UpdateExpression": expression} | ({"ConditionExpression": condition} if condition else {})
        request: Any = {"TableName": self._name, "Key": key} | expressions(values, **clauses) | more
        return attempt_until_clear(lambda: self.client.update_item(**request)).get("Attributes")

    def remove(self, key: Item, condition: str = "", values: Item | None = None) -> None:
        """Delete one row, under a condition if one is given."""
        clauses = {"ConditionExpression": condition} if condition else {}
        request: Any = {"TableName": self._name, "Key": key} | expressions(values, **clauses)
        attempt_until_clear(lambda: self.client.delete_item(**request))

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
        request: Any = {self._name: requests}
        return self.client.batch_write_item(RequestItems=request).get("UnprocessedItems", {}).get(self._name, ())

    def _until_done(self, batch: Sequence[Any], step: Callable[[Sequence[Any]], Sequence[Any]]) -> None:
        """Take a step with what the step before left, a little later each time: a batch may be served in part."""
        for number in range(TRIES):
            left = batch
            batch = attempt_until_clear(lambda left=left: step(left))  # type: ignore[misc]  # bound at once
            if not batch:
                return
            time.sleep(min(MAX_SECONDS, BASE_SECONDS * 2**number))
        raise Unavailable("the database was too busy", advice="Send the same request again.")


class TableStore:
    """A store on the one table."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self.table = Table(client, table)


def _batches(rows: Sequence[Any], size: int) -> Iterable[list[Any]]:
    return (list(rows[start : start + size]) for start in range(0, len(rows), size))


def attempt_until_clear(call: Callable[[], T], pause: Callable[[float], None] = time.sleep) -> T:
    """Call until no other transaction is in the way, with full jitter between tries.

    Raises:
        Refusal: a condition of the operation does not hold.
        Unavailable: something was in the way each time.
    """
    for number in range(TRIES):
        try:
            return call()
        except ClientError as error:
            code = error_code(error)
            if code == "ConditionalCheckFailedException":
                raise Refusal([0]) from error
            if code == "TransactionCanceledException":
                answer: Any = error.response
                reasons = [reason.get("Code", "None") for reason in answer.get("CancellationReasons", [])]
                failed = [index for index, reason in enumerate(reasons) if reason == CONDITION_FAILED]
                if failed:
                    raise Refusal(failed) from error
                if not PASSING.intersection(reasons):
                    raise
            elif code not in _PASSING_ERRORS:
                raise
            log.info("in the way of another transaction", extra={"try": number + 1, "code": code})
            pause(jittered_delay(number, BASE_SECONDS, MAX_SECONDS))
    raise Unavailable("the database was busy with conflicting changes", advice="Send the same request again.")
