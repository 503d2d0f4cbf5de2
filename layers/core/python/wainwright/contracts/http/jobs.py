"""Bodies of the calls of jobs."""

from pydantic import Field

from wainwright.contracts.job_records import JobRecord
from wainwright.domain.capacity import Limits
from wainwright.domain.instants import Instant
from wainwright.domain.job_requests import JobRequest
from wainwright.domain.jobs import MAX_PRIORITY
from wainwright.domain.record import Record
from wainwright.domain.states import JobStatus


class CreateJob(JobRequest):
    """``POST /v1/jobs``: run exactly one of ``script``, ``scripts``, ``bundleId``, ``instructions``, ``templateId``."""


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
