"""Bodies of the calls of jobs."""

from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from wainwright.contracts.http.config import JobConfig
from wainwright.contracts.http.fields import HttpUrl
from wainwright.contracts.http.job_records import JobRecord
from wainwright.contracts.http.work import Work
from wainwright.domain.capacity import Limits
from wainwright.domain.instants import Instant
from wainwright.domain.jobs import MAX_PRIORITY
from wainwright.domain.lanes import MAX_LANES
from wainwright.domain.model import Record
from wainwright.domain.retry import RetryPolicy
from wainwright.domain.states import JobStatus


def _one_or_several(value: object) -> object:
    return (value,) if isinstance(value, str) else value


class JobOptions(Record):
    """What a job may be given besides its work. ``parallelism`` is the number of lanes that share its test cases."""

    url: HttpUrl | None = None
    label: str | None = Field(default=None, min_length=1, max_length=200)
    priority: int = Field(default=0, ge=-MAX_PRIORITY, le=MAX_PRIORITY)
    low_priority: bool = False
    retry: RetryPolicy | None = None
    parallelism: int | None = Field(default=None, ge=1, le=MAX_LANES)
    depends_on: Annotated[tuple[str, ...], BeforeValidator(_one_or_several)] = Field(default=(), max_length=10)


class CreateJob(Work, JobOptions):
    """``POST /v1/jobs``: run exactly one of ``script``, ``scripts``, ``bundleId``, ``instructions``, ``templateId``."""

    template_id: str | None = None
    params: dict[str, Any] = Field(default_factory=dict)
    config: JobConfig = JobConfig()
    output_schema: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _one_thing_to_run(self) -> Self:
        given = self._work_fields() + (["template_id"] if self.template_id is not None else [])
        if len(given) != 1:
            raise ValueError("give exactly one of script, scripts, bundleId, instructions and templateId")
        return self


class PatchJob(Record):
    """``PATCH /v1/jobs/{jobId}``: what is given is changed. Priorities only while the job has not ended."""

    priority: int | None = Field(default=None, ge=-MAX_PRIORITY, le=MAX_PRIORITY)
    low_priority: bool | None = None
    label: str | None = Field(default=None, min_length=1, max_length=200)


class RetryJob(Record):
    """``POST /v1/jobs/{jobId}/retry``: with ``onlyFailed`` what has passed does not run again."""

    only_failed: bool = True


class JobCreated(Record):
    """Answer to ``POST /v1/jobs``."""

    job_id: str
    status: JobStatus
    job: JobRecord


class JobAnswer(Record):
    """Answer to ``GET /v1/jobs/{jobId}``."""

    job: JobRecord


class JobList(Record):
    """Answer to ``GET /v1/jobs``: a page, newest first. With a ``cursor`` there is more."""

    jobs: list[JobRecord]
    cursor: str | None = None


class QueueAnswer(Record):
    """Answer to ``GET /v1/queue``: the project's counters, who waits (in starting order), and what needs a look."""

    queued: int
    running: int
    limits: Limits
    waiting: list[JobRecord]
    long_running: list[JobRecord]
    recent_failures: list[JobRecord]


class TicketAnswer(Record):
    """Short-lived addresses of a job's report and events, for browsers, which cannot send a key with a link."""

    report_url: str
    events_url: str
    expires_at: Instant
