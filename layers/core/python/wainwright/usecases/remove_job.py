"""Delete a job at rest with all its files."""

from datetime import datetime

from wainwright.contracts.names import report_prefix
from wainwright.domain.jobs import Job
from wainwright.domain.states import JobStatus
from wainwright.ports.artifacts import Artifacts
from wainwright.ports.job_store import JobStore
from wainwright.ports.spool import Spool


def remove_job(jobs: JobStore, artifacts: Artifacts, spool: Spool, job: Job, now: datetime) -> None:
    """Delete a job's objects and rows, the job's own row last. That is sealed first, so that it never names deleted files, and
    so that a job which is resumed or retried at the same time loses nothing. Jobs that wait for it become due.

    Raises:
        Conflict, Refused: the job is not, or no longer, at rest as it was read.
        Unavailable: a job that waits for it kept changing; to be called again.
    """
    prefix = report_prefix(job.project, job.id, days=job.report_days)
    jobs.seal(job)
    for key in spool.keys(prefix):  # before the bucket, or they could still be uploaded
        spool.delete(key)
    artifacts.delete_all(prefix)
    for successor in () if job.is_leaf else jobs.dependents(job.project, job.id):
        jobs.update(job.project, successor, lambda other: _make_due(other, job.id, now))
    jobs.delete(job)


def _make_due(job: Job, predecessor: str, now: datetime) -> Job:
    waits_for_it = job.status is JobStatus.PENDING and predecessor in job.blocked_on
    return job.touch(now) if waits_for_it else job
