"""Keys and tickets in DynamoDB."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from wainwright.adapters.aws.items import expiry, project_partition, text
from wainwright.adapters.aws.items import key as row_key
from wainwright.adapters.aws.transactions import attempt_until_clear
from wainwright.contracts.scopes import Scope
from wainwright.domain.instants import to_text
from wainwright.ports.access import ApiKey, Ticket

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoAccessStore:
    """A :class:`~wainwright.ports.access.AccessStore` on the one table."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def put_key(self, key: ApiKey) -> None:
        """See :meth:`wainwright.ports.access.AccessStore.put_key`."""
        body = {
            "id": key.id, "digest": key.digest, "project": key.project, "scope": key.scope, "name": key.name,
            "createdAt": to_text(key.created_at), "revoked": key.revoked,
        }  # fmt: skip
        attributes = {"body": text(json.dumps(body))}
        rows = [
            row_key(f"KEY#{key.digest}", "KEY") | attributes,
            row_key(project_partition(key.project), f"KEY#{key.id}") | attributes,
        ]
        transaction: Any = [{"Put": {"TableName": self._table, "Item": row}} for row in rows]
        attempt_until_clear(lambda: self._client.transact_write_items(TransactItems=transaction))

    def find_key(self, digest: str) -> ApiKey | None:
        """See :meth:`wainwright.ports.access.AccessStore.find_key`."""
        found = self._client.get_item(TableName=self._table, Key=row_key(f"KEY#{digest}", "KEY"), ConsistentRead=True)
        return _read_key(found["Item"]) if "Item" in found else None

    def list_keys(self, project: str) -> Sequence[ApiKey]:
        """See :meth:`wainwright.ports.access.AccessStore.list_keys`."""
        rows: list[Any] = []
        start: dict[str, Any] = {}
        while True:
            answer = self._client.query(
                TableName=self._table, ConsistentRead=True, KeyConditionExpression="pk = :pk AND begins_with(sk, :key)",
                ExpressionAttributeValues={":pk": text(project_partition(project)), ":key": text("KEY#")}, **start,
            )  # fmt: skip
            rows += answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return [_read_key(row) for row in rows]
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def put_ticket(self, ticket: Ticket) -> None:
        """See :meth:`wainwright.ports.access.AccessStore.put_ticket`."""
        item = row_key(f"TICKET#{ticket.digest}", "TICKET") | {
            "project": text(ticket.project), "jobId": text(ticket.job_id), "until": text(to_text(ticket.expires_at)),
            "expiresAt": expiry(ticket.expires_at),
        }  # fmt: skip
        self._client.put_item(TableName=self._table, Item=item)

    def find_ticket(self, digest: str) -> Ticket | None:
        """See :meth:`wainwright.ports.access.AccessStore.find_ticket`."""
        key = row_key(f"TICKET#{digest}", "TICKET")
        # Consistently: the link is opened in the moment after the ticket was made.
        item: Any = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")
        if not item:
            return None
        return Ticket(
            digest=digest, project=item["project"]["S"], job_id=item["jobId"]["S"],
            expires_at=datetime.fromisoformat(item["until"]["S"]),
        )  # fmt: skip


def _read_key(item: Any) -> ApiKey:
    body = json.loads(item["body"]["S"])
    return ApiKey(
        id=body["id"], digest=body["digest"], project=body["project"], scope=Scope(body["scope"]), name=body["name"],
        created_at=datetime.fromisoformat(body["createdAt"]), revoked=body["revoked"],
    )  # fmt: skip
