"""What a runtime is asked for, what it reports while a suite runs, and how a suite ends.

Nothing of Wainwright is imported but `outcomes`, whose values are offered here as well.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from .outcomes import (
    Annotation,
    Attachment,
    ErrorKind,
    Outcome,
    Step,
    TestCase,
    TestError,
    TestResult,
)

__all__ = [
    "Annotation",
    "Attachment",
    "BrowserName",
    "Collected",
    "EndReason",
    "ErrorKind",
    "Event",
    "JobLog",
    "JobProgress",
    "JobResult",
    "Keep",
    "Level",
    "LogLine",
    "Outcome",
    "Progress",
    "Step",
    "Stop",
    "StopRequest",
    "SuiteEnd",
    "SuiteError",
    "SuiteRequest",
    "TestCase",
    "TestEnded",
    "TestError",
    "TestResult",
    "TestStarted",
]

BrowserName = Literal["chromium", "firefox", "webkit"]
Keep = Literal["on", "off", "retain-on-failure"]
Level = Literal["INFO", "WARNING", "ERROR"]
EndReason = Literal[
    "finished",  # every test that was to run has an outcome, or the suite ended itself early (see `unfinished`)
    "no_tests",  # nothing was collected
    "collection_error",  # a file could not be loaded: `errors` names file and line
    "usage_error",  # pytest refused its options or the suite's configuration
    "browser_missing",  # no browser to run with; nothing was started
    "interrupted",  # the suite ended the session itself (pytest.exit, KeyboardInterrupt)
    "stopped",  # as asked: the current test was finished, the rest did not run
    "canceled",  # as asked: killed at once
    "timed_out",  # the time of the whole suite ran out
    "crashed",  # the test process died or left without ending its session
    "out_of_memory",  # killed by SIGKILL, not by us: suspected, `oom_kills` tells whether the kernel counted it
]


class StopRequest(Protocol):
    """What `run_suite` asks again and again while the child runs."""

    @property
    def mode(self) -> Literal["run", "stop", "cancel"]:
        """`stop` finishes the current test and ends; `cancel` kills at once."""


class Stop:
    """A thread-safe `StopRequest`. A cancel outranks a stop and cannot be taken back."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._cancel = threading.Event()

    def stop(self) -> None:
        """Ask to finish the current test and run no other."""
        self._stop.set()

    def cancel(self) -> None:
        """Ask to kill the suite at once."""
        self._cancel.set()

    @property
    def mode(self) -> Literal["run", "stop", "cancel"]:
        if self._cancel.is_set():
            return "cancel"
        return "stop" if self._stop.is_set() else "run"


@dataclass(frozen=True)
class SuiteRequest:
    """One suite to run.

    `folder` is the unpacked bundle and `output` an empty folder of ours for evidence; the child's private home and
    temporary folder are made beside it. `deselect` holds the ids of tests that already have an outcome. `env` is
    added to the child's environment as it is: the caller answers for what is in it. `timeout_ms` bounds the whole
    suite. `sandbox` turns Chromium's own sandbox on; it needs unprivileged user namespaces, which most container
    platforms (Fargate among them) do not give. `config` says how browsers are set up, by the names of the API
    (`browser_settings` reads it); `job` is what the tests may know of their job (id, label, url, params, attempt), None
    for a suite that runs in none.
    """

    folder: Path
    output: Path
    base_url: str | None = None
    browser: BrowserName = "chromium"
    deselect: frozenset[str] = frozenset()
    trace: Keep = "on"
    screenshot: Keep = "on"
    video: Keep = "off"
    env: Mapping[str, str] = field(default_factory=dict)
    timeout_ms: int | None = None
    sandbox: bool = False
    config: Mapping[str, Any] = field(default_factory=dict)
    job: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Collected:
    """The tests that will run, in order. `deselected` are the ids passed over because they already have an outcome."""

    tests: tuple[TestCase, ...]
    deselected: tuple[str, ...] = ()


@dataclass(frozen=True)
class TestStarted:
    """A test began."""

    __test__ = False

    id: str


@dataclass(frozen=True)
class TestEnded:
    """A test ended; its attachments are complete on disk."""

    __test__ = False

    result: TestResult


@dataclass(frozen=True)
class LogLine:
    """A line printed by the test process, or by one test."""

    level: Level
    message: str
    test_id: str | None = None


@dataclass(frozen=True)
class Progress:
    """How many of the tests that are to run have an outcome."""

    done: int
    total: int


@dataclass(frozen=True)
class JobLog:
    """A line that test code wrote to the job's log. `info` is JSON."""

    level: Literal["INFO", "ERROR"]
    message: str
    info: Mapping[str, Any] | None = None
    test_id: str | None = None


@dataclass(frozen=True)
class JobProgress:
    """How far test code says that the work has come, 0 to 100."""

    percent: int
    message: str = ""


@dataclass(frozen=True)
class JobResult:
    """What test code adds to the job's results: values by name, and outcomes of items by id. All of it is JSON."""

    values: Mapping[str, Any] = field(default_factory=dict)
    items: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    test_id: str | None = None


Event = Collected | TestStarted | TestEnded | LogLine | Progress | JobLog | JobProgress | JobResult


@dataclass(frozen=True)
class SuiteError:
    """An error of the suite and not of one test, such as a file that could not be loaded."""

    message: str
    file: str | None = None
    line: int | None = None
    stack: str = ""


@dataclass(frozen=True)
class SuiteEnd:
    """How a suite ended.

    `exit_code` is None when the process was killed by `signal`. `unfinished` are the ids of tests that were to run
    and have no outcome: a suite passed only if it is empty. `dropped` counts reports of the child that could not be
    read: then results are missing as well. `oom_kills` counts what the kernel killed for want of memory in this
    control group meanwhile (None: unknown).
    """

    reason: EndReason
    exit_code: int | None = None
    signal: int | None = None
    errors: tuple[SuiteError, ...] = ()
    stderr: str = ""
    collected: int = 0
    deselected: int = 0
    unfinished: tuple[str, ...] = ()
    dropped: int = 0
    oom_kills: int | None = None
    max_rss_bytes: int | None = None
