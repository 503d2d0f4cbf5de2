"""Delete a job at rest with all it left."""

from wainwright.contracts.names import report_prefix
from wainwright.domain.jobs import Job
from wainwright.ports.artifacts import Artifacts
from wainwright.ports.job_store import JobStore
from wainwright.ports.spool import Spool

OBJECTS_AT_ONCE = 1_000


def remove_job(jobs: JobStore, artifacts: Artifacts, spool: Spool, job: Job) -> None:
    """Delete a job's objects and rows, the job's own row last. That is sealed before anything goes, so that it never names
    what is gone, and that a job which somebody resumes or tries again just now loses nothing.

    Raises:
        Conflict, Refused: the job is not, or no longer, at rest as it was read.
    """
    prefix = report_prefix(job.project, job.id, days=job.report_days)
    jobs.seal(job)
    for key in spool.keys(prefix):  # before the bucket, or what lies there could still be uploaded
        spool.delete(key)
    while artifacts.delete_all(prefix, most=OBJECTS_AT_ONCE):
        pass
    jobs.delete(job)
