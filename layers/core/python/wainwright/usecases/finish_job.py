"""End a run: make a final state, or another try, of what it came to."""

import logging
from dataclasses import dataclass
from datetime import timedelta

from wainwright.contracts.messages import ExecutionError
from wainwright.domain.failures import Failure, FailureCategory
from wainwright.domain.jobs import Job, Outcome
from wainwright.domain.states import JobStatus
from wainwright.ports.clock import Clock
from wainwright.ports.job_store import JobStore
from wainwright.ports.queues import WakeUps
from wainwright.ports.updates import retry_conflicts
from wainwright.usecases.end_job import EndJob

MAX_QUEUE_DELAY = timedelta(seconds=900)
"""SQS delays a message no longer; what is due later is the sweep's."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FinishJob:
    """Ends runs. Idempotent: a run that was ended already is left as it is."""

    jobs: JobStore
    end: EndJob
    wakeups: WakeUps
    clock: Clock

    def __call__(self, project: str, job_id: str, run: int, error: ExecutionError | None = None) -> Job | None:
        """End one run and wake dispatch; returns the job as it is then, or None where there is no such job.

        Raises:
            Unavailable: the row kept changing; to be called again.
        """

        def attempt() -> tuple[Job | None, bool]:
            job = self.jobs.get(project, job_id)
            if job is None or job.run != run or job.admitted_at is None:
                return job, False
            now = self.clock()
            return self.end(job, job.finish(job.outcome or self._without_outcome(job, error), now), now), True

        job, ended = retry_conflicts(attempt, f"job {job_id}")
        if job is None:
            log.warning("a run of a deleted job ended", extra={"jobId": job_id, "run": run})
        elif ended:
            self.wakeups.send(project)
            ready = (job.not_before or job.updated_at) - job.updated_at
            if timedelta(0) < ready <= MAX_QUEUE_DELAY:
                self.wakeups.send(project, delay=ready)
        return job

    def _without_outcome(self, job: Job, error: ExecutionError | None) -> Outcome:
        """Return the outcome with the tests that had ended by then, whoever recorded them."""
        view = self.jobs.view(job.project, job.id)
        tests = view.progress.tests if view is not None else job.tests
        return ending_without_outcome(job, error).model_copy(update={"tests": tests})


def ending_without_outcome(job: Job, error: ExecutionError | None) -> Outcome:
    """Return the outcome of a run whose worker left none."""
    name = error.error if error else ""
    if name == "States.Timeout" and job.fence:
        failure = Failure.of(
            FailureCategory.JOB_TIMEOUT,
            f"the job exceeded its timeout of {job.timeout_ms} ms and its worker did not end it",
        )
    elif name == "States.Timeout":
        failure = Failure.of(FailureCategory.INFRASTRUCTURE, "no worker took the job in time; see the workers' logs")
    else:
        cause = f": {error.cause}" if error and error.cause else ""
        failure = Failure.of(
            FailureCategory.INFRASTRUCTURE,
            f"the execution ended without an outcome ({name or 'without an error name'}){cause}",
        )
    return Outcome(status=JobStatus.FAILED, fence=job.fence, failure=failure)
