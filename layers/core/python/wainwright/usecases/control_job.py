"""Change what happens to a job: cancel, stop, resume, retry, delete, rank, name.

Every race between control and completion has one winner: the row's version decides, and whoever comes second decides anew
by what he finds, or is told the state in a 409.
"""

from collections.abc import Callable
from dataclasses import dataclass

from wainwright.domain.errors import Refused, TransitionRefused
from wainwright.domain.jobs import Job
from wainwright.domain.states import AT_REST
from wainwright.ports.artifacts import Artifacts
from wainwright.ports.clock import Clock
from wainwright.ports.job_store import JobStore
from wainwright.ports.queues import WakeUps
from wainwright.ports.spool import Spool
from wainwright.ports.updates import retry_conflicts
from wainwright.usecases.caller import Caller
from wainwright.usecases.end_job import EndJob
from wainwright.usecases.find_job import find_job
from wainwright.usecases.remove_job import remove_job


@dataclass(frozen=True)
class ControlJob:
    """Steers jobs.

    Every method raises InvalidInput (no job id), NotFound (no such job), Refused (the state does not allow it; the message
    names the state) and Unavailable (the row kept changing).
    """

    jobs: JobStore
    artifacts: Artifacts
    wakeups: WakeUps
    end: EndJob
    clock: Clock
    spool: Spool

    def cancel(self, caller: Caller, job_id: str) -> Job:
        """Cancel for good: at once where no worker has the job; else its worker ends it within seconds."""
        return self._change(caller, job_id, "be canceled", lambda job: job.cancel(self.clock()))

    def stop(self, caller: Caller, job_id: str) -> Job:
        """Stop so that it can be resumed: at once where no worker has the job; else after the current test."""
        return self._change(caller, job_id, "be stopped", lambda job: job.stop(self.clock()))

    def resume(self, caller: Caller, job_id: str) -> Job:
        """Put a stopped job into the line again: what had passed does not run again."""
        return self._change(caller, job_id, "be resumed", lambda job: job.resume(self.clock()))

    def retry(self, caller: Caller, job_id: str, *, only_failed: bool) -> Job:
        """Try a failed job again, by the same id; with ``only_failed`` what had passed stands."""

        def step(job: Job) -> Job:
            if job.bundle_id is None:
                raise Refused("the job has no script or bundle to run", advice="Create a job of a script or a bundle.")
            return job.try_again(self.clock(), only_failed=only_failed)

        return self._change(caller, job_id, "be retried", step)

    def change(
        self,
        caller: Caller,
        job_id: str,
        *,
        priority: int | None = None,
        low_priority: bool | None = None,
        label: str | None = None,
    ) -> Job:
        """Set priority, low priority or label; None leaves one as it is."""

        def step(job: Job) -> Job:
            now = self.clock()
            if priority is not None or low_priority is not None:
                job = job.set_priority(now, priority=priority, low_priority=low_priority)
            return job if label is None else job.set_label(label, now)

        return self._change(caller, job_id, "be changed in this way", step)

    def delete(self, caller: Caller, job_id: str) -> None:
        """Delete a job at rest with all it left. May be repeated, also where it was broken off."""
        job = find_job(self.jobs, self.clock, caller.project, job_id)
        if job.status not in AT_REST:
            raise Refused(
                f"the job is {job.status}; only a job that has ended or stopped can be deleted",
                advice="Cancel or stop it first.",
            )
        remove_job(self.jobs, self.artifacts, self.spool, job, self.clock())

    def _change(self, caller: Caller, job_id: str, action: str, step: Callable[[Job], Job]) -> Job:
        def attempt() -> tuple[Job, Job]:
            job = find_job(self.jobs, self.clock, caller.project, job_id)
            try:
                return job, self.end(job, step(job), self.clock())
            except TransitionRefused as error:
                raise Refused(
                    f"the job is {job.status} and cannot {action}", advice="See GET /v1/jobs/{jobId} for its state."
                ) from error

        before, after = retry_conflicts(attempt, f"job {job_id}")
        if after.waiting or after.held_lanes < before.held_lanes:
            self.wakeups.send(caller.project)
        return after
