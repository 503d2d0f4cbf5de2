"""The worker's loop: one run after another, and out when there is nothing left to do."""

import logging
import time
from datetime import timedelta
from pathlib import Path

from wainwright.domain.errors import FenceLost, WainwrightError
from wainwright.domain.failures import Failure, FailureCategory
from wainwright.domain.jobs import Outcome
from wainwright.domain.states import JobStatus
from wainwright.domain.workers import WorkerState
from wainwright.ports.queues import ReceivedWork
from wainwright.settings import WorkerSettings
from wainwright.usecases.run_job import Claim
from wainwright.wiring.workers import Worker
from wainwright.worker.loop.shutdown import ShutdownSignal
from wainwright.worker.run.closing import end_claim, report_late
from wainwright.worker.run.lane import run_lane
from wainwright.worker.run.run_claim import run_claim
from wainwright.worker.sandbox.hosting import Hosting

LISTEN = timedelta(seconds=2)
"""One long-poll. Short, so that a worker that is told to go goes soon; idle polling costs $0.0000004 each."""

log = logging.getLogger(__name__)


class Agent:
    """One worker."""

    def __init__(
        self,
        worker: Worker,
        settings: WorkerSettings,
        shutdown: ShutdownSignal,
        work_dir: Path,
        hosting: Hosting | None = None,
    ) -> None:
        self._worker = worker
        self._settings = settings
        self._shutdown = shutdown
        self._work_dir = work_dir
        self._hosting = hosting or Hosting()
        self._spooled = worker.spooled()

    def run(self) -> None:
        """Work until told to go, or idle for long enough while nothing waits for a worker."""
        log.info("worker started", extra={"worker": self._settings.worker_id})
        try:
            self._work()
            self._spooled.last_time()
        finally:
            self._hosting.close()
            self._worker.keep.leave()
            self._hosting.isolation.remove(self._work_dir)
        log.info("worker left", extra={"worker": self._settings.worker_id, "requested": self._shutdown.requested})

    def _work(self) -> None:
        keep = self._worker.keep
        keep.report(WorkerState.IDLE)
        idle_since = reported = time.monotonic()
        while not self._shutdown.requested:
            self._hosting.tend()
            work = self._worker.queue.receive(LISTEN)
            if work is None and time.monotonic() - idle_since >= self._settings.idle_seconds:
                leave = keep.may_leave(self._settings.min_warm)
                if leave is True:
                    return
                work = leave if isinstance(leave, ReceivedWork) else None
                idle_since = time.monotonic()
                if work is not None:
                    keep.report(WorkerState.IDLE)  # it does not leave after all
                    reported = idle_since
            if work is not None:
                self._take(work)
                idle_since = time.monotonic()
            # Not after each job: that the worker is there is what counts, whether it is busy or idle.
            if time.monotonic() - reported > keep.REPORT_SECONDS:
                keep.report(WorkerState.IDLE)
                reported = time.monotonic()
            self._spooled.when_due()

    def _take(self, work: ReceivedWork) -> None:
        message = work.message
        fields = {"jobId": message.job_id, "run": message.run, "received": work.received}
        try:
            if message.lane is not None:
                self._help(work)
                return
            if message.report_only:
                self._report(work)
                return
            claim = self._worker.run_job.claim(work, self._settings.worker_id)
            if claim is None:
                log.info("nothing to run", extra=fields)
                return
            log.info("claimed", extra=fields | {"fence": claim.job.fence})
            self._run(claim)
        except FenceLost:
            log.warning("the run went to another worker", extra=fields)
        except WainwrightError:
            # The message becomes visible again: the run is tried again, by us or by another.
            log.exception("the run could not be worked on", extra=fields)

    def _report(self, work: ReceivedWork) -> None:
        fields = {"jobId": work.message.job_id, "run": work.message.run, "received": work.received}
        try:
            written = report_late(self._worker, work)
        except WainwrightError:
            raise
        except Exception:
            # The job is at rest: it is tried again as often as the queue gives the message.
            log.exception("a late report could not be written", extra=fields)
            return
        log.info("report written late" if written else "no report is owed", extra=fields)

    def _help(self, work: ReceivedWork) -> None:
        claim = self._worker.lanes.join(work, self._settings.worker_id)
        fields = {"jobId": work.message.job_id, "run": work.message.run, "lane": work.message.lane}
        if claim is None:
            log.info("no help is wanted", extra=fields)
            return
        log.info("joined", extra=fields | {"fence": claim.job.fence})
        folder = self._work_dir / f"{claim.job.id}-{claim.job.run}-{claim.job.fence}-{claim.lane.name}"
        try:
            run_lane(self._worker, claim, folder, self._shutdown, self._hosting)
        except FenceLost:
            log.info("the run is over, or has another owner", extra=fields)
        except WainwrightError:
            raise
        except Exception:
            # What it held goes to the other lanes; whether the work can be done at all is for the run's owner to find.
            log.exception("the worker failed in a lane", extra=fields)
            self._worker.lanes.leave(claim, None, returns=False)
        finally:
            self._hosting.clear(folder)

    def _run(self, claim: Claim) -> None:
        folder = self._work_dir / f"{claim.job.id}-{claim.job.run}-{claim.job.fence}"
        try:
            run_claim(self._worker, claim, folder, self._shutdown, self._hosting)
        except WainwrightError:
            raise
        except Exception as error:
            # Another try by the queue would only hide the reason; the job's own retry policy decides whether to try again.
            log.exception("the worker failed", extra={"jobId": claim.job.id, "run": claim.job.run})
            failure = Failure.of(FailureCategory.INFRASTRUCTURE, f"the worker failed: {type(error).__name__}: {error}")
            outcome = Outcome(status=JobStatus.FAILED, fence=claim.job.fence, failure=failure)
            end_claim(self._worker, claim, outcome)
        finally:
            self._hosting.clear(folder)
