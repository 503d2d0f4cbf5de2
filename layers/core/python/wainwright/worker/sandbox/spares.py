"""Spares: test processes that are started ahead, with everything imported, Playwright and a browser started.

A spare waits for one suite, and ends with it. Nothing can be changed that decides how a process starts: a suite that wants
something else there gets a process of its own.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Self

from wainwright.worker.sandbox.environment import child_environment, make_private_folders
from wainwright.worker.sandbox.find_browser import QUIET_FLAGS, Browser, BrowserMissing, find_browser, programs
from wainwright.worker.sandbox.isolation import Isolation
from wainwright.worker.sandbox.process import CHILD_PATH, SuiteProcess

READY_SECONDS = 20.0
"""For a spare that is wanted before it is ready. It does what the suite's own process would have to do."""
POLL_SECONDS = 0.05
MAX_FAILURES = 3
"""Spares that die before they are of use; then there are no more, since the next ones would die as well."""
OPTIONAL_PLUGINS = {
    "schemathesis": "schemathesis",
    "hypothesispytest": "hypothesis",
    "typeguard": "typeguard",
    "anyio": "anyio",
    "asyncio": "asyncio",
}
"""Entry point of a pytest plugin -> the word by which a suite that uses it is known. Loading all of them takes 2 s
and more, so a spare has none of them.
"""

log = logging.getLogger(__name__)


class Spare:
    """One test process that waits. Use as a context manager once it is taken: nothing of it outlives the block."""

    def __init__(self, folder: Path, isolation: Isolation, browser: Browser) -> None:
        """Start it, with its private folders in `folder`. Raises OSError if it cannot be started."""
        self._isolation = isolation
        self.browser = browser
        self.started_at = time.monotonic()
        self.place = make_private_folders(folder, isolation)
        self._ready = False
        self._events, events_write = os.pipe()
        control_read, self.control = os.pipe()
        self.descriptors = (events_write, control_read)
        environment = {**isolation.user_names, **child_environment({}, self.place, CHILD_PATH)}
        try:
            self.process = SuiteProcess(
                *(self._command(), self.place.root, environment, events_write, control_read),
                isolation=isolation, folders=(self.place.home.parent, self.place.temporary), own=self.place.own,
            )  # fmt: skip
        except BaseException:
            self._clean_up()
            raise
        finally:
            os.close(events_write)
            os.close(control_read)
        self.process.watch_events(self._events)

    def _command(self) -> list[str]:
        settings = {
            **programs([self.browser]),
            "launchArgs": [*QUIET_FLAGS],
            "sandbox": False,
            "traces": str(self.place.traces),
            "withoutPlugins": ["playwright-asyncio", *OPTIONAL_PLUGINS],
        }
        path = self.place.root / "spare.json"
        path.write_text(json.dumps(settings), encoding="utf-8")
        return [sys.executable, "-m", "wainwright_child.spare", *map(str, self.descriptors), str(path)]

    @property
    def usable(self) -> bool:
        """True while it is ready, or may yet become so: it has not ended."""
        for stream, line in self.process.read(0):
            if stream == "events" and json.loads(line).get("type") == "ready":
                self._ready = True
        return self.process.running and not self.process.ended

    def await_ready(self) -> bool:
        """Wait until it is ready; False if it ends before, or takes too long."""
        until = time.monotonic() + READY_SECONDS
        while self.usable and not self._ready and time.monotonic() < until:
            time.sleep(POLL_SECONDS)
        return self._ready and self.usable

    def give(self, arguments: list[str], environment: Mapping[str, str], folder: Path, output: Path) -> None:
        """Let it run the suite in `folder`, with these arguments of pytest and this whole environment. What lies in the two
        folders counts against the bound on disk space from now on."""
        data = json.dumps(
            {"arguments": arguments, "environment": dict(environment), "folder": str(folder.resolve())}
        ).encode()
        self.process.count(folder, output)
        view = memoryview(f"{len(data)}\n".encode() + data)
        with suppress(BrokenPipeError):  # it has ended, which is read elsewhere
            while view:
                view = view[os.write(self.control, view) :]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """End it, with all that it started, and remove its folders."""
        try:
            self.process.close()
        finally:
            self._clean_up()

    def _clean_up(self) -> None:
        os.close(self._events)
        os.close(self.control)
        self.place.remove(self._isolation)


class Spares:
    """Keeps one spare ready. It runs as the tests do, so it is only there while no test code is: started when a suite ended."""

    def __init__(self, folder: Path, isolation: Isolation, max_seconds: float) -> None:
        self._folder = folder
        self._isolation = isolation
        self._max_seconds = max_seconds
        self._failures = 0
        self.waiting: Spare | None = None
        """Ready for a suite, or getting so."""

    def start(self) -> None:
        """Start one, if there is none. Returns at once."""
        if self.waiting is not None or self._failures >= MAX_FAILURES:
            return
        browser = find_browser()
        if isinstance(browser, BrowserMissing):
            return  # a job says so, and may have one by then
        try:
            self.waiting = Spare(self._folder, self._isolation, browser)
        except OSError:
            self._note_failure("a spare could not be started")

    def tend(self) -> None:
        """Replace a spare that has died or is too old. To be called while nothing runs."""
        spare = self.waiting
        if spare is not None and not spare.usable:
            self.close()
            self._note_failure("a spare died")
        elif spare is not None and time.monotonic() - spare.started_at > self._max_seconds:
            self.close()
        self.start()

    def take(self) -> Spare | None:
        """Return the spare, which is the caller's from now on; None if there is none that works."""
        spare, self.waiting = self.waiting, None
        if spare is None:
            return None
        if spare.await_ready():
            self._failures = 0
            log.info("a spare runs the suite", extra={"seconds": round(time.monotonic() - spare.started_at, 1)})
            return spare
        spare.close()
        self._note_failure("a spare was not ready when it was needed")
        return None

    def make_way(self) -> None:
        """End the spare where tests have a process user, before other code runs as that user: it could change the spare, or its
        folders, which would be no clean start for the next job."""
        if self._isolation.user is not None:
            self.close()

    def close(self) -> None:
        """End the spare, if there is one."""
        spare, self.waiting = self.waiting, None
        if spare is not None:
            spare.close()

    def _note_failure(self, what: str) -> None:
        self._failures += 1
        log.warning(what, extra={"failures": self._failures, "most": MAX_FAILURES})
