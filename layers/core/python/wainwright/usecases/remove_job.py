"""Delete a job at rest with all its files."""

from wainwright.contracts.names import report_prefix
from wainwright.domain.jobs import Job
from wainwright.ports.artifacts import Artifacts
from wainwright.ports.job_store import JobStore
from wainwright.ports.spool import Spool


def remove_job(jobs: JobStore, artifacts: Artifacts, spool: Spool, job: Job) -> None:
    """Delete a job's objects and rows, the job's own row last. That is sealed first, so that it never names deleted files, and
    so that a job which is resumed or retried at the same time loses nothing.

    Raises:
        Conflict, Refused: the job is not, or no longer, at rest as it was read.
    """
    prefix = report_prefix(job.project, job.id, days=job.report_days)
    jobs.seal(job)
    for key in spool.keys(prefix):  # before the bucket, or they could still be uploaded
        spool.delete(key)
    artifacts.delete_all(prefix)
    jobs.delete(job)
