"""Calls of functions when their time has come."""

import logging
import threading
from collections.abc import Callable

logger = logging.getLogger(__name__)


class Timers:
    """Calls functions after a delay, each in a daemon thread of its own, so that a slow one delays no other."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pending: set[threading.Timer] = set()
        self._stopped = False

    def stop(self) -> None:
        """Forget everything that is not due yet."""
        with self._lock:
            self._stopped = True
            for timer in self._pending:
                timer.cancel()

    def after(self, seconds: float, call: Callable[[], None]) -> None:
        """Call once, `seconds` from now."""

        def run() -> None:
            with self._lock:
                self._pending.discard(timer)
            try:
                call()
            except Exception:
                logger.exception("a timed call failed")

        timer = threading.Timer(seconds, run)
        timer.name, timer.daemon = "timer-call", True
        with self._lock:
            if not self._stopped:
                self._pending.add(timer)
                timer.start()

    def every(self, seconds: float, call: Callable[[], None]) -> None:
        """Call again and again, first `seconds` from now; calls may overlap, as a schedule's do on AWS."""

        def again() -> None:
            self.after(seconds, again)
            call()

        self.after(seconds, again)
