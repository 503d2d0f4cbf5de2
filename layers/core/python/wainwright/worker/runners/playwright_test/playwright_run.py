"""Runs a Playwright Test suite with the suite's own `@playwright/test` and reports what happens while it happens."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from wainwright.worker.runners.node import (
    NodeMissing,
    PlaywrightTest,
    PlaywrightTestMissing,
    find_node,
    find_playwright_test,
    write_programs,
)
from wainwright.worker.runners.playwright_test.playwright_remains import RESULTS
from wainwright.worker.runners.playwright_test.playwright_session import PlaywrightSession
from wainwright.worker.runners.playwright_test.playwright_settings import (
    Folders,
    Purpose,
    settings_of,
    write_configuration,
    write_helpers,
    write_serving,
)
from wainwright.worker.runners.suite import (
    Collected,
    EndReason,
    Event,
    JobLog,
    LogLine,
    ServerSharing,
    StopRequest,
    SuiteEnd,
    SuiteError,
    SuiteRequest,
)
from wainwright.worker.runners.supervised_run import CANCEL_GRACE_SECONDS, EXPIRY_GRACE_SECONDS, Child, SupervisedRun
from wainwright.worker.sandbox.environment import PrivateFolders, child_environment, private_folders
from wainwright.worker.sandbox.find_browser import BrowserName
from wainwright.worker.sandbox.process import CHILD_PATH

BLOB = "blob.zip"
"""In the output folder: what Playwright Test's own report of this run is made from."""
PAGE = Path("page", "index.html")
"""In the output folder: Playwright Test's own report of a run of all tests, with stubs in the place of what was kept."""
LAST_RUN = ".last-run.json"
"""Where Playwright Test keeps which tests failed, and by which it runs those alone."""


def run_suite(
    request: SuiteRequest,
    on_event: Callable[[Event], None],
    stop: StopRequest,
    *,
    expiry_grace_seconds: float = EXPIRY_GRACE_SECONDS,
) -> SuiteEnd:
    """Run the suite to its end, a stop, a cancel or its time-out; as `suite.run_suite`."""
    try:
        node = find_node()
        _link_packages(request)
        runner = find_playwright_test(request.folder)
    except NodeMissing as error:
        return SuiteEnd("runner_missing", errors=(SuiteError(str(error)),))
    except PlaywrightTestMissing as error:
        return SuiteEnd("dependencies_failed", errors=(SuiteError(str(error), "package.json"),))
    if request.spares is not None:
        request.spares.make_way()
    with private_folders(request.output, request.isolation) as place:
        suite = _Suite(request, node, runner, place, stop, expiry_grace_seconds)
        return suite.run(on_event)


def _link_packages(request: SuiteRequest) -> None:
    """Put the packages that were installed for the suite where Node.js looks for them."""
    if request.dependencies is None:
        return
    installed, link = request.dependencies / "node_modules", request.folder / "node_modules"
    if installed.is_dir() and not link.exists():
        link.symlink_to(installed, target_is_directory=True)


_Key = tuple[Path, tuple[BrowserName, ...]]


@dataclass(frozen=True)
class _Listing:
    """Playwright Test's own ids of all tests, by ours; how the listing ended; whether the suite has servers to be shared."""

    tests: dict[str, str]
    end: SuiteEnd
    has_servers: bool


class _Listings:
    """What the last suites were listed as: a lane runs its suite again and again, a few tests at a time."""

    MOST = 4

    def __init__(self) -> None:
        self._known: dict[_Key, _Listing] = {}

    def get(self, key: _Key) -> _Listing | None:
        """The listing of a suite, by its folder, which no other suite ever has, and its browsers."""
        return self._known.get(key)

    def put(self, key: _Key, listing: _Listing) -> None:
        """Keep one, and let go of the oldest."""
        self._known[key] = listing
        while len(self._known) > self.MOST:
            del self._known[next(iter(self._known))]


_LISTINGS = _Listings()


class _Suite:
    """A suite, listed first where not all of it is to run."""

    def __init__(
        self,
        request: SuiteRequest,
        node: Path,
        runner: PlaywrightTest,
        place: PrivateFolders,
        stop: StopRequest,
        grace: float,
    ) -> None:
        self._request = request
        self._node = node
        self._runner = runner
        self._place = place
        self._stop = stop
        self._grace = grace

    def run(self, on_event: Callable[[Event], None]) -> SuiteEnd:
        request = self._request
        configured = request.config.get("extraHeaders")
        if configured and not request.base_url:
            message = "config.extraHeaders are not sent: they go to the origin of the job's url, and it has no url"
            on_event(JobLog("ERROR", message))
        if request.collect_only:
            return self._list(on_event).end
        if request.select is None and not request.deselect:
            return self._start(on_event, ()).run()
        key = (request.folder.resolve(), request.browsers)
        listing = _LISTINGS.get(key) or self._list(lambda _event: None)
        listed, end = listing.tests, listing.end
        if not listed:
            return end
        _LISTINGS.put(key, listing)
        chosen = [
            id for id in listed if id not in request.deselect and (request.select is None or id in request.select)
        ]
        passed_over = frozenset(id for id in listed if id in request.deselect)
        if not chosen:
            on_event(Collected((), tuple(sorted(passed_over))))
            return replace(end, reason="finished", collected=0, deselected=len(passed_over), unfinished=())
        self._request = replace(request, deselect=passed_over, select=frozenset(chosen))
        purpose: Purpose = "run"
        if listing.has_servers and request.servers is not None:
            reached = self._reach_servers(request.servers, on_event)
            if not reached and (reason := self._ended_meanwhile()):
                return replace(end, reason=reason, collected=len(chosen), unfinished=tuple(chosen))
            purpose = "with servers" if reached else "run"
        return self._start(on_event, ("--last-failed",), [listed[id] for id in chosen], purpose=purpose).run()

    def _list(self, on_event: Callable[[Event], None]) -> _Listing:
        listing = self._start(on_event, ("--list",), purpose="list")
        end = listing.run()
        return _Listing(listing.session.listed, replace(end, unfinished=()), listing.session.has_servers)

    def _reach_servers(self, servers: ServerSharing, on_event: Callable[[Event], None]) -> bool:
        """Whether there are servers for it, which it then does not start itself. Of the job's time this takes its part."""
        total, began = self._request.timeout_ms, time.monotonic()
        seconds = None if total is None else total / 1000
        reached = servers.reach(lambda stop, ready: self._serve(on_event, stop, ready), seconds)
        if total is not None:
            left = total - int((time.monotonic() - began) * 1000)
            self._request = replace(self._request, timeout_ms=max(left, 0))
        return reached

    def _ended_meanwhile(self) -> EndReason | None:
        """What came while it waited for servers, if anything did."""
        if self._stop.mode != "run":
            return "stopped" if self._stop.mode == "stop" else "canceled"
        return "timed_out" if self._request.timeout_ms == 0 else None

    def _serve(self, on_event: Callable[[Event], None], stop: StopRequest, ready: Callable[[], None]) -> None:
        """Run the suite's servers, by a run of the suite that has no test and does not end."""
        isolation = self._request.isolation
        folder = Path(tempfile.mkdtemp(prefix="serving-", dir=self._request.output.parent))
        isolation.let_through(folder)
        output = folder / "output"
        output.mkdir()
        isolation.lend(output)
        try:
            with private_folders(output, isolation) as place:
                request = replace(self._request, output=output, timeout_ms=None, test_retries=None, compiled=None)
                suite = _Suite(request, self._node, self._runner, place, stop, self._grace)
                serving = suite._start(lambda event: _pass_on_printed(event, on_event), (), purpose="serve")
                serving.session.on_serving = ready
                serving.run()
        finally:
            isolation.remove(folder)

    def _start(
        self,
        on_event: Callable[[Event], None],
        options: tuple[str, ...],
        only: list[str] | None = None,
        *,
        purpose: Purpose = "run",
    ) -> _Run:
        # A listing is of all tests; what is asked for is chosen from it.
        whole = purpose in ("list", "serve")
        request = replace(self._request, select=None, deselect=frozenset()) if whole else self._request
        user = request.isolation.user
        session = PlaywrightSession(
            request.folder.resolve(), request.output.resolve(), on_event, left_by=user.uid if user else None
        )
        run = _Run(request, session, self._stop, self._grace, self._node, self._runner, self._place, options, only)
        run.purpose = purpose
        return run


def _pass_on_printed(event: Event, on_event: Callable[[Event], None]) -> None:
    if isinstance(event, LogLine):
        on_event(event)


class _Run(SupervisedRun):
    """One start of the runner. `only` are Playwright Test's own ids of the tests to run, if not all are to."""

    cancel_grace = CANCEL_GRACE_SECONDS

    def __init__(
        self,
        request: SuiteRequest,
        session: PlaywrightSession,
        stop: StopRequest,
        grace: float,
        node: Path,
        runner: PlaywrightTest,
        place: PrivateFolders,
        options: tuple[str, ...],
        only: list[str] | None,
    ) -> None:
        super().__init__(request, session, stop, grace)
        self.session = session
        self._node = node
        self._runner = runner
        self._place = place
        self._options = options
        self._only = only
        self.purpose: Purpose = "run"

    def prepare(self, events_fd: int, control_fd: int) -> Child:
        results = self._request.output.resolve() / RESULTS
        results.mkdir(exist_ok=True)
        self._request.isolation.lend(results)
        if self._only is not None:
            chosen = json.dumps({"status": "failed", "failedTests": self._only})
            (results / LAST_RUN).write_text(chosen, encoding="utf-8")
        configuration = self._write_configuration(events_fd, control_fd)
        command = [
            *(str(self._node), str(self._runner.cli), "test"),
            *("--config", str(configuration), "--output", str(results), *self._options),
            *(() if self._request.test_retries is None else (f"--retries={self._request.test_retries}",)),
        ]
        compiled = (self._request.compiled,) if self._request.compiled else ()
        return Child(command, self._environment(), (self._place.home, self._place.temporary), compiled)

    def look_at_remains(self) -> None:
        self.session.look_at_remains()

    def _write_configuration(self, events_fd: int, control_fd: int) -> Path:
        control = self._place.root / f"control-{events_fd}"
        control.mkdir(exist_ok=True)
        self._request.isolation.lend(control)
        blob = None if self.purpose in ("list", "serve") else self._request.output.resolve() / BLOB
        # Of a part of the tests it would be thrown away: their report is merged from the blobs of all parts.
        page = self._request.output.resolve() / PAGE.parent if blob and self._only is None else None
        folders = Folders(self._place.root / "settings.json", control, blob, page)
        settings = settings_of(self._request, self._runner, folders, (events_fd, control_fd))
        settings["purpose"] = self.purpose
        if self.purpose == "serve":
            settings["serving"] = str(write_serving(self._place.root / "serving", folders.settings, self._runner))
        folders.settings.write_text(json.dumps(settings), encoding="utf-8")
        helpers = write_helpers(self._place.root)
        return write_configuration(self._request.folder.resolve(), folders.settings, helpers)

    def _environment(self) -> dict[str, str]:
        environment = {
            "CI": "1",  # as wherever nobody watches: what the suite does there, it does here
            "PLAYWRIGHT_HTML_OPEN": "never",
            "FORCE_COLOR": "0",
            **({"PWTEST_CACHE_DIR": str(self._request.compiled)} if self._request.compiled else {}),
            **child_environment(
                {**self._request.env, **self._request.secrets},
                self._place,
                CHILD_PATH,
                dependencies=self._request.dependencies,
                driver=self._runner.core,
            ),
        }
        # For what the suite's configuration starts, such as a server, by npm or node.
        programs = self._place.root / "bin"
        if not programs.exists():
            write_programs(self._node, programs)
        environment["PATH"] = os.pathsep.join([str(programs), environment["PATH"]])
        return environment
