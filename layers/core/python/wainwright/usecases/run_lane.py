"""A helper's side of a run with several lanes: join it, hold the lane, leave it."""

import logging
import uuid
from dataclasses import dataclass
from datetime import timedelta

from wainwright.domain.errors import Conflict, FenceLost, Unavailable
from wainwright.domain.instants import to_milliseconds
from wainwright.domain.jobs import LEASE, Job, JobDetail
from wainwright.domain.lanes import LaneEnd, LaneRecord
from wainwright.domain.states import JobStatus
from wainwright.ports.clock import Clock
from wainwright.ports.job_store import JobStore
from wainwright.ports.queues import ReceivedWork, WorkQueue
from wainwright.ports.work_lists import WorkListStore
from wainwright.usecases.run_job import MESSAGE_GRACE, TRIES, Control, control_of

log = logging.getLogger(__name__)


@dataclass
class LaneClaim:
    """A lane in hand. ``lane`` is its row as this worker wrote it last."""

    job: Job
    detail: JobDetail
    work: ReceivedWork
    lane: LaneRecord


@dataclass(frozen=True)
class RunLane:
    """Each method writes under the fence of the run's owner and the token of this stay. An old one of either is refused."""

    jobs: JobStore
    lists: WorkListStore
    queue: WorkQueue
    clock: Clock

    def join(self, work: ReceivedWork, worker: str) -> LaneClaim | None:
        """Become the lane that a message asks for.

        None where there is nothing to help with: the run is over or has another owner, or is to end (message deleted), or
        another worker is in the lane (message given back until its lease ends).
        """
        message = work.message
        for _ in range(TRIES):
            view = self.jobs.view(message.project, message.job_id)
            now = self.clock()
            if view is None or message.lane is None or not _wants_help(view.job, message.run, message.fence):
                self.queue.delete(work.receipt)
                return None
            before = next((each for each in self.lists.lanes(view.job) if each.lane == message.lane), None)
            if before is not None and before.live(now):
                self.queue.extend(work.receipt, max(before.lease_until - now, timedelta(0)) + MESSAGE_GRACE)
                return None
            lane = LaneRecord(
                lane=message.lane, token=str(uuid.uuid4()), worker=worker, lease_until=now + LEASE,
                joined=before.joined + 1 if before else 1,
            )  # fmt: skip
            try:
                self.lists.join(view.job, lane, before)
            except Conflict:
                continue
            except FenceLost:
                self.queue.delete(work.receipt)
                return None
            self.queue.extend(work.receipt, LEASE)
            # The owner says how long the job has run whenever it renews its lease.
            since = view.job.lease_until - LEASE if view.job.lease_until else now
            ran_ms = view.job.ran_ms + max(to_milliseconds(now - since), 0)
            job = view.job.model_copy(update={"ran_ms": ran_ms})
            return LaneClaim(job=job, detail=view.detail, work=work, lane=lane)
        raise Unavailable(f"lane {message.lane} of job {message.job_id} changed faster than it could be joined")

    def renew(self, claim: LaneClaim, ran_ms: int) -> Control:
        """Hold the lane for another lease, and learn what is asked of the run.

        Raises:
            FenceLost: the lane is no longer this worker's, or the run no longer its owner's.
        """
        control = self.control(claim)
        self._update(claim, claim.lane.renew(self.clock()))
        self.queue.extend(claim.work.receipt, LEASE)
        return control

    def control(self, claim: LaneClaim) -> Control:
        """What is asked of the run, without renewing. Raises as :meth:`renew`."""
        job = self.jobs.get(claim.job.project, claim.job.id)
        if job is None or job.run != claim.job.run or job.fence != claim.job.fence or job.outcome is not None:
            raise FenceLost(f"run {claim.job.run} of job {claim.job.id} is over, or has another owner")
        return control_of(job)

    def note_error(self, claim: LaneClaim) -> None:
        """Mark the job as having errors, at once. Raises as :meth:`renew`."""
        for _ in range(TRIES):
            job = self.jobs.get(claim.job.project, claim.job.id)
            if job is None or (job.run, job.fence) != (claim.job.run, claim.job.fence):
                raise FenceLost(f"run {claim.job.run} of job {claim.job.id} has another owner")
            try:
                self.jobs.write(job, job.note_error(self.clock()))
            except Conflict:
                continue
            return
        raise Unavailable(f"job {claim.job.id} changed faster than its lane could write")

    def leave(self, claim: LaneClaim, end: LaneEnd | None, *, returns: bool) -> None:
        """Leave the lane: to another worker, if the message ``returns`` to the queue. Raises as :meth:`renew`."""
        self._update(claim, claim.lane.leave(end))
        if returns:
            self.queue.extend(claim.work.receipt, timedelta(0))
        else:
            self.queue.delete(claim.work.receipt)

    def _update(self, claim: LaneClaim, after: LaneRecord) -> None:
        try:
            self.lists.update(claim.job, claim.lane, after)
        except Conflict as error:
            if after not in self.lists.lanes(claim.job):  # else it was our own write, whose answer was lost
                raise FenceLost(f"lane {after.lane} of job {claim.job.id} was dismissed") from error
        claim.lane = after


def _wants_help(job: Job, run: int, fence: int | None) -> bool:
    held = job.run == run and job.fence == fence and job.worker is not None
    return held and job.outcome is None and job.status is JobStatus.RUNNING
