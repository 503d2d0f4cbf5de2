"""Runs a pytest suite in a child process and reports what happens while it happens."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .browsers import QUIET_FLAGS, Browser, BrowserMissing, find_browser
from .config import browser_settings
from .environment import Surroundings, child_environment, own_configuration, suite_style, surroundings
from .memory import oom_kills
from .model import Event, JobLog, StopRequest, SuiteEnd, SuiteError, SuiteRequest
from .process import SuiteProcess
from .session import Session

POLL_SECONDS = 0.1
"""How often a stop or the deadline is looked at while the child is silent."""
EXPIRY_GRACE_SECONDS = 15.0
"""After the deadline: for the running test to be ended and its trace to be written, before everything is killed."""
CHILD_PATH = Path(__file__).parent / "child"
FACADE = tuple(Path(__file__).parents[2] / name for name in ("__init__.py", "in_job.py", "version.py"))
"""What test code may import of Wainwright: copied, so that nothing else of the package comes within its reach by it."""


def run_suite(
    request: SuiteRequest,
    on_event: Callable[[Event], None],
    stop: StopRequest,
    *,
    expiry_grace_seconds: float = EXPIRY_GRACE_SECONDS,
) -> SuiteEnd:
    """Run the suite to its end, a stop, a cancel or its time-out.

    `on_event` is called from this thread, in order, as things happen; while it runs nothing is read, so it should
    return quickly. If it raises, the suite is killed and the error goes to the caller. Raises OSError if a folder is
    missing or no process can be started; whatever the suite itself does ends as a `SuiteEnd`.
    """
    browser = find_browser(request.browser)
    if isinstance(browser, BrowserMissing):
        return SuiteEnd("browser_missing", errors=(SuiteError(browser.message),))
    with surroundings(request.output) as place:
        return _Run(request, browser, place, on_event, stop, expiry_grace_seconds).run()


class _Run:
    """One run of one suite."""

    def __init__(
        self,
        request: SuiteRequest,
        browser: Browser,
        place: Surroundings,
        on_event: Callable[[Event], None],
        stop: StopRequest,
        expiry_grace_seconds: float,
    ) -> None:
        self._request = request
        self._browser = browser
        self._place = place
        self._stop = stop
        self._grace = expiry_grace_seconds
        self._on_event = on_event
        self._session = Session(request.folder.resolve(), request.output.resolve(), on_event)
        self._expired_at: float | None = None
        self._told_to_stop = False

    def run(self) -> SuiteEnd:
        """Start, read to the end, and say how it ended."""
        kills_before = oom_kills()
        events_read, events_write = os.pipe()
        control_read, control_write = os.pipe()
        try:
            settings = self._write_settings(events_write, control_read)
            environment = child_environment(self._request.env, self._place, CHILD_PATH)
            with _Closing(events_write, control_read):
                process = SuiteProcess(
                    self._command(settings), self._request.folder, environment, events_write, control_read
                )
            with process:
                process.watch_events(events_read)
                self._read(process, control_write)
                status = process.exit_status()
                dropped = process.dropped
        finally:
            os.close(events_read)
            os.close(control_write)
        kills = oom_kills()
        counted = None if kills is None or kills_before is None else kills - kills_before
        return self._session.end(status, self._ended_by_us(), dropped, counted)

    def _ended_by_us(self) -> str | None:
        if self._stop.mode == "cancel":
            return "canceled"
        if self._expired_at is not None:
            return "timed_out"
        return "stopped" if self._told_to_stop else None

    def _read(self, process: SuiteProcess, control: int) -> None:
        timeout_ms = self._request.timeout_ms
        deadline = None if timeout_ms is None else time.monotonic() + timeout_ms / 1000
        while process.running:
            for stream, line in process.read(POLL_SECONDS):
                self._session.take(stream, line)
            now = time.monotonic()
            if self._stop.mode == "cancel" or (self._expired_at and now > self._expired_at + self._grace):
                process.kill()
            elif deadline is not None and now > deadline and self._expired_at is None:
                self._expired_at = now
                _tell(control, b"expire\n")
            elif self._stop.mode == "stop" and not self._told_to_stop:
                self._told_to_stop = True
                _tell(control, b"stop\n")

    def _write_settings(self, events_fd: int, control_fd: int) -> Path:
        request = self._request
        configured = browser_settings(request.config, request.base_url)
        if configured["headers"] and configured["headersOrigin"] is None:
            message = "config.extraHeaders are not sent: they go to the origin of the job's url, and it has no url"
            self._on_event(JobLog("ERROR", message))
        settings: dict[str, Any] = {
            **configured,
            "eventsFd": events_fd,
            "controlFd": control_fd,
            "browser": self._browser.name,
            "executable": str(self._browser.executable) if self._browser.executable else None,
            "launchArgs": [*QUIET_FLAGS, *configured["launchArgs"]],
            "sandbox": request.sandbox,
            "deselect": sorted(request.deselect),
            "options": self._options(),
            "logs": str(request.output.resolve() / "logs"),
            "job": request.job,
            "facade": str(self._facade()),
        }
        path = self._place.root / "settings.json"
        path.write_text(json.dumps(settings), encoding="utf-8")
        return path

    def _facade(self) -> Path:
        """The folder that makes `import wainwright` work in tests."""
        package = self._place.root / "facade" / "wainwright"
        package.mkdir(parents=True)
        for file in FACADE:
            shutil.copyfile(file, package / file.name)
        return package.parent

    def _command(self, settings: Path) -> list[str]:
        folder = self._request.folder.resolve()
        configuration = own_configuration(folder)
        if configuration is None:
            # Without a file of its own pytest would look for one in the parent folders.
            configuration = self._place.root / "pytest.ini"
            configuration.write_text("[pytest]\n", encoding="utf-8")
        blocked = [option for plugin in suite_style(folder).blocked_plugins for option in ("-p", f"no:{plugin}")]
        return [
            *(sys.executable, "-m", "pytest"),
            *("-p", "wainwright_child.plugin", "--wainwright-settings", str(settings)),
            *("-p", "no:cacheprovider", *blocked),
            *("-c", str(configuration), "--rootdir", str(folder), "--confcutdir", str(folder), "--color=no"),
        ]

    def _options(self) -> dict[str, Any]:
        """Of pytest-playwright, pytest-base-url and pytest-xdist: one browser, no window, no parallel workers, our evidence."""
        request = self._request
        options: dict[str, Any] = {
            "browser": [request.browser],
            "headed": False,
            "numprocesses": 0,
            "tracing": request.trace,
            "screenshot": "only-on-failure" if request.screenshot == "retain-on-failure" else request.screenshot,
            "video": request.video,
            # A folder of its own below ours, since pytest-playwright empties the one that it is given.
            "output": str(request.output.resolve() / "playwright"),
        }
        return {**options, "base_url": request.base_url} if request.base_url else options


class _Closing:
    """Closes our copies of descriptors that a child has inherited, also when it could not be started."""

    def __init__(self, *descriptors: int) -> None:
        self._descriptors = descriptors

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        for descriptor in self._descriptors:
            os.close(descriptor)


def _tell(control: int, line: bytes) -> None:
    try:
        os.write(control, line)
    except BrokenPipeError:
        return  # it has ended meanwhile, which is what was asked for
