"""A template: what to run, stored by a name, in versions."""

from typing import Any

from pydantic import Field

from wainwright.domain.instants import Instant
from wainwright.domain.record import Record
from wainwright.domain.retry import RetryPolicy


class Template(Record):
    """One version of a template. Versions count from 1; ``parameters`` is a JSON schema of type object."""

    project: str
    id: str
    version: int
    name: str
    instructions: str | None = None
    bundle_id: str | None = None
    url: str | None = None
    config: dict[str, Any] = Field(default_factory=dict)
    output_schema: dict[str, Any] | None = None
    parameters: dict[str, Any] | None = None
    retry: RetryPolicy | None = None
    parallelism: int | None = None
    created_at: Instant
    updated_at: Instant
