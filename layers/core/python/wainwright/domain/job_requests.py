"""Requests for jobs and templates: their work and options."""

import re
from typing import Annotated, Any, Self

from pydantic import AfterValidator, AnyHttpUrl, BeforeValidator, Field, model_validator
from pydantic.alias_generators import to_camel

from wainwright.domain.job_config import JobConfig
from wainwright.domain.jobs import MAX_PRIORITY
from wainwright.domain.lanes import MAX_LANES
from wainwright.domain.record import Record
from wainwright.domain.retry import RetryPolicy

MAX_SCRIPT_BYTES = 262_144
"""Bytes of all inline scripts together."""

SCRIPT_NAME = "test_script.py"
"""Name of the file for a single inline script."""

_KINDS_OF_WORK = ("script", "scripts", "bundle_id", "instructions", "template_id")
_DIGEST = re.compile(r"[0-9a-f]{64}\Z")


def _check_http_url(text: str) -> str:
    AnyHttpUrl(text)
    return text


def _check_digest(text: str) -> str:
    if not _DIGEST.match(text):
        raise ValueError("should be the archive's SHA-256 in lower-case hexadecimal, 64 characters")
    return text


def _one_or_several(value: object) -> object:
    return (value,) if isinstance(value, str) else value


HttpUrl = Annotated[str, Field(max_length=2_048), AfterValidator(_check_http_url)]
Digest = Annotated[str, AfterValidator(_check_digest)]
ScriptName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}\.py$")]


class Script(Record):
    """One file of a suite that comes inline."""

    name: ScriptName
    content: str = Field(min_length=1)


class Work(Record):
    """Work of a job: a script, several, an uploaded bundle, or sentences."""

    script: str | None = Field(default=None, min_length=1)
    scripts: tuple[Script, ...] | None = Field(default=None, min_length=1, max_length=100)
    bundle_id: Digest | None = None
    instructions: str | None = Field(default=None, min_length=1, max_length=20_000)

    def files(self) -> dict[str, str]:
        """Return the inline files by name; none for a bundle or instructions."""
        if self.script is not None:
            return {SCRIPT_NAME: self.script}
        return {script.name: script.content for script in self.scripts or ()}

    @model_validator(mode="after")
    def _within_bounds(self) -> Self:
        size = sum(len(content.encode()) for content in self.files().values())
        if size > MAX_SCRIPT_BYTES:
            raise ValueError(f"the scripts are larger than {MAX_SCRIPT_BYTES} bytes: upload a bundle instead")
        if self.scripts is not None and len(self.files()) < len(self.scripts):
            raise ValueError("two scripts have the same name")
        return self

    @model_validator(mode="after")
    def _one_thing_to_run(self) -> Self:
        kinds = [name for name in _KINDS_OF_WORK if name in type(self).model_fields]
        if sum(getattr(self, name) is not None for name in kinds) != 1:
            *names, last = map(to_camel, kinds)
            raise ValueError(f"give exactly one of {', '.join(names)} and {last}")
        return self


class JobOptions(Record):
    """Options of a job besides its work. ``parallelism`` is the number of lanes that share its test cases."""

    url: HttpUrl | None = None
    label: str | None = Field(default=None, min_length=1, max_length=200)
    priority: int = Field(default=0, ge=-MAX_PRIORITY, le=MAX_PRIORITY)
    low_priority: bool = False
    retry: RetryPolicy | None = None
    parallelism: int | None = Field(default=None, ge=1, le=MAX_LANES)
    depends_on: Annotated[tuple[str, ...], BeforeValidator(_one_or_several)] = Field(default=(), max_length=10)


class JobRequest(Work, JobOptions):
    """Request for a job, of work or of a template."""

    template_id: str | None = None
    params: dict[str, Any] = Field(default_factory=dict)
    config: JobConfig = JobConfig()
    output_schema: dict[str, Any] | None = None


class TemplateRequest(Work):
    """Request for a template, or for a new version of one."""

    name: str = Field(min_length=1, max_length=200)
    url: HttpUrl | None = None
    config: JobConfig = JobConfig()
    output_schema: dict[str, Any] | None = None
    parameters: dict[str, Any] | None = None
    retry: RetryPolicy | None = None
    parallelism: int | None = Field(default=None, ge=1, le=MAX_LANES)
