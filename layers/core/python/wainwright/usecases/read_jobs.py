"""Read one job, wait for one, list them."""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from wainwright.contracts.names import check_job_id
from wainwright.domain.errors import NotFound
from wainwright.domain.states import AT_REST, JobStatus
from wainwright.ports import JobStore, JobView, Page
from wainwright.usecases.caller import Caller

POLL_SECONDS = 0.5
"""How often a long-poll looks."""


@dataclass(frozen=True)
class ReadJobs:
    """Answers questions about jobs. ``pause`` sleeps for seconds."""

    jobs: JobStore
    pause: Callable[[float], None] = time.sleep

    def get(self, caller: Caller, job_id: str) -> JobView:
        """One job.

        Raises:
            InvalidInput: that is no job id.
            NotFound: the project has no such job.
        """
        view = self.jobs.view(caller.project, check_job_id(job_id))
        if view is None:
            raise NotFound(f"this project has no job {job_id}")
        return view

    def wait(self, caller: Caller, job_id: str, *, seconds: float, states: Collection[JobStatus] = AT_REST) -> JobView:
        """The job as soon as it is in one of ``states``, or as it is after ``seconds``. Raises as :meth:`get`."""
        view = self.get(caller, job_id)
        for _ in range(int(seconds / POLL_SECONDS)):
            if view.job.status in states:
                break
            self.pause(POLL_SECONDS)
            view = self.get(caller, job_id)
        return view

    def list_jobs(self, caller: Caller, *, status: JobStatus | None, limit: int, cursor: str | None) -> Page:
        """A page of the project's jobs, newest first.

        Raises:
            InvalidInput: the cursor is none of ours.
        """
        return self.jobs.list_jobs(caller.project, status=status, limit=limit, cursor=cursor)
