"""One job of a project, or the error that there is none."""

from datetime import datetime

from wainwright.contracts.names import check_job_id
from wainwright.domain.errors import NotFound
from wainwright.domain.jobs import Job
from wainwright.ports.clock import Clock
from wainwright.ports.job_store import JobStore


def is_gone(job: Job, now: datetime) -> bool:
    """Whether the job has expired: its row is deleted later than that, but it is not shown any more."""
    return job.expires_at is not None and job.expires_at <= now


def find_job(jobs: JobStore, clock: Clock, project: str, job_id: str) -> Job:
    """A job's row.

    Raises:
        InvalidInput: that is no job id.
        NotFound: the project has no such job, or not any more.
    """
    job = jobs.get(project, check_job_id(job_id))
    if job is None or is_gone(job, clock()):
        raise no_such_job(job_id)
    return job


def no_such_job(job_id: str) -> NotFound:
    """The error that says so."""
    return NotFound(f"this project has no job {job_id}", advice="GET /v1/jobs lists those that there are.")
