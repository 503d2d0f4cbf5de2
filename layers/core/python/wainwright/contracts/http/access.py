"""Bodies of the calls of keys and secrets."""

from pydantic import Field

from wainwright.contracts.scopes import Scope
from wainwright.domain.instants import Instant
from wainwright.domain.record import Record
from wainwright.domain.secrets import MAX_SECRET_BYTES


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


class PutSecret(Record):
    """``PUT /v1/secrets/{name}``. The value is given to the test processes of jobs that start from now on."""

    value: str = Field(repr=False, min_length=1, max_length=MAX_SECRET_BYTES, json_schema_extra={"writeOnly": True})


class SecretRecord(Record):
    """A secret, without its value."""

    name: str
    updated_at: Instant


class SecretAnswer(Record):
    """Answer to ``PUT /v1/secrets/{name}``."""

    secret: SecretRecord


class SecretList(Record):
    """Answer to ``GET /v1/secrets``: by name."""

    secrets: list[SecretRecord]
