"""What the worker asks of the running test process, over a pipe: to run no further test, or to end the running one now."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Generator
from types import FrameType
from typing import Any

REPEAT_SECONDS = 0.25
"""How long the running test may take to notice that its time is up before it is told again."""


class TimeIsUp(BaseException):
    """The time of the whole suite ran out while this test ran. Not an Exception, which tests may swallow."""

    def __init__(self) -> None:
        super().__init__("The time of the whole suite ran out while this test ran")


class Control:
    """Lines from the worker, read by a thread of its own: `stop`, or `expire`, which stops too."""

    def __init__(self, descriptor: int) -> None:
        os.set_inheritable(descriptor, False)
        self.stopping = False
        self._descriptor = descriptor
        self._expired = False
        self._interruptible = False
        self._told = threading.Event()
        self._test_greenlet: Any = None

    def start(self) -> None:
        """Begin to listen. Must be called from the main thread, which is the one that runs tests."""
        signal.signal(signal.SIGUSR1, self._on_signal)
        threading.Thread(target=self._listen, name="wainwright-control", daemon=True).start()

    def _listen(self) -> None:
        with os.fdopen(self._descriptor, "r", encoding="ascii", errors="replace") as lines:
            for line in lines:
                self.stopping = True
                if line.strip() == "expire":
                    self._expired = True
                    while not self._told.wait(REPEAT_SECONDS):
                        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)

    def interruptible(self) -> Generator[None, Any, Any]:
        """The body of a hook wrapper: within it the test may be ended by TimeIsUp."""
        self._test_greenlet = current_greenlet()
        self._interruptible = True
        try:
            if self._expired:
                self._end_test()
            return (yield)
        finally:
            self._interruptible = False

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        if not self._interruptible:
            return
        if current_greenlet() is self._test_greenlet:
            self._end_test()
            return
        # The test waits in a call of Playwright's sync API, whose event loop runs in a greenlet of its own. An error raised here
        # would hit whatever the loop is doing, such as reading from the driver, and cost the connection and the trace.
        asyncio.get_running_loop().call_soon_threadsafe(self._end_test_from_loop)

    def _end_test_from_loop(self) -> None:
        """As a callback of the loop, which is how a waiting call is resumed anyway."""
        if self._interruptible and not self._told.is_set():
            self._interruptible = False
            self._told.set()
            self._test_greenlet.throw(TimeIsUp())

    def _end_test(self) -> None:
        if not self._told.is_set():
            self._interruptible = False
            self._told.set()
            raise TimeIsUp


def current_greenlet() -> Any:
    """The running greenlet; None as long as nothing in this process uses any."""
    greenlet = sys.modules.get("greenlet")
    return greenlet.getcurrent() if greenlet else None
