"""Bodies of the calls of secrets."""

from pydantic import Field

from wainwright.domain.instants import Instant
from wainwright.domain.model import Record
from wainwright.domain.secrets import MAX_SECRET_BYTES


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
