"""Bodies of the HTTP API: one model for each request and answer. OpenAPI is made from these."""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, AnyHttpUrl, Field, model_validator

from wainwright.contracts.names import is_digest
from wainwright.domain.failures import Failure
from wainwright.domain.instants import Instant
from wainwright.domain.jobs import MAX_PRIORITY, RunBy
from wainwright.domain.model import Record
from wainwright.domain.retry import RetryPolicy
from wainwright.domain.states import JobStatus
from wainwright.domain.tests import Tally

MAX_BODY_BYTES = 1_048_576
"""The largest request body."""

MAX_SCRIPT_BYTES = 262_144
"""The largest inline script."""

MAX_BUNDLE_BYTES = 100 * 1_048_576
"""The largest bundle, compressed."""

MAX_UNPACKED_BYTES = 1_024 * 1_048_576
"""The most a bundle may unpack to, so that a small archive cannot fill a worker's disk."""

MAX_BUNDLE_FILES = 20_000
"""The most files a bundle may hold."""

MIN_TIMEOUT_MS = 1_000
MAX_TIMEOUT_MS = 11 * 3_600_000
"""A job's timeout ends below SQS's twelve-hour visibility."""

MAX_WAIT_SECONDS = 20
"""The longest long-poll; HTTP APIs end a request after 30 s."""


def _http_url(text: str) -> str:
    AnyHttpUrl(text)
    return text


def _digest(text: str) -> str:
    if not is_digest(text):
        raise ValueError("should be the archive's SHA-256 in lower-case hexadecimal, 64 characters")
    return text


HttpUrl = Annotated[str, Field(max_length=2_048), AfterValidator(_http_url)]
Digest = Annotated[str, AfterValidator(_digest)]


class JobConfig(Record):
    """How the browser is set up and how long the job may run. Times are milliseconds, as in Playwright."""

    timeout: int | None = Field(default=None, ge=MIN_TIMEOUT_MS, le=MAX_TIMEOUT_MS)
    browser: Literal["chromium"] | None = None
    trace: Literal["on", "off", "retain-on-failure"] | None = None
    screenshot: Literal["on", "off", "retain-on-failure"] | None = None
    video: Literal["on", "off", "retain-on-failure"] | None = None


class CreateJob(Record):
    """``POST /v1/jobs``: run one ``script`` or one uploaded bundle (``bundleId``)."""

    script: str | None = Field(default=None, min_length=1)
    bundle_id: Digest | None = None
    url: HttpUrl | None = None
    label: str | None = Field(default=None, min_length=1, max_length=200)
    params: dict[str, Any] = Field(default_factory=dict)
    config: JobConfig = JobConfig()
    priority: int = Field(default=0, ge=-MAX_PRIORITY, le=MAX_PRIORITY)
    low_priority: bool = False
    retry: RetryPolicy = RetryPolicy()

    @model_validator(mode="after")
    def _one_thing_to_run(self) -> Self:
        if (self.script is None) == (self.bundle_id is None):
            raise ValueError("give exactly one of script and bundleId")
        if self.script is not None and len(self.script.encode()) > MAX_SCRIPT_BYTES:
            raise ValueError(f"script is larger than {MAX_SCRIPT_BYTES} bytes: upload a bundle instead")
        return self


class ReportLink(Record):
    """Where a job's report is. ``url`` stays the same from the job's creation on; ``ready`` says whether it is there."""

    url: str
    ready: bool
    complete: bool


class JobCost(Record):
    """What a job cost, as far as it is known: running seconds, and US dollars once they are metered."""

    seconds: float
    usd: float | None = None


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
    template_id: str | None
    batch_id: str | None
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


class CreateBundle(Record):
    """``POST /v1/bundles``: announce an archive by its digest and size in bytes."""

    sha256: Digest
    size: int = Field(ge=1, le=MAX_BUNDLE_BYTES)


class Upload(Record):
    """How to upload: one request, exactly so, before ``expires_at``."""

    method: Literal["PUT"] = "PUT"
    url: str
    headers: dict[str, str]
    expires_at: Instant


class BundleAnswer(Record):
    """Answer to ``POST /v1/bundles``. No ``upload`` where the archive is there already."""

    bundle_id: str
    upload: Upload | None


class TicketAnswer(Record):
    """A short-lived address of a job's report, for browsers, which cannot send a key with a link."""

    report_url: str
    expires_at: Instant


class Health(Record):
    """Answer to ``GET /v1/health``."""

    status: Literal["ok"] = "ok"
    version: str
    stage: str
    project: str


class Problem(Record):
    """A problem document (RFC 9457). ``field`` is at fault, where one is; ``advice`` is what to do about it."""

    type: str
    title: str
    status: int
    detail: str
    field: str | None = None
    advice: str | None = None
    instance: str | None = None
