"""One job of a project, or the error that there is none."""

from wainwright.contracts.names import check_job_id
from wainwright.domain.errors import NotFound
from wainwright.domain.jobs import Job
from wainwright.ports.clock import Clock
from wainwright.ports.job_store import JobStore


def find_job(jobs: JobStore, clock: Clock, project: str, job_id: str) -> Job:
    """Return a job's row.

    Raises:
        InvalidInput: that is no job id.
        NotFound: the project has no such job, or not any more.
    """
    job = jobs.get(project, check_job_id(job_id))
    if job is None or job.has_expired(clock()):
        raise no_such_job(job_id)
    return job


def no_such_job(job_id: str) -> NotFound:
    """Return the error of a project that has no such job."""
    return NotFound(f"this project has no job {job_id}", advice="GET /v1/jobs lists the project's jobs.")
