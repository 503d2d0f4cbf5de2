"""API keys and tickets."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from wainwright.contracts.scopes import Scope
from wainwright.domain.instants import Instant
from wainwright.domain.record import Record


class ApiKey(Record):
    """A key as it is kept: only the SHA-256 of its secret."""

    id: str
    digest: str
    project: str
    scope: Scope
    name: str
    created_at: Instant
    revoked: bool = False


@dataclass(frozen=True)
class Ticket:
    """Leave to read one job's report for a while."""

    digest: str
    project: str
    job_id: str
    expires_at: datetime


class AccessStore(Protocol):
    """API keys and tickets, found by the SHA-256 of the secret."""

    def put_key(self, key: ApiKey) -> None:
        """Keep a key, new or changed."""

    def find_key(self, digest: str) -> ApiKey | None:
        """The key with this digest."""

    def list_keys(self, project: str) -> Sequence[ApiKey]:
        """The project's keys."""

    def put_ticket(self, ticket: Ticket) -> None:
        """Keep a ticket until it expires."""

    def find_ticket(self, digest: str) -> Ticket | None:
        """The ticket with this digest, expired or not."""
