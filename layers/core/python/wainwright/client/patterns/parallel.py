"""Many jobs at a time (requirement A10)."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from wainwright.client.calls import Calls
from wainwright.client.errors import WaitTimeout
from wainwright.client.jobs import WAIT_SECONDS, JobOutcome
from wainwright.client.patterns.sync_and_async import both
from wainwright.client.patterns.work import Watch, Work
from wainwright.contracts.job_records import JobRecord
from wainwright.domain.states import JobStatus


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
    deadline = time.monotonic() + timeout
    watch = Watch()
    for number, work in enumerate(works):
        await watch.start(calls, number, work)
    known: dict[int, tuple[JobStatus, int]] = {}
    while watch.running:
        for number, job in (await watch.look(calls)).items():
            now = (job.status, job.progress)
            if on_progress is not None and known.get(number) != now:
                on_progress(number, job)
            known[number] = now
        if time.monotonic() >= deadline:
            for job_id in list(watch.running):
                watch.fail(job_id, WaitTimeout(job_id, timeout))
    return ParallelOutcome([watch.outcomes[number] for number in sorted(watch.outcomes)])
