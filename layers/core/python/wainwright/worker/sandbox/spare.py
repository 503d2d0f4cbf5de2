"""A test process that was started before there was anything to run: everything imported, Playwright and a browser started.

It waits for one suite, and ends with it. What decides how a process starts cannot be changed in one that has: a suite that
wants something else in that gets a process of its own.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from wainwright.worker.sandbox.environment import OPTIONAL_PLUGINS, child_environment, make_surroundings
from wainwright.worker.sandbox.find_browser import QUIET_FLAGS, Browser, programs
from wainwright.worker.sandbox.isolation import Isolation
from wainwright.worker.sandbox.process import CHILD_PATH, SuiteProcess

READY_SECONDS = 20.0
"""For a spare that is wanted before it is ready. It does what the suite's own process would have to do."""
LOOK_SECONDS = 0.05


class Spare:
    """One such process. Use as a context manager once it is taken: nothing of it outlives the block."""

    def __init__(self, folder: Path, isolation: Isolation, browser: Browser) -> None:
        """Start it, with its private folders in `folder`. Raises OSError if it cannot be started."""
        self._isolation = isolation
        self.browser = browser
        self.started_at = time.monotonic()
        self.place, self._folders = make_surroundings(folder, isolation)
        self._ready = False
        self._events, events_write = os.pipe()
        control_read, self.control = os.pipe()
        self.descriptors = (events_write, control_read)
        own = (self.place.home, self.place.temporary)
        try:
            self.process = SuiteProcess(
                *(self._command(), self.place.root, self._environment(), events_write, control_read),
                isolation=isolation, folders=(self.place.home.parent, self.place.temporary), own=own,
            )  # fmt: skip
        except BaseException:
            os.close(self._events)
            os.close(self.control)
            isolation.remove(*self._folders)
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

    def _environment(self) -> dict[str, str]:
        user = self._isolation.user
        names = {"USER": user.name, "LOGNAME": user.name} if user else {}
        return {**names, **child_environment({}, self.place, CHILD_PATH)}

    @property
    def usable(self) -> bool:
        """Whether it is ready, or may yet be: it has not ended."""
        for stream, line in self.process.read(0):
            if stream == "events" and json.loads(line).get("type") == "ready":
                self._ready = True
        return self.process.running and not self.process.ended

    def await_ready(self) -> bool:
        """Wait until it is ready; False if it ends before, or takes too long."""
        until = time.monotonic() + READY_SECONDS
        while self.usable and not self._ready and time.monotonic() < until:
            time.sleep(LOOK_SECONDS)
        return self._ready and self.usable

    def give(self, arguments: list[str], environment: Mapping[str, str], folder: Path, output: Path) -> None:
        """Let it run the suite in `folder`, with these arguments of pytest and this whole environment."""
        order: dict[str, Any] = {
            "arguments": arguments,
            "environment": dict(environment),
            "folder": str(folder.resolve()),
        }
        data = json.dumps(order).encode()
        self.process.count(folder, output)
        try:
            view = memoryview(f"{len(data)}\n".encode() + data)
            while view:
                view = view[os.write(self.control, view) :]
        except BrokenPipeError:
            return  # it has ended, which is read elsewhere

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End it, with all that it started, and remove its folders."""
        try:
            self.process.__exit__(None, None, None)
        finally:
            os.close(self._events)
            os.close(self.control)
            self._isolation.remove(*self._folders)
