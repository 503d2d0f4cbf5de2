"""One thread that calls functions when their time has come."""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable

logger = logging.getLogger(__name__)


class Timers:
    """Calls functions after a delay, each in a daemon thread of its own, so that a slow one delays no other."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._stopped = False
        self._thread = threading.Thread(target=self._loop, name="timers", daemon=True)

    def start(self) -> None:
        """Begin to call what is due."""
        self._thread.start()

    def stop(self) -> None:
        """Forget everything that is not due yet."""
        with self._changed:
            self._stopped = True
            self._heap.clear()
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def after(self, seconds: float, call: Callable[[], None]) -> None:
        """Call once, `seconds` from now."""
        with self._changed:
            if self._stopped:
                return
            heapq.heappush(self._heap, (time.monotonic() + seconds, next(self._order), call))
            self._changed.notify_all()

    def every(self, seconds: float, call: Callable[[], None]) -> None:
        """Call again and again, first `seconds` from now; calls may overlap, as a schedule's do on AWS."""

        def again() -> None:
            self.after(seconds, again)
            call()

        self.after(seconds, again)

    def _loop(self) -> None:
        while True:
            with self._changed:
                while not self._stopped and (not self._heap or self._heap[0][0] > time.monotonic()):
                    self._changed.wait(self._heap[0][0] - time.monotonic() if self._heap else None)
                if self._stopped:
                    return
                _, _, call = heapq.heappop(self._heap)
            threading.Thread(target=_logged, args=(call,), name="timer-call", daemon=True).start()


def _logged(call: Callable[[], None]) -> None:
    try:
        call()
    except Exception:
        logger.exception("a timed call failed")
