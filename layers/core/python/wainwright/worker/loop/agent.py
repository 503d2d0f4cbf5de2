"""The worker's loop: one claim after another, and out when there is nothing left to do."""

import logging
import time
from datetime import timedelta
from pathlib import Path

from wainwright.domain.errors import FenceLost, WainwrightError
from wainwright.domain.workers import WorkerState
from wainwright.ports.queues import ReceivedWork
from wainwright.settings import WorkerSettings
from wainwright.usecases.hold_claim import Claim
from wainwright.wiring.workers import Worker
from wainwright.worker.run.closing import fail_claim, report_late
from wainwright.worker.run.lane_suite import RunSuite
from wainwright.worker.run.run_session import run_claim, run_suite
from wainwright.worker.run.shutdown import ShutdownSignal
from wainwright.worker.sandbox.hosting import Hosting

LISTEN = timedelta(seconds=2)
"""One long-poll. Short, so that a worker that is to shut down does so soon; idle polling costs $0.0000004 each."""

log = logging.getLogger(__name__)


class Agent:
    """One worker."""

    def __init__(
        self, worker: Worker, settings: WorkerSettings, shutdown: ShutdownSignal, work_dir: Path,
        hosting: Hosting | None = None, run_suite: RunSuite = run_suite,
    ) -> None:  # fmt: skip
        self._worker = worker
        self._settings = settings
        self._shutdown = shutdown
        self._work_dir = work_dir
        self._hosting = hosting or Hosting()
        self._run_suite = run_suite
        self._spooled = worker.spooled()

    def run(self) -> None:
        """Work until shutdown is requested, or until idle for long enough while nothing waits for a worker."""
        log.info("worker started", extra={"worker": self._settings.worker_id})
        try:
            self._work()
            self._spooled.run_last()
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
                leave = keep.can_leave(self._settings.min_warm)
                if leave is True:
                    return
                work = leave if isinstance(leave, ReceivedWork) else None
                idle_since = time.monotonic()
                if work is not None:
                    keep.report(WorkerState.IDLE)  # it does not leave after all
                    reported = idle_since
            if work is not None:
                self.take(work)
                idle_since = time.monotonic()
            # Not after each job: that the worker is there is what counts, whether it is busy or idle.
            if time.monotonic() - reported > keep.REPORT_SECONDS:
                keep.report(WorkerState.IDLE)
                reported = time.monotonic()
            self._spooled.run_if_due()

    def take(self, work: ReceivedWork) -> None:
        """Work on one message, and log what becomes of it."""
        message = work.message
        fields = {"jobId": message.job_id, "run": message.run, "lane": message.lane or 0, "received": work.received}
        try:
            if message.report_only:
                written = report_late(self._worker, work)
                log.info("report written late" if written else "no report is due", extra=fields)
            elif claim := self._worker.claims.claim(work, self._settings.worker_id):
                log.info("claimed", extra=fields | {"fence": claim.job.fence})
                self.run_claim(claim)
            else:
                log.info("nothing to run", extra=fields)
        except FenceLost:
            log.warning("another worker has the run, or it has ended", extra=fields)
        except WainwrightError:
            # The message becomes visible again: the run is tried again, by us or by another.
            log.exception("the run could not be continued", extra=fields)
        except Exception:
            if not message.report_only:
                raise
            # The job is at rest: it is tried again as often as the queue gives the message.
            log.exception("a late report could not be written", extra=fields)

    def run_claim(self, claim: Claim) -> None:
        """Run what was claimed, in a folder of its own; an error of the worker itself ends the run as such."""
        folder = self._work_dir / f"{claim.job.id}-{claim.job.run}-{claim.name}"
        try:
            run_claim(self._worker, claim, folder, self._shutdown, self._hosting, self._run_suite)
        except WainwrightError:
            raise
        except Exception as error:
            log.exception("the worker failed", extra={"jobId": claim.job.id, "run": claim.job.run, "lane": claim.lane})
            fail_claim(self._worker, claim, error)
        finally:
            self._hosting.clear(folder)
