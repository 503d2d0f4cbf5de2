"""Keys and tickets in DynamoDB."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from wainwright.adapters.aws.items import expiry, key, project_partition, text
from wainwright.adapters.aws.table import TableStore
from wainwright.domain.instants import to_text
from wainwright.ports.access import AccessStore, ApiKey, Ticket


class DynamoAccessStore(TableStore, AccessStore):
    """An :class:`~wainwright.ports.access.AccessStore` on the one table."""

    def put_key(self, key: ApiKey) -> None:
        body = {"body": text(key.model_dump_json(by_alias=True))}
        rows = [_found_by(key.digest), _listed_as(key.project, key.id)]
        self.table.commit([{"Put": {"Item": row | body}} for row in rows])

    def find_key(self, digest: str) -> ApiKey | None:
        found = self.table.get(_found_by(digest))
        return ApiKey.model_validate_json(found["body"]["S"]) if found else None

    def list_keys(self, project: str) -> Sequence[ApiKey]:
        rows = self.table.partition(project_partition(project), "KEY#")
        return [ApiKey.model_validate_json(row["body"]["S"]) for row in rows]

    def put_ticket(self, ticket: Ticket) -> None:
        item = key(f"TICKET#{ticket.digest}", "TICKET") | {
            "project": text(ticket.project), "jobId": text(ticket.job_id), "until": text(to_text(ticket.expires_at)),
            "expiresAt": expiry(ticket.expires_at),
        }  # fmt: skip
        self.table.commit([{"Put": {"Item": item}}])

    def find_ticket(self, digest: str) -> Ticket | None:
        # Consistently: the link is opened in the moment after the ticket was made.
        item = self.table.get(key(f"TICKET#{digest}", "TICKET"))
        if not item:
            return None
        return Ticket(
            digest=digest, project=item["project"]["S"], job_id=item["jobId"]["S"],
            expires_at=datetime.fromisoformat(item["until"]["S"]),
        )  # fmt: skip


def _found_by(digest: str) -> dict[str, Any]:
    return key(f"KEY#{digest}", "KEY")


def _listed_as(project: str, key_id: str) -> dict[str, Any]:
    return key(project_partition(project), f"KEY#{key_id}")
