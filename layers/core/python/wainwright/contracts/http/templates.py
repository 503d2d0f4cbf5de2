"""Bodies of the calls of templates."""

from typing import Any

from wainwright.domain.instants import Instant
from wainwright.domain.job_requests import TemplateRequest
from wainwright.domain.record import Record
from wainwright.domain.retry import RetryPolicy


class WriteTemplate(TemplateRequest):
    """``POST /v1/templates``, and ``PUT`` for a new version. ``parameters`` is a JSON schema of type object."""


class TemplateRecord(Record):
    """A template as everybody outside sees it. ``bundle_id`` also stands for scripts that came inline."""

    id: str
    name: str
    version: int
    instructions: str | None
    bundle_id: str | None
    url: str | None
    config: dict[str, Any]
    output_schema: dict[str, Any] | None
    parameters: dict[str, Any] | None
    retry: RetryPolicy | None
    parallelism: int | None = None
    created_at: Instant
    updated_at: Instant
    last_run_at: Instant | None


class TemplateAnswer(Record):
    """Answer to every call that gives one template."""

    template: TemplateRecord


class TemplateList(Record):
    """Answer to ``GET /v1/templates``: a page, in the order of creation."""

    templates: list[TemplateRecord]
    cursor: str | None = None
