"""A worker's side of a run: claim one of its lanes, hold it, and end it or hand it back."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from wainwright.contracts.messages import TokenResult
from wainwright.domain.errors import Conflict, FenceLost
from wainwright.domain.failures import PLATFORM_FAILURES, Failure, FailureCategory
from wainwright.domain.instants import to_milliseconds
from wainwright.domain.jobs import LEASE, MAX_LOSSES, Job, JobDetail, Outcome
from wainwright.domain.lanes import OWNER, LaneEnd, LaneRecord
from wainwright.domain.states import AT_REST, JobStatus
from wainwright.ports.clock import Clock
from wainwright.ports.job_store import JobStore
from wainwright.ports.queues import ReceivedWork, WorkQueue
from wainwright.ports.updates import retry_conflicts
from wainwright.ports.work_lists import WorkListStore
from wainwright.ports.workflows import Workflows

MESSAGE_GRACE = timedelta(seconds=2)
"""A message given back because another holds its job comes again this long after the lease ends."""


class Command(StrEnum):
    """A command to those who work on a run."""

    GO_ON = "go_on"
    STOP = "stop"
    CANCEL = "cancel"


_COMMANDS = {JobStatus.CANCELING: Command.CANCEL, JobStatus.STOPPING: Command.STOP}
"""Commands of a job's states to those who work on its run; any other state lets them go on."""


@dataclass
class Claim:
    """A fenced lease on a lane of a run. Lane 0 is the run's owner.

    ``stay`` is the row of any other lane, as this worker wrote it last. With ``ending`` the run is not to be gone on with:
    its owner ends it so, with a report.
    """

    job: Job
    detail: JobDetail
    work: ReceivedWork
    ending: Outcome | None = None
    stay: LaneRecord | None = None

    @property
    def lane(self) -> int:
        """Number of the lane."""
        return self.stay.lane if self.stay else 0

    @property
    def holder(self) -> str:
        """Name by which the lane holds cases of the work list."""
        return self.stay.token if self.stay else OWNER

    @property
    def name(self) -> str:
        """Prefix of the claim's files, which no other claim of the job has."""
        return f"{self.job.fence}.{self.stay.name}" if self.stay else f"{self.job.fence}"


@dataclass(frozen=True)
class HoldClaim:
    """Each method reads a row, decides by it, and writes under the claim's fence and its stay. Old ones are refused."""

    jobs: JobStore
    lists: WorkListStore
    queue: WorkQueue
    workflows: Workflows
    clock: Clock

    def claim(self, work: ReceivedWork, worker: str) -> Claim | None:
        """Take the lane that a message names: of a run's own message the owner's.

        None where there is nothing to do. Then the message was given back if another worker holds the lane, and deleted if
        the run is over. A run is also over, for this message, when its outcome is there already (its token is ended again),
        when the project has no capacity for it any more (it goes back to the line), or when its lanes need no help.

        Raises:
            Unavailable: the rows changed faster than they could be claimed.
        """
        attempt = self._claim_run if work.message.lane is None else self._join
        return retry_conflicts(lambda: attempt(work, worker), f"job {work.message.job_id}")

    def _claim_run(self, work: ReceivedWork, worker: str) -> Claim | None:
        message = work.message
        view = self.jobs.view(message.project, message.job_id)
        if view is None or view.job.run != message.run or view.job.admitted_at is None:
            # The run is over; its execution may wait for the token all the same, and Finish leaves the row as it is.
            self._succeed(work, TokenResult(job_id=message.job_id, run=message.run, fence=0))
            return None
        job, now = view.job, self.clock()
        if job.outcome is not None:
            self._end_token(work, job, job.outcome)
            return None
        if not job.can_be_claimed(now) and job.lease_until is not None:
            self._give_back(work, job.lease_until - now)
            return None
        if not self._has_capacity(job):
            job = self.jobs.write(job, job.restart(now))  # in the line again, and at the cost of no try
            self._succeed(work, TokenResult(job_id=job.id, run=job.run, fence=job.fence))
            return None
        claimed = self.jobs.write(job, job.claim(worker, now))
        self.queue.extend(work.receipt, LEASE)
        return Claim(claimed, view.detail, work, ending=_ending_at_claim(claimed))

    def _join(self, work: ReceivedWork, worker: str) -> Claim | None:
        message = work.message
        view = self.jobs.view(message.project, message.job_id)
        if view is None or message.lane is None or not _needs_help(view.job, message.run, message.fence):
            self.queue.delete(work.receipt)
            return None
        job, now = view.job, self.clock()
        before = next((each for each in self.lists.lanes(job) if each.lane == message.lane), None)
        if before is not None and before.is_live(now):
            self._give_back(work, before.lease_until - now)
            return None
        stay = LaneRecord(
            lane=message.lane, token=str(uuid.uuid4()), worker=worker, lease_until=now + LEASE,
            joined=before.joined + 1 if before else 1,
        )  # fmt: skip
        try:
            self.lists.join(job, stay, before)
        except FenceLost:
            self.queue.delete(work.receipt)
            return None
        self.queue.extend(work.receipt, LEASE)
        # The owner says how long the job has run whenever it renews its lease.
        since = job.lease_until - LEASE if job.lease_until else now
        ran_ms = job.ran_ms + max(to_milliseconds(now - since), 0)
        return Claim(job.model_copy(update={"ran_ms": ran_ms}), view.detail, work, stay=stay)

    def renew(self, claim: Claim, ran_ms: int) -> Command:
        """Hold the lane for another lease, and return what is asked of the run.

        Raises:
            FenceLost: the lane is no longer this worker's, or the run no longer its owner's.
        """
        if claim.stay is None:
            renewed = self._update(claim, lambda job: job.renew(self.clock(), ran_ms))
            command = _COMMANDS.get(renewed.status, Command.GO_ON)
        else:
            command = self.read_command(claim)
            self._update_stay(claim, claim.stay.renew(self.clock()))
        self.queue.extend(claim.work.receipt, LEASE)
        return command

    def read_command(self, claim: Claim) -> Command:
        """Return what is asked of the run, without renewing. Raises as :meth:`renew`."""
        job = _held(claim, self.jobs.get(claim.job.project, claim.job.id))
        return _COMMANDS.get(job.status, Command.GO_ON)

    def note_error(self, claim: Claim) -> None:
        """Mark the job as having errors, at once. Raises as :meth:`renew`."""
        self._update(claim, lambda job: job.note_error(self.clock()))

    def release(self, claim: Claim, ran_ms: int, end: LaneEnd | None = None) -> None:
        """Hand the lane back in good order: its message goes to another worker, which goes on from what is recorded.

        ``end`` is for the row of a lane that is not the owner's. Raises as :meth:`renew`.
        """
        if claim.stay is None:
            self._update(claim, lambda job: job.release(self.clock(), ran_ms))
        else:
            self._update_stay(claim, claim.stay.leave(end))
        self.queue.extend(claim.work.receipt, timedelta(0))

    def leave(self, claim: Claim, end: LaneEnd | None = None) -> None:
        """End a stay in a lane that is not the owner's, and delete its message. Raises as :meth:`renew`."""
        if claim.stay is not None:
            self._update_stay(claim, claim.stay.leave(end))
        self.queue.delete(claim.work.receipt)

    def end(self, claim: Claim, outcome: Outcome, ran_ms: int | None = None) -> None:
        """Keep the run's outcome, end its token, delete its message: in that order, each repeatable. Raises as :meth:`renew`."""
        job = self._update(claim, lambda job: job.record_outcome(outcome, self.clock(), ran_ms))
        self._end_token(claim.work, job, outcome)

    def _has_capacity(self, job: Job) -> bool:
        """False where the project's limit was lowered below what was admitted before (requirement D5)."""
        if job.status is not JobStatus.PENDING:
            return True
        load = self.jobs.load(job.project)
        return load.limits is None or load.running <= load.limits.running

    def _update(self, claim: Claim, step: Callable[[Job], Job]) -> Job:
        job = self.jobs.update(claim.job.project, claim.job.id, lambda job: step(_held(claim, job)))
        if job is None:
            raise FenceLost(f"job {claim.job.id} is gone")
        return job

    def _update_stay(self, claim: Claim, after: LaneRecord) -> None:
        if claim.stay is None:
            return
        try:
            self.lists.update(claim.job, claim.stay, after)
        except Conflict as error:
            if after not in self.lists.lanes(claim.job):  # else it was our own write, whose answer was lost
                raise FenceLost(f"lane {after.lane} of job {claim.job.id} was dismissed") from error
        claim.stay = after

    def _give_back(self, work: ReceivedWork, held_for: timedelta) -> None:
        self.queue.extend(work.receipt, max(held_for, timedelta(0)) + MESSAGE_GRACE)

    def _succeed(self, work: ReceivedWork, result: TokenResult) -> None:
        self.workflows.succeed(work.message.token, result)
        self.queue.delete(work.receipt)

    def _end_token(self, work: ReceivedWork, job: Job, outcome: Outcome) -> None:
        failure = outcome.failure
        if failure is not None and failure.category in PLATFORM_FAILURES:
            self.workflows.fail(work.message.token, error=failure.category, cause=failure.message)
            self.queue.delete(work.receipt)
        else:
            self._succeed(work, TokenResult(job_id=job.id, run=job.run, fence=outcome.fence))


def _held(claim: Claim, job: Job | None) -> Job:
    """Return the job of a claim whose fence still counts. Raises FenceLost: it does not."""
    if job is None or (job.run, job.fence) != (claim.job.run, claim.job.fence) or job.status in AT_REST:
        raise FenceLost(f"run {claim.job.run} of job {claim.job.id} is over, or not held under fence {claim.job.fence}")
    # An owner that has ended or released the run has no claim any more, but other workers may still be in its lanes.
    if (job.worker != claim.job.worker) if claim.stay is None else (job.outcome is not None):
        raise FenceLost(f"run {claim.job.run} of job {claim.job.id} has ended, or has another owner")
    return job


def _needs_help(job: Job, run: int, fence: int | None) -> bool:
    held = job.run == run and job.fence == fence and job.worker is not None
    return held and job.outcome is None and job.status is JobStatus.RUNNING


def _ending_at_claim(job: Job) -> Outcome | None:
    """The outcome of a run that is not to be gone on with."""
    if job.status is JobStatus.CANCELING:
        return Outcome(status=JobStatus.CANCELED, fence=job.fence, tests=job.tests)
    if job.status is JobStatus.STOPPING:
        return Outcome(status=JobStatus.STOPPED, fence=job.fence, tests=job.tests)
    if job.losses >= MAX_LOSSES:
        failure = Failure.of(FailureCategory.WORKER_LOST, f"{job.losses} workers were lost while they ran this job")
        return Outcome(status=JobStatus.FAILED, fence=job.fence, failure=failure, tests=job.tests)
    return None
