"""Holding a run: the lease is renewed, the row is read, and what it asks is passed on to the suite."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Literal, Protocol

from wainwright.domain.errors import FenceLost
from wainwright.domain.jobs import LEASE
from wainwright.domain.workers import WorkerState
from wainwright.usecases.keep_worker import KeepWorker
from wainwright.usecases.run_job import Claim, Control
from wainwright.usecases.run_lane import LaneClaim
from wainwright.worker.loop.shutdown import ShutdownSignal

LOOK_SECONDS = 2.0
"""How often the row is read: the longest that a cancel goes unnoticed."""

RENEW_SECONDS = 10.0

Reason = Literal["lost", "shutdown", "cancel", "stop"]

log = logging.getLogger(__name__)


class Hold(Protocol):
    """What holds a run, or a lane of one: RunJob with its claims, RunLane with its own."""

    def renew(self, claim: Any, ran_ms: int) -> Control:
        """Hold it for another lease, and learn what is asked of the run."""
        ...

    def control(self, claim: Any) -> Control:
        """What is asked of the run."""
        ...


class Holding:
    """A thread that holds one run, or a lane of one, while its suite runs; also the suite's ``StopRequest``."""

    def __init__(self, hold: Hold, keep: KeepWorker, claim: Claim | LaneClaim, shutdown: ShutdownSignal) -> None:
        self._held = hold
        self._keep = keep
        self._claim = claim
        self._shutdown = shutdown
        self._began = time.monotonic()
        self._reason: Reason | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._hold, name="holding", daemon=True)

    def __enter__(self) -> "Holding":
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._over.set()
        self._thread.join()

    @property
    def ran_ms(self) -> int:
        """Running time of this attempt so far, that of earlier claims included."""
        return self._claim.job.ran_ms + int((time.monotonic() - self._began) * 1_000)

    @property
    def reason(self) -> Reason | None:
        """Why the suite is to end before its end."""
        return "shutdown" if self._reason is None and self._shutdown.requested else self._reason

    @property
    def mode(self) -> Literal["run", "stop", "cancel"]:
        """What the suite is to do."""
        match self.reason:
            case None:
                return "run"
            case "stop":
                return "stop"
            case _:
                return "cancel"

    def abandon(self) -> None:
        """What the suite yields cannot be kept any more: it is to end, and the run is left as it is."""
        self._reason = "lost"

    def _hold(self) -> None:
        renewed = reported = time.monotonic()
        self._try(lambda: self._keep.report(WorkerState.BUSY))
        while not self._over.wait(LOOK_SECONDS) and self._reason != "lost":
            now = time.monotonic()
            if now - renewed >= RENEW_SECONDS:
                if self._try(lambda: self._heed(self._held.renew(self._claim, self.ran_ms))):
                    renewed = now
                elif now - renewed > LEASE.total_seconds():
                    self._reason = "lost"
            else:
                self._try(lambda: self._heed(self._held.control(self._claim)))
            if now - reported >= self._keep.REPORT_SECONDS:
                self._try(lambda: self._keep.report(WorkerState.BUSY))
                reported = now

    def _heed(self, control: Control) -> None:
        if control is Control.CANCEL:
            self._reason = "cancel"
        elif control is Control.STOP and self._reason is None:
            self._reason = "stop"

    def _try(self, step: Callable[[], None]) -> bool:
        try:
            step()
        except FenceLost:
            log.warning("the run is no longer ours", extra={"jobId": self._claim.job.id})
            self._reason = "lost"
        except Exception:
            # A fault of the network must not end the run while the lease lasts; the fence guards what is written.
            log.exception("could not reach the system", extra={"jobId": self._claim.job.id})
            return False
        return True
