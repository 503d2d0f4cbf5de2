"""Bodies of the calls of keys."""

from pydantic import Field

from wainwright.contracts.scopes import Scope
from wainwright.domain.instants import Instant
from wainwright.domain.model import Record


class CreateKey(Record):
    """``POST /v1/keys``."""

    name: str = Field(min_length=1, max_length=100)
    scope: Scope = Scope.RUN


class KeyRecord(Record):
    """An API key without its secret."""

    id: str
    name: str
    scope: Scope
    created_at: Instant
    revoked: bool


class KeyCreated(Record):
    """Answer to ``POST /v1/keys``: the secret is shown this once."""

    key: KeyRecord
    secret: str


class KeyList(Record):
    """Answer to ``GET /v1/keys``."""

    keys: list[KeyRecord]
