"""Worker rows in DynamoDB."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from wainwright.adapters.aws.items import key as row_key
from wainwright.adapters.aws.items import text
from wainwright.adapters.aws.transactions import Refusal, attempt_until_clear
from wainwright.domain.workers import WorkerRecord

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoWorkerStore:
    """A :class:`~wainwright.ports.workers.WorkerStore` on the one table."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def put(self, worker: WorkerRecord) -> None:
        """See :meth:`wainwright.ports.workers.WorkerStore.put`."""
        self._client.put_item(TableName=self._table, Item=_worker_item(worker))

    def add(self, worker: WorkerRecord) -> bool:
        """See :meth:`wainwright.ports.workers.WorkerStore.add`."""
        try:
            attempt_until_clear(
                lambda: self._client.put_item(
                    TableName=self._table, Item=_worker_item(worker), ConditionExpression="attribute_not_exists(pk)"
                )
            )
        except Refusal:
            return False
        return True

    def list(self) -> Sequence[WorkerRecord]:
        """See :meth:`wainwright.ports.workers.WorkerStore.list`."""
        rows: list[Any] = []
        start: dict[str, Any] = {}
        while True:
            answer = self._client.query(
                TableName=self._table, ConsistentRead=True, KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues={":pk": text("WORKERS")}, **start,
            )  # fmt: skip
            rows += answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return [WorkerRecord.model_validate_json(row["body"]["S"]) for row in rows]
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def remove(self, worker_id: str) -> None:
        """See :meth:`wainwright.ports.workers.WorkerStore.remove`."""
        self._client.delete_item(TableName=self._table, Key=row_key("WORKERS", worker_id))


def _worker_item(worker: WorkerRecord) -> dict[str, dict[str, str]]:
    return row_key("WORKERS", worker.id) | {"body": text(worker.model_dump_json(by_alias=True))}
