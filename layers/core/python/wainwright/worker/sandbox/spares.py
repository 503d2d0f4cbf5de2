"""The worker's spare: one test process that is ready for the next job, used once and thrown away."""

import logging
import time
from pathlib import Path

from wainwright.worker.sandbox.find_browser import BrowserMissing, find_browser
from wainwright.worker.sandbox.isolation import Isolation
from wainwright.worker.sandbox.spare import Spare

MOST_FAILURES = 3
"""Spares that die before they are of use; then there are no more, since the next ones would die as well."""

log = logging.getLogger(__name__)


class Spares:
    """Keeps one. It runs as the tests do, so it is only there while no test code is: started when a suite has ended."""

    def __init__(self, folder: Path, isolation: Isolation, max_seconds: float) -> None:
        self._folder = folder
        self._isolation = isolation
        self._max_seconds = max_seconds
        self._failures = 0
        self._spare: Spare | None = None

    def start(self) -> None:
        """Start one, if there is none. Returns at once."""
        if self._spare is not None or self._failures >= MOST_FAILURES:
            return
        browser = find_browser()
        if isinstance(browser, BrowserMissing):
            return  # a job says so, and may have one by then
        try:
            self._spare = Spare(self._folder, self._isolation, browser)
        except OSError:
            self._failed("a spare could not be started")

    def tend(self) -> None:
        """See that there is one that is alive and not too old."""
        spare = self._spare
        if spare is not None and not spare.usable:
            self.close()
            self._failed("a spare died")
        elif spare is not None and time.monotonic() - spare.started_at > self._max_seconds:
            self.close()
        self.start()

    def take(self) -> Spare | None:
        """The spare, which is the caller's from now on; None if there is none that works."""
        spare, self._spare = self._spare, None
        if spare is None:
            return None
        if spare.await_ready():
            self._failures = 0
            log.info("a spare runs the suite", extra={"seconds": round(time.monotonic() - spare.started_at, 1)})
            return spare
        spare.close()
        self._failed("a spare was not ready when it was wanted")
        return None

    def make_way(self) -> None:
        """End the spare where tests have a user of their own: what another suite, or an installer, runs as the same user could
        change it, or what it has in its folders. It would be no clean start for the next job.
        """
        if self._isolation.user is not None:
            self.close()

    def close(self) -> None:
        """End the spare, if there is one."""
        spare, self._spare = self._spare, None
        if spare is not None:
            spare.close()

    def _failed(self, what: str) -> None:
        self._failures += 1
        log.warning(what, extra={"failures": self._failures, "most": MOST_FAILURES})
