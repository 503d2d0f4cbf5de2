"""Bodies of the HTTP API: one model for each request and answer. OpenAPI is made from these."""

from typing import Annotated, Any, Literal, Self
from zoneinfo import available_timezones

from pydantic import AfterValidator, AnyHttpUrl, BeforeValidator, Field, field_validator, model_validator

from wainwright.contracts.names import is_digest
from wainwright.contracts.scopes import Scope
from wainwright.domain.capacity import Limits
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

SCRIPT_NAME = "test_script.py"
"""The file that a single inline script becomes."""

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


def _one_or_several(value: object) -> object:
    return (value,) if isinstance(value, str) else value


HttpUrl = Annotated[str, Field(max_length=2_048), AfterValidator(_http_url)]
Digest = Annotated[str, AfterValidator(_digest)]


class Viewport(Record):
    """Size of the page in CSS pixels."""

    width: int = Field(ge=100, le=7_680)
    height: int = Field(ge=100, le=4_320)


Keep = Literal["on", "off", "retain-on-failure"]
HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$", max_length=200)]
HeaderValue = Annotated[str, Field(pattern=r"^[\t\x20-\x7e\x80-\xff]*$", max_length=4_096)]


class JobConfig(Record):
    """How the browser is set up and how long the job may run. Times are milliseconds, as in Playwright.

    ``timeout`` bounds the whole job's running time. ``wait_for`` is waited after each navigation.
    """

    timeout: int | None = Field(default=None, ge=MIN_TIMEOUT_MS, le=MAX_TIMEOUT_MS)
    viewport: Viewport | None = None
    wait_for: int | None = Field(default=None, ge=0, le=60_000)
    block_ads: bool | None = None
    disable_images: bool | None = None
    reduced_motion: bool | None = None
    browser: Literal["chromium"] | None = None
    locale: str | None = Field(default=None, pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=35)
    timezone: str | None = Field(default=None, min_length=1, max_length=64)
    user_agent: str | None = Field(default=None, min_length=1, max_length=500)
    extra_headers: dict[HeaderName, HeaderValue] | None = Field(default=None, max_length=50)
    trace: Keep | None = None
    screenshot: Keep | None = None
    video: Keep | None = None

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str | None) -> str | None:
        if name is not None and name not in available_timezones():
            raise ValueError(f"there is no time zone {name!r}; write it as Europe/Paris")
        return name


ScriptName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}\.py$")]


class Script(Record):
    """One file of a suite that comes inline."""

    name: ScriptName
    content: str = Field(min_length=1)


class _Work(Record):
    """What to run: a script, several, an uploaded bundle, or sentences."""

    script: str | None = Field(default=None, min_length=1)
    scripts: tuple[Script, ...] | None = Field(default=None, min_length=1, max_length=100)
    bundle_id: Digest | None = None
    instructions: str | None = Field(default=None, min_length=1, max_length=20_000)

    def _work_fields(self) -> list[str]:
        fields = ("script", "scripts", "bundle_id", "instructions")
        return [name for name in fields if getattr(self, name) is not None]

    def files(self) -> dict[str, str]:
        """The inline files by name; empty where a bundle or instructions are to be run."""
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


class JobOptions(Record):
    """What a job may be given besides its work."""

    url: HttpUrl | None = None
    label: str | None = Field(default=None, min_length=1, max_length=200)
    priority: int = Field(default=0, ge=-MAX_PRIORITY, le=MAX_PRIORITY)
    low_priority: bool = False
    retry: RetryPolicy | None = None
    depends_on: Annotated[tuple[str, ...], BeforeValidator(_one_or_several)] = Field(default=(), max_length=10)


class CreateJob(_Work, JobOptions):
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


class WriteTemplate(_Work):
    """``POST /v1/templates``, and ``PUT`` for a new version. ``parameters`` is a JSON schema of type object."""

    name: str = Field(min_length=1, max_length=200)
    url: HttpUrl | None = None
    config: JobConfig = JobConfig()
    output_schema: dict[str, Any] | None = None
    parameters: dict[str, Any] | None = None
    retry: RetryPolicy | None = None

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
    created_at: Instant
    updated_at: Instant
    last_run_at: Instant | None


class TemplateAnswer(Record):
    """Answer to every call that gives one template."""

    template: TemplateRecord


class TemplateList(Record):
    """Answer to ``GET /v1/templates``: a page, by name."""

    templates: list[TemplateRecord]
    cursor: str | None = None


class PatchJob(Record):
    """``PATCH /v1/jobs/{jobId}``: what is given is changed. Priorities only while the job has not ended."""

    priority: int | None = Field(default=None, ge=-MAX_PRIORITY, le=MAX_PRIORITY)
    low_priority: bool | None = None
    label: str | None = Field(default=None, min_length=1, max_length=200)


class RetryJob(Record):
    """``POST /v1/jobs/{jobId}/retry``: with ``onlyFailed`` what has passed does not run again."""

    only_failed: bool = True


LogLevel = Literal["INFO", "ERROR"]
MAX_LOG_MESSAGE = 10_000
MAX_LOG_LINES = 10_000
"""Lines of one job's log; the last one says that it is full."""


class CreateLog(Record):
    """``POST /v1/jobs/{jobId}/logs``. An ``ERROR`` sets the job's ``hasErrors``."""

    level: LogLevel = "INFO"
    message: str = Field(min_length=1, max_length=MAX_LOG_MESSAGE)
    additional_info: dict[str, Any] | None = None


class LogEntry(Record):
    """One line of a job's log."""

    timestamp: Instant
    level: LogLevel
    message: str
    additional_info: dict[str, Any] | None = None


class LogAnswer(Record):
    """Answer to ``POST /v1/jobs/{jobId}/logs``."""

    log: LogEntry


class LogList(Record):
    """Answer to ``GET /v1/jobs/{jobId}/logs``: a page, oldest first."""

    logs: list[LogEntry]
    cursor: str | None = None


class FlakyTest(Record):
    """A test that passed only after a retry, and how often it did."""

    id: str
    count: int


class Analytics(Record):
    """Answer to ``GET /v1/analytics``. Durations are milliseconds from creation to completion, of completed jobs.

    Where there is nothing, rates and durations are null: never NaN.
    """

    total_jobs: int
    completed_jobs: int
    failed_jobs: int
    canceled_jobs: int
    success_rate: float | None
    average_duration: float | None
    min_duration: int | None
    max_duration: int | None
    p50_duration: int | None
    p95_duration: int | None
    error_types: dict[str, int]
    flaky_tests: list[FlakyTest]


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
