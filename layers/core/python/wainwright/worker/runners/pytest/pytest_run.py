"""Runs a pytest suite in a child process and reports what happens while it happens."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wainwright.worker.runners.browser_settings import build_settings
from wainwright.worker.runners.interrupted_evidence import collect_evidence
from wainwright.worker.runners.pytest.plain_script import find_script
from wainwright.worker.runners.pytest.suite_style import own_configuration, suite_style
from wainwright.worker.runners.suite import (
    Attachment,
    EndReason,
    Event,
    StopRequest,
    SuiteEnd,
    SuiteError,
    SuiteRequest,
)
from wainwright.worker.runners.suite_session import Record, Session
from wainwright.worker.runners.supervised_run import POLL_SECONDS, Child, SupervisedRun, send_line
from wainwright.worker.sandbox.environment import PrivateFolders, child_environment, own_playwright, private_folders
from wainwright.worker.sandbox.find_browser import (
    QUIET_FLAGS,
    Browser,
    BrowserMissing,
    BrowserName,
    find_browser,
    programs,
)
from wainwright.worker.sandbox.process import CHILD_PATH
from wainwright.worker.sandbox.spares import Spare

FEED_SECONDS = 0.01
"""Between two questions to the feed while the child waits for its next test, which comes from elsewhere."""
DEFAULT_BROWSERS: tuple[BrowserName, ...] = ("chromium",)
FACADE = tuple(Path(__file__).parents[3] / name for name in ("__init__.py", "in_job.py", "version.py"))
"""Files that test code may import of Wainwright: copied, so that nothing else of the package comes within its reach by it."""
OK, TESTS_FAILED, INTERRUPTED, INTERNAL, USAGE, NO_TESTS = range(6)
"""Exit codes of pytest."""
_READ_AT_START = re.compile(
    r"PYTHON|LD_|DYLD_|MALLOC_|GLIBC_|ASAN_|NODE_|PW|PLAYWRIGHT|DEBUG|TZ$|LANG|LC_|SSL|SSLKEYLOGFILE|DISPLAY|WAYLAND|"
    r"XDG_|DBUS|FONTCONFIG|GOOGLE_|CHROME|(HTTPS?|ALL|NO|FTP)_PROXY$",
    re.IGNORECASE,
)
"""Variables that an interpreter, Node.js, Playwright or a browser reads when it starts, and never again."""


def run_suite(request: SuiteRequest, on_event: Callable[[Event], None], stop: StopRequest, grace: float) -> SuiteEnd:
    """Run the suite as `run_session.run_suite` says."""
    browsers: list[Browser] = []
    for name in request.browsers or DEFAULT_BROWSERS:
        browser = find_browser(name, package=own_playwright(request.dependencies))
        if isinstance(browser, BrowserMissing):
            return SuiteEnd("browser_missing", errors=(SuiteError(browser.message),))
        browsers.append(browser)

    def make_run(place: PrivateFolders, spare: Spare | None = None) -> _Run:
        session = PytestSession(request, place, on_event)
        return _Run(request, session, stop, grace, place, browsers, spare=spare)

    if (spare := _spare_for(request, browsers)) is not None:
        with spare:
            run = make_run(spare.place, spare)
            end = run.run()
        if run.session.begun or end.reason not in ("crashed", "out_of_memory"):
            return end
    with private_folders(request.output, request.isolation) as place:
        return make_run(place).run()


def _spare_for(request: SuiteRequest, browsers: list[Browser]) -> Spare | None:
    """Return the worker's spare, if there is one and the suite is one that it can run."""
    if request.spares is None:
        return None
    style = suite_style(request.folder.resolve(), request.dependencies)
    if not can_use_spare(request, browsers, asynchronous=style.asynchronous):
        request.spares.make_way()
        return None
    spare = request.spares.take()
    if spare is not None and spare.browser != browsers[0]:
        spare.close()  # another was installed since
        return None
    return spare


def can_use_spare(request: SuiteRequest, browsers: list[Browser], *, asynchronous: bool) -> bool:
    """Return True if it runs in Chromium alone, by the sync API, with our packages and no variable that is read at a start."""
    return (
        [browser.name for browser in browsers] == ["chromium"]
        and not asynchronous
        and request.dependencies is None
        and not request.sandbox
        and not request.collect_only
        and not any(_READ_AT_START.match(name) for name in (*request.secrets, *request.env))
    )


class PytestSession(Session):
    """The session of a suite that pytest runs."""

    def __init__(self, request: SuiteRequest, place: PrivateFolders, on_event: Callable[[Event], None]) -> None:
        self._owner = request.isolation.user.uid if request.isolation.user else None
        self._folders = (request.output.resolve(), place.traces, place.temporary)
        self._has_video = request.video != "off"
        super().__init__(request.folder.resolve(), request.output.resolve(), on_event, self._owner)
        if request.feed is not None or request.collect_only:
            self.handed = set()

    def _read_started(self, record: Record) -> list[Event]:
        self._running.clear()  # one runs at a time
        return super()._read_started(record)

    def evidence_of(self, _test_id: str, began: float) -> tuple[Attachment, ...]:
        return collect_evidence(*self._folders, self._owner, began, video=self._has_video)

    def reason_by_exit_code(self, code: int | None) -> EndReason | None:
        if code == USAGE:
            return "usage_error"
        if not self.finished or code not in (OK, TESTS_FAILED, INTERRUPTED, NO_TESTS):
            return "crashed"
        return "interrupted" if code == INTERRUPTED else None

    def explanation(self, reason: EndReason) -> str | None:
        if reason == "usage_error":
            # argparse prints its usage first, then "…: error: what was wrong".
            said = next((line for line in self.printed if line.strip()), "")
            said = next((line for line in self.printed if ": error: " in line), said)
            return said or "pytest refused its options or the suite's configuration"
        if reason == "no_tests":
            return "No test was found: pytest collects test_* functions from test_*.py and *_test.py files"
        return None


@dataclass
class _Run(SupervisedRun):
    """One run of one suite."""

    session: PytestSession
    browsers: Sequence[Browser]
    _told_idle: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self._script = find_script(self.request.folder.resolve())

    def prepare(self, events_fd: int, control_fd: int) -> Child:
        settings = self._write_settings(events_fd, control_fd)
        environment = child_environment(
            self.request.env, self.place, CHILD_PATH, dependencies=self.request.dependencies
        )
        return Child(self._command(settings), environment)

    def attend(self, control: int) -> float:
        self._feed(control)
        return FEED_SECONDS if self.session.wants else POLL_SECONDS

    def _feed(self, control: int) -> None:
        """Give the test process its next tests, if it wants some."""
        if self.request.feed is None or self.session.handed is None or not self.session.wants:
            return
        taken = self.request.feed.take()
        if taken == "wait" or (taken == "idle" and self._told_idle):
            return
        # After `idle` it goes on waiting, once it has torn down its fixtures.
        self.session.wants = self._told_idle = taken == "idle"
        if isinstance(taken, str):
            send_line(control, taken.encode() + b"\n")
        else:
            self.session.handed.update(taken)
            send_line(control, b"run " + json.dumps(taken).encode() + b"\n")

    def _write_settings(self, events_fd: int, control_fd: int) -> Path:
        request = self.request
        configured = build_settings(request.config, request.base_url)
        settings: dict[str, Any] = {
            **configured,
            "eventsFd": events_fd,
            "controlFd": control_fd,
            **programs(self.browsers),
            "launchArgs": [*QUIET_FLAGS, *configured["launchArgs"]],
            "sandbox": request.sandbox,
            "deselect": sorted(request.deselect),
            "select": None if request.select is None else sorted(request.select),
            "fed": request.feed is not None,
            "collectOnly": request.collect_only,
            "testRetries": request.test_retries,
            "options": self._options(),
            "logs": str(request.output.resolve() / "logs"),
            "traces": str(self.place.traces),
            "job": request.job,
            "facade": str(self._facade()),
            "script": str(self._script) if self._script else None,
        }
        path = self.place.root / "settings.json"
        path.write_text(json.dumps(settings), encoding="utf-8")
        return path

    def _facade(self) -> Path:
        """Make the folder by which `import wainwright` works in tests."""
        package = self.place.root / "facade" / "wainwright"
        package.mkdir(parents=True)
        for file in FACADE:
            shutil.copyfile(file, package / file.name)
        return package.parent

    def _command(self, settings: Path) -> list[str]:
        folder = self.request.folder.resolve()
        configuration = own_configuration(folder)
        if configuration is None:
            # Without a file of its own pytest would look for one in the parent folders.
            configuration = self.place.root / "pytest.ini"
            configuration.write_text("[pytest]\n", encoding="utf-8")
        style = suite_style(folder, self.request.dependencies)
        blocked = [option for plugin in style.blocked_plugins for option in ("-p", f"no:{plugin}")]
        return [
            *(sys.executable, "-m", "pytest"),
            *("-p", "wainwright_child.plugin", "--wainwright-settings", str(settings)),
            *("-p", "no:cacheprovider", *blocked),
            *("-c", str(configuration), "--rootdir", str(folder), "--confcutdir", str(folder), "--color=no"),
            *([str(self._script)] if self._script else []),
        ]

    def _options(self) -> dict[str, Any]:
        """Return options of pytest-playwright, pytest-base-url and pytest-xdist: our browsers and evidence."""
        request = self.request
        options: dict[str, Any] = {
            "browser": [each.name for each in self.browsers],
            "headed": False,
            "numprocesses": 0,
            "tracing": request.trace,
            "screenshot": "only-on-failure" if request.screenshot == "retain-on-failure" else request.screenshot,
            "video": request.video,
            # A folder of its own below ours, since pytest-playwright empties the one that it is given.
            "output": str(request.output.resolve() / "playwright"),
        }
        if request.test_retries is not None:
            options["reruns"] = 0  # of pytest-rerunfailures, which the suite may have: one of us is enough
        return {**options, "base_url": request.base_url} if request.base_url else options
