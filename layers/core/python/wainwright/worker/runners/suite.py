"""The request for a run of a suite, the events that its runner reports, the results of tests, and the end of the suite.

Results have a JSON form, so that a later worker can rebuild a report from rows that an earlier one stored. `…Ms` are
milliseconds; times are RFC 3339 in UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol

from pydantic import BeforeValidator, Field

from wainwright.worker.runners.record_types import (
    ContentType,
    Count,
    Description,
    Id,
    JobInfo,
    JobItems,
    JobMessage,
    JobValues,
    Label,
    Labels,
    Listed,
    Message,
    Milliseconds,
    Name,
    Percent,
    Phase,
    Printed,
    Record,
)
from wainwright.worker.sandbox.find_browser import BrowserName
from wainwright.worker.sandbox.isolation import NOT_ISOLATED, Isolation
from wainwright.worker.sandbox.spares import Spares

Outcome = Literal["passed", "failed", "skipped"]
ErrorKind = Literal[
    "assertion", "test_timeout", "job_timeout", "navigation", "crash", "canceled", "script_error", "other"
]
MAX_STEP_DEPTH = 4
Keep = Literal["on", "off", "retain-on-failure"]
Level = Literal["INFO", "WARNING", "ERROR"]
EndReason = Literal[
    "finished",  # every test that was to run has an outcome, or the suite ended itself early (see `unfinished`)
    "no_tests",  # nothing was collected
    "collection_error",  # a file could not be loaded: `errors` names file and line
    "dependencies_failed",  # what the suite needs could not be installed: `errors` names the file
    "usage_error",  # pytest refused its options or the suite's configuration
    "browser_missing",  # no browser to run with, or nothing to make videos with; no test was started
    "browser_not_in_suite",  # the suite's own projects run in none of the browsers that were asked for
    "runner_missing",  # the worker has not what the suite's runner runs on
    "interrupted",  # the suite ended the session itself (pytest.exit, KeyboardInterrupt)
    "stopped",  # as asked: the current test was finished, the rest did not run
    "canceled",  # as asked: killed at once
    "timed_out",  # the time of the whole suite ran out
    "crashed",  # the test process died or left without ending its session
    "out_of_memory",  # took more memory than it may, or was killed by SIGKILL: `oom_kills` tells whether by the kernel
    "bound_exceeded",  # took more of something else than it may: `errors` says of what
]


class StopRequest(Protocol):
    """Asked again and again by `run_suite` while the child runs."""

    @property
    def mode(self) -> Literal["run", "stop", "cancel"]:
        """`stop` finishes the current test and ends; `cancel` kills at once."""


Take = tuple[str, ...] | Literal["wait", "idle", "over"]
"""Ids of the test cases to run next; or ``wait``, an answer is on its way; ``idle``, there is nothing for now, but there may be
later; ``over``, nothing will come any more.
"""


class CaseFeed(Protocol):
    """Source of a running suite's test cases, a few at a time."""

    def take(self) -> Take:
        """Return what to run next, without waiting. Asked when the test process is about to need it, until it has it."""


Serve = Callable[[StopRequest, Callable[[], None]], None]
"""Runs servers until it is asked to stop, and calls the other once they can be reached; returns early if they cannot."""


class ServerSharing(Protocol):
    """The suite's servers, where several lanes on this machine use the same."""

    def reach(self, serve: Serve, seconds: float | None = None) -> bool:
        """Wait for servers that stay while the lane is at work; False if there are none after so many seconds."""


@dataclass(frozen=True)
class SuiteRequest:
    """One suite to run.

    - `folder` is the unpacked bundle, `output` an empty folder of ours for evidence; the isolation's user can use both.
    - `browsers`: without any, pytest runs in Chromium and Playwright Test as its projects say.
    - `deselect`: ids of tests that already have an outcome. `select`: ids of the only tests to run. `feed`: all are collected,
      and those run that the feed names, as it names them (pytest alone can). `collect_only`: none is run.
    - `env` is added to the child's environment as it is: the caller answers for what is in it. `secrets` are variables of the
      test process alone, never of the worker's nor of an installer's.
    - `timeout_ms` bounds the whole suite. `test_retries`: how often a failed test is run again; None: as the suite itself says.
    - `sandbox`: Chromium's own, which needs unprivileged user namespaces. Most container platforms (Fargate too) have none.
    - `config` sets up browsers, by the names of the API. `job` is what the tests may know of theirs (id, label, url, params,
      attempt), if any.
    - `dependencies` is the environment installed for the suite: `python/` goes on its import path, `node_modules/` holds its
      Node packages, and either may be missing; None where the worker has all that it needs.
    - `servers` is for suites that start servers, and run in batches in lanes; `compiled` is a folder in which such a suite keeps
      what its runner compiled, for its next batch.
    """

    folder: Path
    output: Path
    base_url: str | None = None
    browsers: tuple[BrowserName, ...] = ()
    deselect: frozenset[str] = frozenset()
    trace: Keep = "on"
    screenshot: Keep = "on"
    video: Keep = "off"
    env: Mapping[str, str] = field(default_factory=dict)
    timeout_ms: int | None = None
    sandbox: bool = False
    config: Mapping[str, Any] = field(default_factory=dict)
    job: Mapping[str, Any] | None = None
    select: frozenset[str] | None = None
    feed: CaseFeed | None = None
    collect_only: bool = False
    dependencies: Path | None = None
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    isolation: Isolation = NOT_ISOLATED
    spares: Spares | None = field(default=None, repr=False)
    test_retries: int | None = None
    servers: ServerSharing | None = field(default=None, repr=False)
    compiled: Path | None = None


@dataclass(frozen=True)
class TestCase(Record):
    """A collected test. `id` is the runner's id, relative to the bundle; `path` the classes between file and test."""

    id: Id
    file: Name
    line: Count
    title: Name
    path: Labels = ()


@dataclass(frozen=True)
class TestError(Record):
    """One reason why a test failed. `file` is relative to the bundle where it lies in it; `phase` is setup, call or teardown."""

    message: Message
    stack: Printed = ""
    file: Name | None = None
    line: Count | None = None
    kind: ErrorKind = "other"
    phase: Phase = "call"


@dataclass(frozen=True)
class Step(Record):
    """A phase of a test (`category` phase), or a Playwright call within one (`category` api)."""

    title: Message
    started_at: Label
    duration_ms: Milliseconds
    category: Literal["phase", "api"] = "phase"
    file: Name | None = None
    line: Count | None = None
    error: Message | None = None
    steps: Listed[Step] = ()


@dataclass(frozen=True)
class Attachment(Record):
    """Evidence. `path` is the complete file on this worker's disk; `href` its URL relative to the report, once it has one.
    `lack` says why there is no file. Neither `path` nor `lack` is stored, and none is read: a record could name any file.
    """

    name: Label
    content_type: ContentType
    path: Annotated[Path | None, Field(exclude=True), BeforeValidator(lambda _: None)] = None
    href: Message | None = None
    size_bytes: Count = 0
    lack: Annotated[str | None, Field(exclude=True), BeforeValidator(lambda _: None)] = None


@dataclass(frozen=True)
class Annotation(Record):
    """A remark on a test: a skip reason, an expected failure, a marker."""

    type: Label
    description: Description = ""


def _check_depth(steps: Any, depth: int = 0) -> Any:
    """Refuse steps that are nested without end, before they are read."""
    for step in steps if isinstance(steps, list) else ():
        if depth >= MAX_STEP_DEPTH:
            raise ValueError(f"steps are nested deeper than {MAX_STEP_DEPTH}")
        _check_depth(step.get("steps") if isinstance(step, dict) else None, depth + 1)
    return steps


@dataclass(frozen=True)
class TestResult(Record):
    """One attempt at one test. `stdout` and `stderr` are the tails of what it printed. `retry` counts from 0."""

    id: Id
    file: Name
    line: Count
    title: Name
    outcome: Outcome
    duration_ms: Milliseconds
    started_at: Label
    path: Labels = ()
    errors: Listed[TestError] = ()
    stdout: Printed = ""
    stderr: Printed = ""
    steps: Annotated[Listed[Step], BeforeValidator(_check_depth)] = ()
    attachments: Listed[Attachment] = ()
    annotations: Listed[Annotation] = ()
    retry: Count = 0


@dataclass(frozen=True)
class Collected:
    """The tests that will run, in order. `deselected` are the ids passed over because they already have an outcome."""

    tests: tuple[TestCase, ...]
    deselected: tuple[str, ...] = ()


@dataclass(frozen=True)
class TestStarted:
    """A test began."""

    id: str


@dataclass(frozen=True)
class TestEnded:
    """A test ended; its attachments are complete on disk. `again`: it failed, and is run again: no outcome yet."""

    result: TestResult
    again: bool = False


@dataclass(frozen=True)
class TestStands:
    """A test that was to be run again was not, after all: what it came to last is its outcome."""

    id: str


@dataclass(frozen=True)
class TestInterrupted:
    """A test was ended by force, and has no outcome; what it left until then is complete on disk."""

    result: TestResult


@dataclass(frozen=True)
class LogLine:
    """A line printed by the test process, or by one test."""

    level: Level
    message: str
    test_id: str | None = None


@dataclass(frozen=True)
class JobLog(Record):
    """A line that test code wrote to the job's log. `info` is JSON."""

    level: Literal["INFO", "ERROR"]
    message: JobMessage
    info: JobInfo | None = None
    test_id: Name | None = None


@dataclass(frozen=True)
class JobProgress(Record):
    """Progress of the work as test code says, 0 to 100."""

    percent: Percent
    message: JobMessage = ""


@dataclass(frozen=True)
class JobResult(Record):
    """An addition of test code to the job's results: values by name, and outcomes of items by id. All of it is JSON."""

    values: JobValues = field(default_factory=dict)
    items: JobItems = field(default_factory=dict)
    test_id: Name | None = None


Event = Collected | TestStarted | TestEnded | TestStands | TestInterrupted | LogLine | JobLog | JobProgress | JobResult


@dataclass(frozen=True)
class SuiteError(Record):
    """An error of the suite and not of one test, such as a file that could not be loaded."""

    message: Message
    file: Name | None = None
    line: Count | None = None
    stack: Printed = ""


@dataclass(frozen=True)
class SuiteEnd:
    """The end of a suite.

    `exit_code` is None when the process was killed by `signal`. `unfinished` are the ids of tests that were to run
    and have no outcome: a suite passed only if it is empty. `dropped` counts reports of the child that could not be
    read: then results are missing as well. `oom_kills` counts what the kernel killed for want of memory in this
    control group meanwhile (None: unknown, or we ended it before the kernel had to).
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
