"""Admit waiting jobs: by priority within a project, by turns between projects, within every limit; launch workers."""

import logging
from dataclasses import dataclass

from wainwright.contracts.messages import ExecutionInput
from wainwright.domain.capacity import Limits, ProjectLoad
from wainwright.domain.errors import CapacityExceeded, Conflict
from wainwright.domain.jobs import Job
from wainwright.ports import Clock, ExecutionState, JobStore, LineEntry, Workflows
from wainwright.usecases.finish_job import FinishJob
from wainwright.usecases.launch_workers import LaunchWorkers

LOOK_AHEAD = 10
"""How much of a line is read at once. More than one, so that rows that changed meanwhile cost no further read."""

QUEUE_ALLOWANCE_SECONDS = 3_600
"""How much longer than the job's own timeout its execution may last: time for a worker to come and take it."""

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

    def __call__(self) -> int:
        """Admit all that may start now, launch the workers this takes, and return how many jobs were admitted."""
        loads = self.jobs.loads()
        room = self.max_workers - sum(load.running for load in loads)
        turns = sorted((load for load in loads if load.queued), key=lambda load: load.served)
        admitted = 0
        while turns and room > 0:
            still_waiting = []
            for load in turns:
                job = self._admit_next(load) if room > 0 else None
                if job is not None:
                    room -= job.lanes
                    admitted += 1
                    still_waiting.append(load)
            turns = still_waiting
        self.launch_workers()
        return admitted

    def _admit_next(self, load: ProjectLoad) -> Job | None:
        limits = load.limits or self.default_limits
        for entry in self.jobs.waiting_line(load.project, self.clock(), LOOK_AHEAD):
            try:
                job = self._admit(load.project, entry, limits)
            except CapacityExceeded:
                return None
            if job is not None:
                start_run(self.workflows, self.finish, job)
                return job
        return None

    def _admit(self, project: str, entry: LineEntry, limits: Limits) -> Job | None:
        job = self.jobs.get(project, entry.job_id)
        if job is None or not job.waiting:
            return None  # somebody else took it between the two reads
        try:
            return self.jobs.write(job, job.admit(self.clock()), limits=limits)
        except Conflict:
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
