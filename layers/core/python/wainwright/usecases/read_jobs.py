"""Read a job, wait for one, find jobs."""

import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from wainwright.contracts.names import check_job_id
from wainwright.domain.job_query import JobQuery
from wainwright.domain.states import AT_REST, JobStatus
from wainwright.ports.clock import Clock
from wainwright.ports.job_store import JobStore, JobView, Page
from wainwright.usecases.caller import Caller
from wainwright.usecases.find_job import find_job, no_such_job

SHORTEST_PAUSE, LONGEST_PAUSE = 0.1, 0.5
"""Seconds between two reads of a long-poll."""
PAUSE_PER_SECOND = 0.05
"""Pause for each second already waited, between the shortest and the longest: a pause adds a twentieth at most."""


@dataclass(frozen=True)
class ReadJobs:
    """Answers questions about jobs. ``pause`` sleeps for seconds; ``monotonic`` tells how long it and each look took."""

    jobs: JobStore
    clock: Clock
    pause: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic

    def get(self, caller: Caller, job_id: str) -> JobView:
        """Return one job. Raises as :func:`find_job`."""
        view = self.jobs.view(caller.project, check_job_id(job_id))
        if view is None or view.job.has_expired(self.clock()):
            raise no_such_job(job_id)
        return view

    def wait(self, caller: Caller, job_id: str, *, seconds: float, states: Collection[JobStatus] = AT_REST) -> JobView:
        """Return the job as soon as it is in one of ``states``, or after ``seconds``. Raises as :meth:`get`."""
        end = self.monotonic() + seconds
        for pause in _pauses(seconds):
            found = find_job(self.jobs, self.clock, caller.project, job_id)
            if found.status in states or self.monotonic() >= end:
                break
            self.pause(pause)
        return self.get(caller, job_id)

    def find(self, caller: Caller, query: JobQuery) -> Page:
        """Return a page of the project's jobs that match.

        Raises:
            InvalidInput: the cursor is none of ours, or belongs to another query.
        """
        return self.jobs.find(caller.project, query, self.clock())


def _pauses(seconds: float) -> Iterator[float]:
    """Yield the pauses between the reads of a long-poll: the longer, the more has been waited already."""
    waited = 0.0
    while waited < seconds:
        pause = min(max(SHORTEST_PAUSE, waited * PAUSE_PER_SECOND), LONGEST_PAUSE, seconds - waited)
        yield pause
        waited += pause
