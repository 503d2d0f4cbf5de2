"""Bodies of the calls of jobs."""

from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from wainwright.contracts.http.config import JobConfig
from wainwright.contracts.http.fields import HttpUrl
from wainwright.contracts.http.work import Work
from wainwright.domain.capacity import Limits
from wainwright.domain.costs import CostBasis, CostLine
from wainwright.domain.failures import Failure
from wainwright.domain.instants import Instant
from wainwright.domain.jobs import MAX_PRIORITY, RunBy
from wainwright.domain.lanes import MAX_LANES
from wainwright.domain.model import Record
from wainwright.domain.retry import RetryPolicy
from wainwright.domain.states import JobStatus
from wainwright.domain.tests import Tally


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


class ReportLink(Record):
    """Where a job's report is. ``url`` stays the same from the job's creation on; ``ready`` says whether it is there.

    ``missing`` names files of it, at most 50 of ``missingCount``, that could not be uploaded, and ``missingReason`` says why.
    They lie on the worker's disk, and are no longer named once they are up.
    """

    url: str
    ready: bool
    complete: bool
    missing: list[str] = Field(default_factory=list)
    missing_count: int = 0
    missing_reason: str | None = None


class JobCost(Record):
    """What a job has cost so far: seconds for which its latest attempt ran, and US dollars at AWS's public prices.

    ``basis`` says whether the dollars were ``metered``, call by call, or are ``estimated`` from the time and the size of its
    workers. ``breakdown`` has a line for each price. Those of the group ``looking``, what it cost to look at the job, are not
    in ``usd``. Lists of jobs carry the seconds alone.
    """

    seconds: float
    usd: float | None = None
    basis: CostBasis | None = None
    breakdown: list[CostLine] = Field(default_factory=list)


class JobRecord(Record):
    """A job as everybody outside sees it."""

    id: str
    label: str | None
    type: str
    status: JobStatus
    progress: int = Field(ge=0, le=100)
    attempt: int
    priority: int
    low_priority: bool
    parallelism: int = 1
    template_id: str | None
    template_version: int | None
    batch_id: str | None
    depends_on: list[str]
    url: str | None
    bundle_id: str | None
    params: dict[str, Any]
    config: dict[str, Any]
    created_at: Instant
    updated_at: Instant
    started_at: Instant | None
    completed_at: Instant | None
    waiting_ms: int
    duration_ms: int | None
    has_errors: bool
    run_by: RunBy
    results: dict[str, Any] | None
    tests: Tally
    failure: Failure | None
    error: str | None
    report: ReportLink
    cost: JobCost


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
