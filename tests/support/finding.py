"""Lists of jobs by state alone, newest first."""

from tests.support.builders import START
from wainwright.domain.job_query import JobQuery
from wainwright.domain.states import JobStatus
from wainwright.ports.job_store import JobStore, Page


def find_jobs(store: JobStore, project: str, *, status: str | None, limit: int, cursor: str | None) -> Page:
    """A page of a project's jobs, of one state or of all."""
    statuses = frozenset({JobStatus(status)} if status else ())
    return store.find(project, JobQuery(statuses=statuses, limit=limit, cursor=cursor), START)
