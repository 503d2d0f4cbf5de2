"""Bring a job to rest: with its expiry, and with what that means for the jobs that wait for it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from wainwright.contracts.messages import WorkMessage
from wainwright.domain.capacity import Limits
from wainwright.domain.errors import Conflict
from wainwright.domain.failures import Failure, FailureCategory
from wainwright.domain.jobs import Job
from wainwright.domain.states import AT_REST, JobStatus
from wainwright.ports.job_store import JobStore
from wainwright.ports.queues import WakeUps, WorkQueue

MAX_URL = 2_048
MOST_AT_ONCE = 30
"""Successors in the ending's own transaction, which takes 100 rows; the others follow at once after it."""

FINAL_URL = "finalUrl"
"""The result that becomes the next job's ``url`` (requirement A9)."""


@dataclass(frozen=True)
class EndJob:
    """Writes a job's ending and the start or skipping of its direct successors in one transaction.

    Those that are skipped have successors of their own: they follow one by one.
    """

    jobs: JobStore
    default_limits: Limits
    work: WorkQueue
    wakeups: WakeUps

    def __call__(self, before: Job, after: Job, now: datetime) -> Job:
        """Write ``after``, whether it is an ending or not.

        Raises:
            Conflict: a row changed since it was read; to be decided anew.
        """
        if after.status not in AT_REST or after.status is before.status:
            return self.jobs.write(before, after)
        after = self._kept(after, now)
        also = [*islice(self._successors(before, after, now), MOST_AT_ONCE)] if after.is_final else []
        written = self.jobs.write(before, after, also=also)
        if after.is_final:
            written = self.lead_successors(written, now)
        self.ask_for_report(written)
        return written

    def follow(self, job: Job, now: datetime) -> bool:
        """Start or skip a blocked job of whose predecessors some have ended; False if all still go on.

        Raises:
            Conflict: a row changed since it was read.
        """
        before = job
        for predecessor_id in job.blocked_on:
            predecessor = self.jobs.get(job.project, predecessor_id)
            if predecessor is None or predecessor.is_final:
                job = self.jobs.write(job, self._after_predecessor(job, predecessor, predecessor_id, now))
            if job.is_final:
                self.lead_successors(job, now)
                break
        return job is not before

    def ask_for_report(self, job: Job) -> None:
        """Ask for the report that a job at rest owes, if any. Asking twice does no harm: the second finds nothing owed."""
        if job.owes_report:
            asked = WorkMessage(project=job.project, job_id=job.id, run=job.run, fence=job.fence, report_only=True)
            self.work.send(asked)
            self.wakeups.send(job.project, workers=1)  # after the message: the worker that comes finds it

    def lead_successors(self, ended: Job, now: datetime) -> Job:
        """Start or skip the successors that the ending's own transaction left out (beyond its bound, or added meanwhile), and
        theirs; returns the ended job's row. It is due until that is done: the sweep goes on where this breaks off.
        """
        if ended.is_leaf:
            return ended  # whoever makes a job wait for it changes its row, so that none came meanwhile
        left = [each for each in self.jobs.dependents(ended.project, ended.id) if not self._lead(each, ended, now)]
        if left:
            return ended
        try:
            return self.jobs.write(ended, ended.look_for_report(now))
        except Conflict:
            return ended  # it stays due

    def _lead(self, job_id: str, ended: Job, now: datetime) -> bool:
        """Start or skip one successor of an ended job; False if it has to be tried again."""
        job = self.jobs.get(ended.project, job_id)
        if job is None:
            return True
        if ended.id in job.blocked_on:
            if job.status is not JobStatus.PENDING and ended.status is not JobStatus.COMPLETED:
                return True  # it was stopped; should it be resumed, the sweep skips it
            try:
                job = self.jobs.write(job, self._after_predecessor(job, ended, ended.id, now))
            except Conflict:
                return False
        if job.status is JobStatus.SKIPPED and job.due_at is not None:
            self.lead_successors(job, now)
        return True

    def _successors(self, before: Job, after: Job, now: datetime) -> Iterator[tuple[Job, Job]]:
        if before.is_leaf:
            return
        for job_id in self.jobs.dependents(after.project, after.id):
            job = self.jobs.get(after.project, job_id)
            # One that was stopped may be half deleted, and must not keep this job from ending: it follows afterwards.
            if job is not None and before.id in job.blocked_on and job.status is JobStatus.PENDING:
                yield job, self._after_predecessor(job, after, after.id, now)

    def _after_predecessor(self, job: Job, predecessor: Job | None, predecessor_id: str, now: datetime) -> Job:
        if predecessor is not None and predecessor.status is JobStatus.COMPLETED:
            url = job.url or find_final_url(self.jobs, predecessor)
            return job.unblock(predecessor_id, now).model_copy(update={"url": url})
        return self._kept(job.skip(_reason(predecessor, predecessor_id), now), now)

    def _kept(self, job: Job, now: datetime) -> Job:
        """The job with the end of the time for which it is kept; due if there may be jobs that wait for it."""
        retention = (self.jobs.load(job.project).limits or self.default_limits).retention
        kept = job.model_copy(update={"expires_at": now + timedelta(days=retention.job_days)})
        return kept.touch(now) if kept.is_final and not kept.is_leaf else kept


def find_final_url(jobs: JobStore, job: Job) -> str | None:
    """Return the address that a completed job's results hand on, if it is one that a job may be given."""
    view = jobs.view(job.project, job.id)
    found = (view.detail.results or {}).get(FINAL_URL) if view else None
    usable = isinstance(found, str) and found.startswith(("http://", "https://")) and len(found) <= MAX_URL
    return found if usable else None


def _reason(predecessor: Job | None, predecessor_id: str) -> Failure:
    if predecessor is None:
        return Failure.of(FailureCategory.INVALID_INPUT, f"not run: the job {predecessor_id} before it was deleted")
    cause = predecessor.failure
    category = cause.category if cause else FailureCategory.INFRASTRUCTURE
    line = f" ({cause.to_line()})" if cause else ""
    return Failure.of(category, f"not run: the job {predecessor.id} before it is {predecessor.status}{line}")
