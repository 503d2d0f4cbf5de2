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
from wainwright.worker.runners.playwright_test.playwright_evidence import RESULTS
from wainwright.worker.runners.playwright_test.playwright_session import PlaywrightSession
from wainwright.worker.runners.playwright_test.playwright_settings import Purpose, write_settings
from wainwright.worker.runners.suite import (
    Collected,
    EndReason,
    Event,
    LogLine,
    ServerSharing,
    StopRequest,
    SuiteEnd,
    SuiteError,
    SuiteRequest,
)
from wainwright.worker.runners.supervised_run import Child, SupervisedRun
from wainwright.worker.sandbox.environment import PrivateFolders, child_environment, private_folders
from wainwright.worker.sandbox.find_browser import BrowserName
from wainwright.worker.sandbox.process import CHILD_PATH

LAST_RUN = ".last-run.json"
"""File of Playwright Test with the tests that failed, by which it runs those alone."""


def run_suite(request: SuiteRequest, on_event: Callable[[Event], None], stop: StopRequest, grace: float) -> SuiteEnd:
    """Run the suite as `run_session.run_suite` says."""
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
        return _Suite(request, node, runner, place, stop, grace).run(on_event)


def _link_packages(request: SuiteRequest) -> None:
    """Put the packages that were installed for the suite where Node.js looks for them."""
    if request.dependencies is None:
        return
    installed, link = request.dependencies / "node_modules", request.folder / "node_modules"
    if installed.is_dir() and not link.exists():
        link.symlink_to(installed, target_is_directory=True)


@dataclass(frozen=True)
class _Listing:
    """Playwright Test's own ids of all tests, by ours; how the listing ended; whether the suite has servers to be shared."""

    tests: dict[str, str]
    end: SuiteEnd
    has_servers: bool


MAX_LISTINGS = 4
_listings: dict[tuple[Path, tuple[BrowserName, ...]], _Listing] = {}
"""Listings of the last suites by folder and browsers: a lane runs its suite again and again, a few tests at a time."""


@dataclass
class _Suite:
    """A suite, listed first where not all of it is to run."""

    request: SuiteRequest
    node: Path
    runner: PlaywrightTest
    place: PrivateFolders
    stop: StopRequest
    grace: float

    def run(self, on_event: Callable[[Event], None]) -> SuiteEnd:
        request = self.request
        if request.collect_only:
            return self._list(on_event).end
        if request.select is None and not request.deselect:
            return self.start(on_event).run()
        key = (request.folder.resolve(), request.browsers)
        listing = _listings.get(key) or self._list(lambda _event: None)
        listed, end = listing.tests, listing.end
        if not listed:
            return end
        _listings[key] = listing
        while len(_listings) > MAX_LISTINGS:
            del _listings[next(iter(_listings))]
        chosen = [
            id for id in listed if id not in request.deselect and (request.select is None or id in request.select)
        ]
        passed_over = frozenset(id for id in listed if id in request.deselect)
        if not chosen:
            on_event(Collected((), tuple(sorted(passed_over))))
            return replace(end, reason="finished", collected=0, deselected=len(passed_over), unfinished=())
        self.request = replace(request, deselect=passed_over, select=frozenset(chosen))
        purpose: Purpose = "run"
        if listing.has_servers and request.servers is not None:
            reached = self._reach_servers(request.servers, on_event)
            if not reached and (reason := self._ended_meanwhile()):
                return replace(end, reason=reason, collected=len(chosen), unfinished=tuple(chosen))
            purpose = "with servers" if reached else "run"
        return self.start(on_event, purpose, only=[listed[id] for id in chosen]).run()

    def _list(self, on_event: Callable[[Event], None]) -> _Listing:
        listing = self.start(on_event, "list")
        end = listing.run()
        return _Listing(listing.session.listed, replace(end, unfinished=()), listing.session.has_servers)

    def _reach_servers(self, servers: ServerSharing, on_event: Callable[[Event], None]) -> bool:
        """Return True if there are servers for it, which it then does not start itself. The wait is part of the job's time."""
        total, began = self.request.timeout_ms, time.monotonic()
        seconds = None if total is None else total / 1000
        reached = servers.reach(lambda stop, ready: self._serve(on_event, stop, ready), seconds)
        if total is not None:
            left = total - int((time.monotonic() - began) * 1000)
            self.request = replace(self.request, timeout_ms=max(left, 0))
        return reached

    def _ended_meanwhile(self) -> EndReason | None:
        """Return why it is to end, if anything came while it waited for servers."""
        if self.stop.mode != "run":
            return "stopped" if self.stop.mode == "stop" else "canceled"
        return "timed_out" if self.request.timeout_ms == 0 else None

    def _serve(self, on_event: Callable[[Event], None], stop: StopRequest, ready: Callable[[], None]) -> None:
        """Run the suite's servers, by a run of the suite that has no test and does not end."""
        isolation = self.request.isolation
        folder = Path(tempfile.mkdtemp(prefix="serving-", dir=self.request.output.parent))
        isolation.let_through(folder)
        output = folder / "output"
        output.mkdir()
        isolation.lend(output)

        def pass_on_printed(event: Event) -> None:
            if isinstance(event, LogLine):
                on_event(event)

        try:
            with private_folders(output, isolation) as place:
                request = replace(self.request, output=output, timeout_ms=None, test_retries=None, compiled=None)
                serving = replace(self, request=request, place=place, stop=stop).start(pass_on_printed, "serve")
                serving.session.on_serving = ready
                serving.run()
        finally:
            isolation.remove(folder)

    def start(self, on_event: Callable[[Event], None], purpose: Purpose = "run", only: list[str] | None = None) -> _Run:
        # A listing is of all tests; what is asked for is chosen from it.
        whole = purpose in ("list", "serve")
        request = replace(self.request, select=None, deselect=frozenset()) if whole else self.request
        user = request.isolation.user
        folders = (request.folder.resolve(), request.output.resolve())
        session = PlaywrightSession(*folders, on_event, user.uid if user else None)
        return _Run(
            request, session, self.stop, self.grace, self.place, self.node, self.runner, purpose, only
        )  # fmt: skip


@dataclass
class _Run(SupervisedRun):
    """One start of the runner. `only` are Playwright Test's own ids of the tests to run, if not all are to."""

    session: PlaywrightSession
    node: Path
    runner: PlaywrightTest
    purpose: Purpose
    only: list[str] | None

    def prepare(self, events_fd: int, control_fd: int) -> Child:
        results = self.request.output.resolve() / RESULTS
        results.mkdir(exist_ok=True)
        self.request.isolation.lend(results)
        if self.only is not None:
            chosen = json.dumps({"status": "failed", "failedTests": self.only})
            (results / LAST_RUN).write_text(chosen, encoding="utf-8")
        configuration = write_settings(
            *(self.request, self.runner, self.place.root, self.purpose, (events_fd, control_fd)),
            whole=self.only is None,
        )
        command = [
            *(str(self.node), str(self.runner.cli), "test"),
            *("--config", str(configuration), "--output", str(results)),
            *(("--list",) if self.purpose == "list" else ()),
            *(("--last-failed",) if self.only is not None else ()),
            *(() if self.request.test_retries is None else (f"--retries={self.request.test_retries}",)),
        ]
        compiled = (self.request.compiled,) if self.request.compiled else ()
        return Child(command, self._environment(), compiled)

    def _environment(self) -> dict[str, str]:
        environment = {
            "CI": "1",  # as wherever nobody watches: what the suite does there, it does here
            "PLAYWRIGHT_HTML_OPEN": "never",
            "FORCE_COLOR": "0",
            **({"PWTEST_CACHE_DIR": str(self.request.compiled)} if self.request.compiled else {}),
            **child_environment(
                {**self.request.env, **self.request.secrets},
                self.place,
                CHILD_PATH,
                dependencies=self.request.dependencies,
                driver=self.runner.core,
            ),
        }
        # For what the suite's configuration starts, such as a server, by npm or node.
        programs = self.place.root / "bin"
        if not programs.exists():
            write_programs(self.node, programs)
        environment["PATH"] = os.pathsep.join([str(programs), environment["PATH"]])
        return environment
