"""A worker that runs nothing: it takes each run and ends it as completed, by the same use cases as the real one.

What it leaves out is what is not the control plane: bundle, test process, results, report. ``--idle``: a worker that is there
and takes nothing, so that what is queued stays queued.
"""

from __future__ import annotations

import os
import signal
import sys

from wainwright.domain.jobs import Outcome
from wainwright.domain.reports import ReportRef
from wainwright.domain.states import JobStatus
from wainwright.settings import WorkerSettings
from wainwright.usecases.hold_claim import Claim
from wainwright.wiring import workers
from wainwright.worker.loop.agent import Agent
from wainwright.worker.loop.parent_watch import watch_parent
from wainwright.worker.run.shutdown import ShutdownSignal


class NoopAgent(Agent):
    """The worker's own loop, with nothing where it would run the suite."""

    def run_claim(self, claim: Claim) -> None:
        if claim.lane:  # its owner has ended the run, or is about to
            self._worker.claims.leave(claim)
            return
        # Named as written, for a job at rest without its report would be given to a worker once more.
        report = ReportRef(fence=claim.job.fence, complete=True, viewer="none")
        done = Outcome(status=JobStatus.COMPLETED, fence=claim.job.fence, report=report)
        self._worker.claims.end(claim, claim.ending or done)


def main() -> int:
    """Work until told to go."""
    watch_parent(os.environ)
    if "--idle" in sys.argv:
        while True:
            signal.pause()
    shutdown = ShutdownSignal()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: shutdown.request())
    settings = WorkerSettings.read(os.environ)
    settings.home.mkdir(parents=True, mode=0o700)
    NoopAgent(workers.worker(settings), settings, shutdown, settings.home).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
