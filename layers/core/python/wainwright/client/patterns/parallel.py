"""Many jobs at a time (requirement A10)."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from wainwright.client.calls import Calls
from wainwright.client.errors import ClientError, WaitTimeout
from wainwright.client.jobs import WAIT_SECONDS, JobOutcome, outcome_of
from wainwright.client.patterns.both import both
from wainwright.client.patterns.work import Work, failed_outcome, look, start
from wainwright.contracts.job_records import JobRecord
from wainwright.domain.states import AT_REST, JobStatus


@dataclass(frozen=True)
class ParallelOutcome:
    """Outcomes of the jobs, in the order in which they were given."""

    all: list[JobOutcome]

    @property
    def successful(self) -> list[JobOutcome]:
        """The jobs that completed."""
        return [outcome for outcome in self.all if outcome.success]

    @property
    def failed(self) -> list[JobOutcome]:
        """The jobs that did not."""
        return [outcome for outcome in self.all if not outcome.success]


@both
async def run_parallel(
    calls: Calls,
    works: Sequence[Work],
    *,
    timeout: float = WAIT_SECONDS,
    on_progress: Callable[[int, JobRecord], object] | None = None,
) -> ParallelOutcome:
    """Create all jobs, and watch them until each has ended or ``timeout`` seconds are over.

    ``on_progress`` gets a job's number (from 0) and the job, when its state or progress has changed. Jobs that cannot
    be created, or have not ended in time, are among those that failed; the latter go on.
    """
    began = time.monotonic()
    outcomes: dict[int, JobOutcome] = {}
    running: dict[str, int] = {}
    for number, work in enumerate(works):
        try:
            created = await start(calls, work)
            running[created.job_id] = number
        except ClientError as error:
            outcomes[number] = failed_outcome("", error, time.monotonic() - began)
    told: dict[str, tuple[JobStatus, int]] = {}
    while running:
        seen = await look(calls, list(running))
        late = time.monotonic() - began >= timeout
        for job_id, job in seen.items():
            if isinstance(job, JobRecord):
                now = (job.status, job.progress)
                if on_progress is not None and told.get(job_id) != now:
                    on_progress(running[job_id], job)
                told[job_id] = now
            outcome = _outcome(job_id, job, time.monotonic() - began, WaitTimeout(job_id, timeout) if late else None)
            if outcome is not None:
                outcomes[running.pop(job_id)] = outcome
    return ParallelOutcome([outcomes[number] for number in sorted(outcomes)])


def _outcome(job_id: str, job: JobRecord | ClientError, seconds: float, late: ClientError | None) -> JobOutcome | None:
    """The outcome of a job that has one."""
    if isinstance(job, JobRecord):
        if job.status in AT_REST:
            return outcome_of(job, seconds)
        return None if late is None else failed_outcome(job_id, late, seconds)
    return failed_outcome(job_id, job, seconds)
