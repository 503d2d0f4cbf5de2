"""Bodies of the calls of templates."""

from typing import Any, Self

from pydantic import Field, model_validator

from wainwright.contracts.http.config import JobConfig
from wainwright.contracts.http.fields import HttpUrl
from wainwright.contracts.http.work import Work
from wainwright.domain.instants import Instant
from wainwright.domain.lanes import MAX_LANES
from wainwright.domain.model import Record
from wainwright.domain.retry import RetryPolicy


class WriteTemplate(Work):
    """``POST /v1/templates``, and ``PUT`` for a new version. ``parameters`` is a JSON schema of type object."""

    name: str = Field(min_length=1, max_length=200)
    url: HttpUrl | None = None
    config: JobConfig = JobConfig()
    output_schema: dict[str, Any] | None = None
    parameters: dict[str, Any] | None = None
    retry: RetryPolicy | None = None
    parallelism: int | None = Field(default=None, ge=1, le=MAX_LANES)

    @model_validator(mode="after")
    def _one_thing_to_run(self) -> Self:
        if len(self._work_fields()) != 1:
            raise ValueError("give exactly one of script, scripts, bundleId and instructions")
        return self


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
