"""Commands of the worker, over a pipe: run no further test, or end the running one now; and, for a feed, the tests to run."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Generator
from functools import wraps
from types import FrameType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .feeding import Feed

REPEAT_SECONDS = 0.25
"""For the running test to notice that its time is up, before it is told again."""
MOST_ASKED = 8
"""So often a test of the async API is asked to end in good order; one that holds up its event loop is then ended as it is."""


class TimeIsUp(BaseException):
    """The time of the whole suite ran out while this test ran. Not an Exception, which tests may swallow."""

    kind = "job_timeout"
    message = "The time of the whole suite ran out while this test ran"

    def __init__(self) -> None:
        super().__init__(self.message)


class Canceled(TimeIsUp):
    """The job was canceled while this test ran."""

    kind = "canceled"
    message = "The job was canceled while this test ran"


ENDS = {"expire": TimeIsUp, "cancel": Canceled}
"""Lines that end the running test, and how."""


class Control:
    """Lines from the worker, read by a thread: `stop`; `expire` and `cancel`, which stop too; the rest is for `others`."""

    def __init__(self, descriptor: int, others: Feed | None = None) -> None:
        os.set_inheritable(descriptor, False)
        self.stopping = False
        self._others = others
        self._descriptor = descriptor
        self._ended_by: type[TimeIsUp] | None = None
        self._interruptible = False
        self._told = threading.Event()
        self._test_greenlet: Any = None
        self._awaited: list[tuple[Any, asyncio.Future[Any]]] = []
        self._asked = 0
        self._cancelled = False

    def start(self) -> None:
        """Begin to listen. Must be called from the main thread, which is the one that runs tests."""
        signal.signal(signal.SIGUSR1, self._on_signal)
        self._watch_event_loops()
        threading.Thread(target=self._listen, name="wainwright-control", daemon=True).start()

    def _listen(self) -> None:
        with os.fdopen(self._descriptor, "r", encoding="ascii", errors="replace") as lines:
            for line in lines:
                if self._others and line.strip() not in ("stop", *ENDS):
                    self._others.say(line.strip())
                    continue
                self.stopping = True
                if self._others:
                    self._others.end()
                if line.strip() in ENDS:
                    self._ended_by = ENDS[line.strip()]
                    while not self._told.wait(REPEAT_SECONDS):
                        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)

    def interruptible(self) -> Generator[None, Any, Any]:
        """The body of a hook wrapper: within it the test may be ended by TimeIsUp."""
        self._test_greenlet = current_greenlet()
        self._interruptible = True
        try:
            if self._ended_by:
                self._end_test()
            return (yield)
        except asyncio.CancelledError as error:
            if not self._cancelled:
                raise
            raise self._end().with_traceback(error.__traceback__) from None
        finally:
            self._interruptible = False

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        if not self._interruptible:
            return
        if current_greenlet() is self._test_greenlet:
            if self._awaited and self._awaited[-1][0] is self._test_greenlet and self._asked < MOST_ASKED:
                # The test is a coroutine. An error raised here would come out of its event loop, which may be in the middle of
                # anything, and would leave the coroutine hanging: cancelled, it ends in good order, and so do its fixtures.
                self._asked += 1
                future = self._awaited[-1][1]
                future.get_loop().call_soon_threadsafe(self._cancel, future)
            else:
                self._end_test()
            return
        # The test waits in a call of Playwright's sync API, whose event loop runs in a greenlet of its own. An error raised here
        # would hit whatever the loop is doing, such as reading from the driver, and cost the connection and the trace.
        asyncio.get_running_loop().call_soon_threadsafe(self._end_test_from_loop)

    def _end_test_from_loop(self) -> None:
        """End the test from a callback of the loop, which is how a waiting call is resumed anyway."""
        if self._interruptible and not self._told.is_set():
            self._interruptible = False
            self._told.set()
            self._test_greenlet.throw(self._end())

    def _cancel(self, future: asyncio.Future[Any]) -> None:
        """End the test's coroutine from a callback of the loop that it runs in."""
        if self._interruptible and not self._told.is_set():
            self._interruptible = False
            self._told.set()
            self._cancelled = future.cancel()

    def _watch_event_loops(self) -> None:
        """Know what the main thread awaits, whoever runs its event loop: pytest-asyncio, asyncio.run or the test itself."""
        original = asyncio.BaseEventLoop.run_until_complete

        @wraps(original)
        def run_until_complete(loop: asyncio.BaseEventLoop, future: Any) -> Any:
            elsewhere = threading.current_thread() is not threading.main_thread()
            if elsewhere or loop.is_running() or loop.is_closed():  # the latter two are its own to complain of
                return original(loop, future)
            task = asyncio.ensure_future(future, loop=loop)
            self._awaited.append((current_greenlet(), task))
            try:
                return original(loop, task)
            finally:
                self._awaited.pop()

        setattr(asyncio.BaseEventLoop, "run_until_complete", run_until_complete)  # noqa: B010 - a type checker minds it

    def _end_test(self) -> None:
        if not self._told.is_set():
            self._interruptible = False
            self._told.set()
            raise self._end()

    def _end(self) -> TimeIsUp:
        return (self._ended_by or TimeIsUp)()


def current_greenlet() -> Any:
    """The running greenlet; None as long as nothing in this process uses any."""
    greenlet = sys.modules.get("greenlet")
    return greenlet.getcurrent() if greenlet else None
