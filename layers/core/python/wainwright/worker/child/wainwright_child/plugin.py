"""The pytest plugin in the test process: reports each test as it happens, as JSON lines on an inherited pipe.

Loaded with `-p wainwright_child.plugin --wainwright-settings FILE`. FILE is JSON:
{eventsFd, controlFd, executables, windowed: {browser: path | null}, launchArgs, sandbox, deselect: [id], logs: folder,
traces: folder, options: {name of a parsed pytest option: value}, contextOptions, waitForMs, headers, headersOrigin | null,
blockedHosts, job: {id, label, url, params, attempt} | null, facade: folder of the importable package `wainwright`,
script: file | null, select: [id] | null, fed: whether the worker names the tests to run while they run, collectOnly,
testRetries: how often a test that failed is run again | null}.
From the control pipe it takes the lines `stop` (run no further test), `expire` (the time is up: fail the running test now, so
that its evidence is still written, and run no further one) and `cancel` (the same, for want of interest); and those of
`feeding`.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from . import browsers, job, scripts
from .control import Control
from .cuts import cut_end, cut_start
from .failures import describe_collection_error, describe_conftest_error, describe_errors
from .feeding import Feed, can_run, run_fed
from .recording import EvidenceFolder, Recording, describe
from .retrying import run_with_retries

BATCH = 100
"""Collected tests reported per line."""

MAX_MESSAGE = 2_000


class Channel:
    """The pipe to the worker. Whatever forks or starts processes in the tests must not write to it."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._owner = os.getpid()
        self._lock = threading.Lock()
        os.set_inheritable(descriptor, False)

    def send(self, kind: str, **fields: Any) -> None:
        """Write one record as a line."""
        if os.getpid() != self._owner:
            return
        data = memoryview(json.dumps({"type": kind, **fields}).encode() + b"\n")
        with self._lock:
            while data:
                data = data[os.write(self._descriptor, data) :]


class Reporter:
    """The hooks, registered before any conftest of the suite is loaded."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self.channel = Channel(settings["eventsFd"])
        self._feed = Feed(lambda: self.channel.send("wants")) if settings["fed"] else None
        self.control = Control(settings["controlFd"], self._feed)
        self._settings = settings
        self._passed_over = frozenset(settings["deselect"])
        self._selected = None if settings["select"] is None else frozenset(settings["select"])
        self._deselected: list[str] = []
        self._recording: Recording | None = None
        self._log = browsers.BrowserLog(settings["blockedHosts"], Path(settings["logs"], "running.log"))
        self._traces = browsers.Traces(Path(settings["traces"]))
        self._ended = 0
        self._retries: int = settings["testRetries"] or 0
        self._again = False
        self._evidence = EvidenceFolder(Path(settings["options"]["output"]))
        self._session: pytest.Session | None = None

    @pytest.hookimpl(wrapper=True)
    def pytest_cmdline_main(self, config: pytest.Config) -> Generator[None, Any, Any]:
        """Set what the job decides, whatever the suite's own options say, where plugins with such options are loaded."""
        for name, value in self._settings["options"].items():
            if hasattr(config.option, name):
                setattr(config.option, name, value)
        return (yield)

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Make browsers launchable and heard, and listen to the worker. What pytest itself would print of the session is told by
        events: printed as well, it would be taken for the suite's own words."""
        if config.pluginmanager.unregister(name="terminalreporter"):
            nowhere = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - closed by the cleanup
            config.add_cleanup(nowhere.close)
            config.pluginmanager.register(pytest.TerminalReporter(config, nowhere), "terminalreporter")
        browsers.install(self._settings, self._log, self._traces)
        self.control.start()

    @pytest.hookimpl(tryfirst=True)
    def pytest_pycollect_makemodule(self, module_path: Path, parent: pytest.Collector) -> pytest.File | None:
        """Take a script for what it is, in the place of the module that pytest would make of it."""
        is_script = str(module_path) == self._settings["script"]
        return scripts.ScriptFile.from_parent(parent, path=module_path) if is_script else None

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Pass over what already has an outcome, or is not for us. Last, so that the suite's own choice is made before."""
        if self._selected is not None:
            others = [item for item in items if item.nodeid not in self._selected]
            items[:] = [item for item in items if item.nodeid in self._selected]
            if others:
                config.hook.pytest_deselected(items=others)
        kept = [item for item in items if item.nodeid not in self._passed_over]
        gone = [item for item in items if item.nodeid in self._passed_over]
        if gone:
            self._deselected = [item.nodeid for item in gone]
            items[:] = kept
            config.hook.pytest_deselected(items=gone)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Report the tests that will run."""
        cases = [describe(item) for item in session.items]
        for start in range(0, len(cases), BATCH):
            self.channel.send("tests", tests=cases[start : start + BATCH])
        for start in range(0, len(self._deselected), BATCH):
            self.channel.send("deselected", ids=self._deselected[start : start + BATCH])
        self.channel.send("collected", total=len(cases), deselected=len(self._deselected))

    def pytest_exception_interact(
        self, node: pytest.Item | pytest.Collector, call: pytest.CallInfo[Any], report: Any
    ) -> None:
        """A file that cannot be loaded."""
        if isinstance(report, pytest.CollectReport):
            self.channel.send("collection_error", **describe_collection_error(node, call.excinfo, report))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Asked to stop before the first test; or told which tests to run."""
        self._session = session  # which later hooks do not name
        if self.control.stopping:
            raise session.Interrupted("stopped before the first test")
        if self._settings["collectOnly"]:
            return True
        if self._feed is None or not can_run(session):
            return None  # pytest's own loop
        run_fed(session, self._feed)
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        """Tests that are run again if they fail: not by another plugin as well."""
        if not self._retries:
            return None

        def told(message: str) -> None:
            self.channel.send("job_log", level="ERROR", message=cut_end(message, MAX_MESSAGE))

        run_with_retries(item, nextitem, lambda: self._again, told)
        return True

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """A test begins."""
        if job.current:
            job.current.test_id = nodeid
        self._log.begin(nodeid)
        self.channel.send("started", id=nodeid)

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_setup(self) -> Generator[None, Any, Any]:
        """Let a test be ended while its fixtures are set up, and while it runs itself."""
        return (yield from self.control.interruptible())

    pytest_runtest_call = pytest_runtest_setup

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[Any]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """After each phase. First among wrappers, so that evidence which other plugins attach is there by now."""
        report = yield
        if report.when == "setup" or self._recording is None:
            self._recording = Recording(item, self._evidence)
        self._recording.add(report, call, describe_errors(item, call, report, crashed=self._log.crashed))
        if report.when == "teardown":
            recording, self._recording = self._recording, None
            self._ended += 1
            file = Path(self._settings["logs"], f"{self._ended:05d}.log")
            record = recording.finish(report, self._log.take(), file, apart=bool(self._retries))
            may_run_again = record["retry"] < self._retries and not self.control.stopping
            self._again = record["outcome"] == "failed" and may_run_again
            self.channel.send("ended", **record, again=self._again)
            self._traces.tidy()
        return report

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logfinish(self) -> None:
        """The place at which a stop takes effect."""
        if job.current:
            job.current.test_id = None
        if self.control.stopping and self._session is not None:
            self._session.shouldstop = "asked to stop"

    def pytest_internalerror(self, excrepr: Any) -> None:
        """An error in pytest or a plugin of the suite, not in a test."""
        self.channel.send("session_error", message=cut_start(str(excrepr), 4_000))

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """The suite ended the session itself (pytest.exit, KeyboardInterrupt), or we did."""
        if not isinstance(excinfo.value, pytest.Session.Interrupted):
            self.channel.send("session_error", message=cut_end(excinfo.exconly(), 4_000))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """The session came to its end: what is missing until here was not run."""
        if self._log.blocked_in_all:
            message = f"blockAds: {self._log.blocked_in_all} requests to ad and tracker hosts were blocked"
            self.channel.send("job_log", level="INFO", message=message)
        self.channel.send("finished", exitStatus=int(exitstatus))


@pytest.fixture(name="job", scope="session")
def current_job() -> job.CurrentJob | None:
    """The job that the suite runs in, as `wainwright.current_job()` gives it."""
    return job.current


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option by which the settings arrive."""
    parser.getgroup("wainwright").addoption("--wainwright-settings", metavar="FILE", help="written by the worker")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, Any, Any]:
    """Register the reporter, and report a conftest that cannot be loaded, which pytest itself calls a usage error."""
    settings = json.loads(Path(early_config.known_args_namespace.wainwright_settings).read_text(encoding="utf-8"))
    reporter = Reporter(settings)
    early_config.pluginmanager.register(reporter, "wainwright-reporter")
    if settings["job"]:
        job.current = job.CurrentJob(settings["job"], reporter.channel.send)
    sys.path.append(settings["facade"])  # last, so that an installed Wainwright is the one that is imported
    sys.dont_write_bytecode = True
    try:
        return (yield)
    except BaseException as error:
        if found := describe_conftest_error(error, early_config.invocation_params.dir):
            reporter.channel.send("collection_error", **found)
        raise
