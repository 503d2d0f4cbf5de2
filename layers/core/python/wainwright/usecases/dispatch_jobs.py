"""Admit waiting jobs: by priority within a project, by turns between projects, within every limit; launch workers."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass

from wainwright.contracts.messages import ExecutionInput
from wainwright.domain.capacity import Limits, ProjectLoad
from wainwright.domain.errors import CapacityExceeded, Conflict
from wainwright.domain.jobs import Job
from wainwright.ports.clock import Clock
from wainwright.ports.job_store import JobStore
from wainwright.ports.workflows import ExecutionState, Workflows
from wainwright.usecases.finish_job import FinishJob
from wainwright.usecases.launch_workers import LaunchWorkers

LOOK_AHEAD = 10
"""Places of a line read beyond those that may start: for jobs that were taken or canceled meanwhile."""

QUEUE_ALLOWANCE_SECONDS = 3_600
"""Time that an execution may last beyond the job's own timeout: a worker has to come and take it."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class DispatchJobs:
    """Moves jobs from the waiting lines to executions. ``max_workers`` bounds what the stage runs at once."""

    jobs: JobStore
    workflows: Workflows
    finish: FinishJob
    launch_workers: LaunchWorkers
    clock: Clock
    default_limits: Limits
    max_workers: int

    def __call__(self, workers: int = 0) -> int:
        """Admit all that may start now, launch the workers this takes, and return how many jobs were admitted.

        ``workers`` is how many are needed at least, for work that is no job's run.
        """
        loads = self.jobs.loads()
        capacity = self.max_workers - sum(load.running for load in loads)
        served_longest_ago_first = sorted((load for load in loads if load.queued), key=lambda load: load.served)
        turns = [(load, self._line(load, capacity)) for load in served_longest_ago_first]
        admitted = 0
        while turns and capacity > 0:
            still_waiting = []
            for load, line in turns:
                job = self._admit_next(load, line) if capacity > 0 else None
                if job is not None:
                    capacity -= job.lanes
                    admitted += 1
                    still_waiting.append((load, line))
            turns = still_waiting
        self.launch_workers(workers, loads=None if admitted else loads)
        return admitted

    def _line(self, load: ProjectLoad, capacity: int) -> Iterator[str]:
        """Yield the ids of the jobs of a project's line that may start, and a few more; read once, at the first.

        A job that comes, or a lane that is freed, after that wakes dispatch anew.
        """
        most = min(capacity, load.queued, (load.limits or self.default_limits).running - load.running)
        if most > 0:
            yield from self.jobs.waiting_line(load.project, self.clock(), most + LOOK_AHEAD)

    def _admit_next(self, load: ProjectLoad, line: Iterator[str]) -> Job | None:
        limits = load.limits or self.default_limits
        for job_id in line:
            job = self.jobs.get(load.project, job_id)
            if job is None or not job.waiting:
                continue  # another dispatch took it between the two reads
            try:
                job = self.jobs.write(job, job.admit(self.clock(), limits.running), limits=limits)
            except CapacityExceeded:
                return None
            except Conflict:
                continue
            start_run(self.workflows, self.finish, job)
            return job
        return None


def start_run(workflows: Workflows, finish: FinishJob, job: Job) -> None:
    """Start the execution of an admitted job's run; one that has ended already without Finish is finished."""
    request = ExecutionInput(
        project=job.project, job_id=job.id, run=job.run,
        timeout_seconds=job.timeout_ms // 1_000 + QUEUE_ALLOWANCE_SECONDS,
    )  # fmt: skip
    if not workflows.start(request) and workflows.state(job.id, job.run) is ExecutionState.ENDED:
        log.warning("execution ended without finishing", extra={"jobId": job.id, "run": job.run})
        finish(job.project, job.id, job.run)
