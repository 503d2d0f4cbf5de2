"""Change what happens to a job: cancel it."""

from dataclasses import dataclass

from wainwright.contracts.names import check_job_id
from wainwright.domain.errors import Conflict, NotFound, Refused, TransitionRefused, Unavailable
from wainwright.domain.jobs import Job
from wainwright.ports import Clock, JobStore, WakeUps
from wainwright.usecases.caller import Caller

TRIES = 8
"""How often a change is decided anew when the row changed meanwhile."""


@dataclass(frozen=True)
class ControlJob:
    """Steers jobs."""

    jobs: JobStore
    wakeups: WakeUps
    clock: Clock

    def cancel(self, caller: Caller, job_id: str) -> Job:
        """Cancel a job: at once where no worker has it; else its worker ends it within seconds.

        Raises:
            NotFound: no such job.
            Refused: it has ended already.
        """
        check_job_id(job_id)
        for _ in range(TRIES):
            job = self.jobs.get(caller.project, job_id)
            if job is None:
                raise NotFound(f"this project has no job {job_id}")
            try:
                written = self.jobs.write(job, job.cancel(self.clock()))
            except TransitionRefused as error:
                raise Refused(
                    f"the job is {job.status} and can no longer be canceled", advice="Nothing needs to be done."
                ) from error
            except Conflict:
                continue
            if job.held_lanes and not written.held_lanes:
                self.wakeups.send(caller.project)
            return written
        raise Unavailable("the job changed faster than it could be canceled", advice="Send the request again.")
