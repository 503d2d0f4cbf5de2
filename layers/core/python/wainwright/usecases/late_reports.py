"""Reports of jobs that came to rest without one: nobody had them then, or could not write it. The next worker does."""

from dataclasses import dataclass

from wainwright.contracts.messages import WorkMessage
from wainwright.domain.jobs import Job
from wainwright.domain.reports import ReportRef
from wainwright.ports.clock import Clock
from wainwright.ports.job_store import JobStore, JobView
from wainwright.ports.queues import ReceivedWork, WorkQueue


@dataclass(frozen=True)
class LateReports:
    """A worker's side of it. A job that was tried again meanwhile owes nothing: its next ending has all of it."""

    jobs: JobStore
    queue: WorkQueue
    clock: Clock

    def take(self, work: ReceivedWork) -> JobView | None:
        """The job whose report is to be written; None where none is owed any more (message deleted)."""
        view = self.jobs.view(work.message.project, work.message.job_id)
        if view is None or not self._owed(view.job, work.message):
            self.queue.delete(work.receipt)
            return None
        return view

    def keep(self, work: ReceivedWork, report: ReportRef) -> None:
        """Note where the report is, and delete the message.

        Raises:
            Unavailable: the row kept changing; the message comes again.
        """

        def step(job: Job) -> Job:
            return job.add_report(report, self.clock()) if self._owed(job, work.message) else job

        self.jobs.update(work.message.project, work.message.job_id, step)
        self.queue.delete(work.receipt)

    def _owed(self, job: Job, message: WorkMessage) -> bool:
        return job.owes_report and job.fence == message.fence
