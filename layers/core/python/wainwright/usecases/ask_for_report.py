"""Ask for the reports of jobs that came to rest without one: :mod:`wainwright.usecases.late_reports` is a worker's answer."""

from dataclasses import dataclass

from wainwright.contracts.messages import WorkMessage
from wainwright.domain.jobs import Job
from wainwright.ports.queues import WakeUps, WorkQueue


@dataclass(frozen=True)
class AskForReport:
    """Asks for the report of a job at rest that a worker had, and that has none of that worker's."""

    work: WorkQueue
    wakeups: WakeUps

    def __call__(self, job: Job) -> None:
        """Ask, if it is owed. Asking twice does no harm: whoever comes second finds that nothing is owed any more."""
        if not job.owes_report:
            return
        message = WorkMessage(
            project=job.project, job_id=job.id, run=job.run, fence=job.fence, report_only=True
        )  # fmt: skip
        self.work.send(message)
        self.wakeups.send(job.project, workers=1)  # after the message: the worker that comes finds it
