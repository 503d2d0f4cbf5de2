"""Reports of jobs that came to rest without one, because no worker had them, or could write it. The next worker does."""

from dataclasses import dataclass

from wainwright.contracts.messages import WorkMessage
from wainwright.domain.jobs import Job
from wainwright.domain.reports import ReportRef
from wainwright.ports.clock import Clock
from wainwright.ports.job_store import JobStore, JobView
from wainwright.ports.queues import ReceivedWork, WorkQueue


@dataclass(frozen=True)
class LateReports:
    """Tells a worker which reports are owed. A job that was tried again meanwhile owes none: its next end has all of it."""

    jobs: JobStore
    queue: WorkQueue
    clock: Clock

    def take(self, work: ReceivedWork) -> JobView | None:
        """Return the job whose report is to be written; None where none is owed any more (message deleted)."""
        view = self.jobs.view(work.message.project, work.message.job_id)
        if view is None or not _owes_report(view.job, work.message):
            self.queue.delete(work.receipt)
            return None
        return view

    def keep(self, work: ReceivedWork, report: ReportRef) -> None:
        """Note the report in the job's row, and delete the message.

        Raises:
            Unavailable: the row kept changing; the message comes again.
        """

        def step(job: Job) -> Job:
            return job.add_report(report, self.clock()) if _owes_report(job, work.message) else job

        self.jobs.update(work.message.project, work.message.job_id, step)
        self.queue.delete(work.receipt)


def _owes_report(job: Job, message: WorkMessage) -> bool:
    return job.owes_report and job.fence == message.fence
