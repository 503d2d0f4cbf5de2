"""A worker's side of a run: claim it, hold it, keep what it yields, end it."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from wainwright.contracts.messages import TokenResult
from wainwright.domain.errors import Conflict, FenceLost, Unavailable
from wainwright.domain.failures import PLATFORM_FAILURES, Failure, FailureCategory
from wainwright.domain.jobs import LEASE, MAX_LOSSES, Job, JobDetail, Outcome
from wainwright.domain.states import AT_REST, JobStatus
from wainwright.ports.clock import Clock
from wainwright.ports.job_store import JobStore
from wainwright.ports.queues import ReceivedWork, WorkQueue
from wainwright.ports.workflows import Workflows

TRIES = 8
MESSAGE_GRACE = timedelta(seconds=2)
"""A message given back because another holds its job comes again this long after the lease ends."""

log = logging.getLogger(__name__)


class Control(StrEnum):
    """What the row tells its worker."""

    GO_ON = "go_on"
    STOP = "stop"
    CANCEL = "cancel"


@dataclass(frozen=True)
class Claim:
    """A run in hand. With ``ending`` it is not to be gone on with: whoever has it ends it so, with a report."""

    job: Job
    detail: JobDetail
    work: ReceivedWork
    ending: Outcome | None = None


@dataclass(frozen=True)
class RunJob:
    """Each method reads the row, decides by it, and writes under the claim's fence. An old fence is refused."""

    jobs: JobStore
    queue: WorkQueue
    workflows: Workflows
    clock: Clock

    def claim(self, work: ReceivedWork, worker: str) -> Claim | None:
        """Take the run that a message names.

        None where there is nothing to run: the run is over (message deleted), its outcome is there already (token ended,
        message deleted), another worker holds it (message given back), or the project has no room for it any more (back into
        the line).
        """
        message = work.message
        for _ in range(TRIES):
            view = self.jobs.view(message.project, message.job_id)
            if view is None or view.job.run != message.run or view.job.admitted_at is None:
                # The run is over; its execution may wait for the token all the same, and Finish leaves the row as it is.
                over = TokenResult(job_id=message.job_id, run=message.run, fence=0)
                self.workflows.succeed(message.token, over)
                self.queue.delete(work.receipt)
                return None
            job, now = view.job, self.clock()
            if job.outcome is not None:
                self._end_token(work, job, job.outcome)
                return None
            if not job.can_be_claimed(now) and job.lease_until is not None:
                self.queue.extend(work.receipt, max(job.lease_until - now, timedelta(0)) + MESSAGE_GRACE)
                return None
            try:
                if self._without_room(job):
                    self._hand_back(work, self.jobs.write(job, job.restart(now)))
                    return None
                claimed = self.jobs.write(job, job.claim(worker, now))
            except Conflict:
                continue
            self.queue.extend(work.receipt, LEASE)
            return Claim(job=claimed, detail=view.detail, work=work, ending=_ending_at_claim(claimed))
        raise Unavailable(f"job {message.job_id} changed faster than it could be claimed")

    def renew(self, claim: Claim, ran_ms: int) -> Control:
        """Hold the run for another lease, and learn what is asked of it.

        Raises:
            FenceLost: the run is no longer this worker's.
        """
        job = self._write(claim, lambda job: job.renew(self.clock(), ran_ms))
        self.queue.extend(claim.work.receipt, LEASE)
        return control_of(job)

    def control(self, claim: Claim) -> Control:
        """What is asked of the run, without renewing. Raises as :meth:`renew`."""
        return control_of(self._held(claim))

    def note_error(self, claim: Claim) -> None:
        """Mark the job as having errors, at once. Raises as :meth:`renew`."""
        self._write(claim, lambda job: job.note_error(self.clock()))

    def release(self, claim: Claim, ran_ms: int) -> None:
        """Hand the run back in good order: the message goes to another worker, which goes on from what is recorded."""
        self._write(claim, lambda job: job.release(self.clock(), ran_ms))
        self.queue.extend(claim.work.receipt, timedelta(0))

    def end(self, claim: Claim, outcome: Outcome, ran_ms: int | None = None) -> None:
        """Keep the outcome, end the token, delete the message: in that order, each repeatable. Raises as :meth:`renew`."""
        job = self._write(claim, lambda job: job.record_outcome(outcome, self.clock(), ran_ms))
        self._end_token(claim.work, job, outcome)

    def _without_room(self, job: Job) -> bool:
        """Whether the project's limit was lowered below what was admitted before (requirement D5)."""
        if job.status is not JobStatus.PENDING:
            return False
        load = self.jobs.load(job.project)
        return load.limits is not None and load.running > load.limits.running

    def _hand_back(self, work: ReceivedWork, job: Job) -> None:
        """The job is in the line again and has used up no try; this run is over."""
        result = TokenResult(job_id=job.id, run=job.run, fence=job.fence)
        self.workflows.succeed(work.message.token, result)
        self.queue.delete(work.receipt)

    def _held(self, claim: Claim) -> Job:
        job = self.jobs.get(claim.job.project, claim.job.id)
        if job is None or job.run != claim.job.run or job.fence != claim.job.fence or job.worker != claim.job.worker:
            raise FenceLost(
                f"run {claim.job.run} of job {claim.job.id} is no longer held under fence {claim.job.fence}"
            )
        if job.status in AT_REST:
            raise FenceLost(f"job {claim.job.id} is {job.status} already")
        return job

    def _write(self, claim: Claim, step: Callable[[Job], Job]) -> Job:
        for _ in range(TRIES):
            job = self._held(claim)
            try:
                return self.jobs.write(job, step(job))
            except Conflict:
                continue
        raise Unavailable(f"job {claim.job.id} changed faster than its worker could write")

    def _end_token(self, work: ReceivedWork, job: Job, outcome: Outcome) -> None:
        failure = outcome.failure
        if failure is not None and failure.category in PLATFORM_FAILURES:
            self.workflows.fail(work.message.token, error=failure.category, cause=failure.message)
        else:
            result = TokenResult(job_id=job.id, run=job.run, fence=outcome.fence)
            self.workflows.succeed(work.message.token, result)
        self.queue.delete(work.receipt)


def control_of(job: Job) -> Control:
    """What a job's state tells those who work on its run."""
    match job.status:
        case JobStatus.CANCELING:
            return Control.CANCEL
        case JobStatus.STOPPING:
            return Control.STOP
        case _:
            return Control.GO_ON


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
