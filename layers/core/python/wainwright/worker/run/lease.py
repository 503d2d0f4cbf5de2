"""The lease of a claim: it is renewed, the job's row is read, and what it asks is passed on to the suite."""

import faulthandler
import logging
import threading
import time
from collections.abc import Callable
from typing import Literal, Self

from wainwright.domain.errors import FenceLost
from wainwright.domain.jobs import LEASE
from wainwright.domain.workers import WorkerState
from wainwright.usecases.hold_claim import Claim, Command, HoldClaim
from wainwright.usecases.keep_worker import KeepWorker
from wainwright.worker.run.shutdown import ShutdownSignal

LOOK_SECONDS = 2.0
"""Seconds between two readings of the row: the longest that a cancel goes unnoticed."""

RENEW_SECONDS = 10.0

STDERR = 2
"""Its file descriptor."""

Reason = Literal["lost", "shutdown", "cancel", "stop"]

log = logging.getLogger(__name__)


class LeaseKeeper:
    """A thread that holds one claim while its suite runs; also the suite's ``StopRequest``.

    ``wait`` waits so many seconds, and returns True once the lease is to be held no more; by default it is told so at the
    end of the ``with`` block. A worker that hangs for the length of a lease exits: others take its work.
    """

    def __init__(
        self, claims: HoldClaim, keep: KeepWorker, claim: Claim, shutdown: ShutdownSignal,
        *, monotonic: Callable[[], float] = time.monotonic, wait: Callable[[float], bool] | None = None,
    ) -> None:  # fmt: skip
        self._claims = claims
        self._keep = keep
        self._claim = claim
        self._shutdown = shutdown
        self._monotonic = monotonic
        self._began = monotonic()
        self._reason: Reason | None = None
        self._over = threading.Event()
        self._wait = wait or self._over.wait
        self._thread = threading.Thread(target=self._hold, name="lease", daemon=True)

    def __enter__(self) -> Self:
        _exit_if_hung()
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._over.set()
        self._thread.join()

    @property
    def ran_ms(self) -> int:
        """Running time of this attempt so far, that of earlier claims included."""
        return self._claim.job.ran_ms + int((self._monotonic() - self._began) * 1_000)

    @property
    def reason(self) -> Reason | None:
        """Reason for which the suite is to end early, if there is one."""
        return "shutdown" if self._reason is None and self._shutdown.requested else self._reason

    @property
    def mode(self) -> Literal["run", "stop", "cancel"]:
        match self.reason:
            case None:
                return "run"
            case "stop":
                return "stop"
            case _:
                return "cancel"

    def abandon(self) -> None:
        """Give the claim up: results cannot be kept any more. The suite is to end, and the run is left as it is."""
        self._reason = "lost"

    def _hold(self) -> None:
        try:
            self._renew_until_over()
        finally:
            faulthandler.cancel_dump_traceback_later()

    def _renew_until_over(self) -> None:
        renewed = reported = self._monotonic()
        self._try(lambda: self._keep.report(WorkerState.BUSY))
        while not self._wait(LOOK_SECONDS) and self._reason != "lost":
            now = self._monotonic()
            if now - renewed >= RENEW_SECONDS:
                if self._try(lambda: self._heed(self._claims.renew(self._claim, self.ran_ms))):
                    renewed = now
                elif now - renewed > LEASE.total_seconds():
                    self._reason = "lost"
            else:
                self._try(lambda: self._heed(self._claims.read_command(self._claim)))
            if now - reported >= self._keep.REPORT_SECONDS:
                self._try(lambda: self._keep.report(WorkerState.BUSY))
                reported = now

    def _heed(self, command: Command) -> None:
        if command is Command.CANCEL:
            self._reason = "cancel"
        elif command is Command.STOP and self._reason is None:
            self._reason = "stop"

    def _try(self, step: Callable[[], None]) -> bool:
        _exit_if_hung()
        try:
            step()
        except FenceLost:
            log.warning("the claim on the run was lost", extra={"jobId": self._claim.job.id})
            self._reason = "lost"
        except Exception:
            # A fault of the network must not end the run while the lease lasts; the fence guards what is written.
            log.exception("could not reach the system", extra={"jobId": self._claim.job.id})
            return False
        return True


def _exit_if_hung() -> None:
    """Have the process exit with all its stacks logged, unless this is called again within a lease.

    It works even where a thread holds the interpreter's lock, and for process 1 of a container, which no signal ends.
    """
    faulthandler.dump_traceback_later(LEASE.total_seconds(), exit=True, file=STDERR)
