"""What only the records and exit codes of Playwright Test mean."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from signal import SIGABRT
from typing import Any

from wainwright.worker.runners.playwright_test.playwright_remains import Attempt, PlaywrightRemains
from wainwright.worker.runners.record_fields import MAX_ID, MAX_LABEL, MAX_MESSAGE, integer, records, text
from wainwright.worker.runners.suite import (
    Attachment,
    EndReason,
    Event,
    Step,
    SuiteEnd,
    SuiteError,
    TestEnded,
    TestResult,
)
from wainwright.worker.runners.suite_session import Session
from wainwright.worker.sandbox.process import ExitStatus

FAILED, INTERRUPTED = 1, 130
"""Exit codes: of a run that SIGINT ended, and of any other that did not pass."""
HEAP_EXHAUSTED = "JavaScript heap out of memory"
"""What V8 prints before it aborts."""
_KEPT = re.compile(r"[0-9a-f]{6}-\d{5,}-\d{3,}")
"""Names under which the child keeps evidence (`evidence.cjs`)."""


class PlaywrightSession(Session):
    """A suite that Playwright Test runs. `listed` holds the runner's own ids of tests, by ours, once it has listed them, and
    `has_servers` says whether it starts servers that lanes can share; `on_serving` is called when they are started.

    What a suite attaches may be anybody's file; what a killed test left must be of the user ``left_by``, if that is given.
    """

    def __init__(
        self, folder: Path, output: Path, on_event: Callable[[Event], None], left_by: int | None = None
    ) -> None:
        super().__init__(folder, output, on_event)
        self.listed: dict[str, str] = {}
        self.has_servers = False
        self.on_serving: Callable[[], None] = lambda: None
        self._refused: tuple[EndReason, str] | None = None
        self._killed: dict[str, str] = {}
        self._heap_exhausted = False
        self._attempts: dict[str, Attempt] = {}
        self._remains = PlaywrightRemains(output, left_by)
        self._ended_by_us: str | None = None
        self._passed: dict[str, bool] = {}
        self._handlers |= {
            "listed": self._listing,
            "browser_missing": self._browser_missing,
            "browser_not_in_suite": self._browser_not_in_suite,
            "worker_killed": self._worker_killed,
            "heap_exhausted": self._heap_is_exhausted,
            "has_servers": self._has_servers,
            "serving": self._serving,
        }

    def _listing(self, record: Mapping[str, Any]) -> list[Event]:
        for item in records(record, "tests"):
            self.listed[text(item, "id", MAX_ID)] = text(item, "testId", MAX_ID)
        return []

    def _has_servers(self, _record: Mapping[str, Any]) -> list[Event]:
        self.has_servers = True
        return []

    def _serving(self, _record: Mapping[str, Any]) -> list[Event]:
        self.on_serving()
        return []

    def _browser_missing(self, record: Mapping[str, Any]) -> list[Event]:
        self._refused = ("browser_missing", text(record, "message", MAX_MESSAGE))
        return []

    def _browser_not_in_suite(self, record: Mapping[str, Any]) -> list[Event]:
        self._refused = ("browser_not_in_suite", text(record, "message", MAX_MESSAGE))
        return []

    def _worker_killed(self, record: Mapping[str, Any]) -> list[Event]:
        self._killed[self._known(record)] = text(record, "signal", MAX_LABEL)
        return []

    def _heap_is_exhausted(self, _record: Mapping[str, Any]) -> list[Event]:
        self._heap_exhausted = True
        return []

    def _with_calls(self, result: TestResult, _attachments: tuple[Attachment, ...]) -> tuple[Step, ...]:
        return result.steps  # the runner reports the calls itself

    def _test_started(self, record: Mapping[str, Any]) -> list[Event]:
        events = super()._test_started(record)
        if self._running is not None:
            runner_id = text(record, "testId", MAX_LABEL)
            if not re.fullmatch(r"[\w-]+", runner_id):
                raise ValueError("not an id of Playwright Test")
            numbers = integer(record, "retry"), integer(record, "workerIndex")
            self._attempts[self._running] = Attempt(runner_id, *numbers, self._began.timestamp())
        self._running = None  # several may run at once, so nothing that is printed can be said to be of one
        return events

    def _test_ended(self, record: Mapping[str, Any]) -> list[Event]:
        events = super()._test_ended(record)
        self._attempts.pop(self._known(record), None)
        for event in events:
            if isinstance(event, TestEnded):
                self._passed[event.result.id] = event.result.outcome != "failed"
        return events

    def _left_by(self, record: Mapping[str, Any]) -> tuple[Attachment, ...]:
        attempt = self._attempts.get(self._known(record))
        if record.get("left") is None or attempt is None:
            return ()
        name = text(record, "left", MAX_LABEL)
        if not _KEPT.fullmatch(name):
            raise ValueError("not a name of evidence")
        return self._remains.of_process(attempt, name)

    def look_at_remains(self) -> None:
        """When everything was killed: what the tests that were running left."""
        if self.finished:
            return
        for test_id, attempt in self._attempts.items():
            began = datetime.fromtimestamp(attempt.began, UTC)
            self._cut_off(test_id, began, self._remains.of_killed(attempt), attempt.retry)

    @property
    def running_tests(self) -> list[str]:
        return list(self._attempts)

    @property
    def _lost(self) -> list[str]:
        """Tests whose processes had no memory left, or were killed like it, and that did not pass when they ran again."""
        signals = {"SIGKILL", "SIGABRT"} if self._heap_exhausted else {"SIGKILL"}
        return [each for each, signal in self._killed.items() if signal in signals and not self._passed.get(each)]

    @property
    def _aborted(self) -> bool:
        """Whether the runner itself has said that it has no memory left."""
        return any(HEAP_EXHAUSTED in line for line in self.printed)

    def ran_out_of_memory(self, signal_number: int) -> bool:
        return super().ran_out_of_memory(signal_number) or (signal_number == SIGABRT and self._aborted)

    def reason_by_exit_code(self, code: int | None) -> EndReason | None:
        if self._refused is not None:
            return self._refused[0]
        if not self.finished:
            # Before there are tests, the runner leaves so with what it refuses, such as its configuration.
            return "usage_error" if code == FAILED and not self._tests and self._said() else "crashed"
        if code == INTERRUPTED and self._ended_by_us is None:
            return "interrupted"
        return "out_of_memory" if self._lost else None

    def explanation(self, reason: EndReason) -> str | None:
        if self._refused is not None:
            return self._refused[1]
        if reason == "usage_error":
            return self._said()
        if reason == "no_tests":
            return "No test was found: Playwright Test collects *.spec.* and *.test.* files, or what testMatch says"
        if reason == "out_of_memory" and self._lost:
            return f"{self._lost[0]}: its process {self._how(self._killed[self._lost[0]] == 'SIGABRT')}"
        if reason == "out_of_memory" and self._aborted:
            return f"Playwright Test's own process {self._how(exhausted=True)}"
        return None

    def _how(self, exhausted: bool) -> str:
        if exhausted:
            return (
                f"ran out of memory: {HEAP_EXHAUSTED}. With NODE_OPTIONS=--max-old-space-size=… (MB) it may take more"
            )
        return "was killed, and not by us: most likely it ran out of memory"

    def _said(self) -> str:
        """The error that the runner left with, without the name of our configuration."""
        said = next((line for line in self.printed if re.match(r"\w*Error: ", line)), "")
        return re.sub(r"(\S*/)?\.wainwright\.config\.\w+: ", "", said)

    def end(self, status: ExitStatus, ended_by_us: str | None, dropped: int, kills: int | None) -> SuiteEnd:
        self._ended_by_us = ended_by_us
        ended = super().end(status, ended_by_us, dropped, kills)
        if ended.reason == "finished" and status.exit_code == INTERRUPTED:  # the stop came when all had run
            return replace(ended, exit_code=0 if all(self._passed.values()) else FAILED)
        exhausted = self._aborted or (self._heap_exhausted and "SIGABRT" in map(self._killed.get, self._lost))
        if ended.reason == "out_of_memory" and exhausted:
            return replace(ended, oom_kills=None)  # by its own bound, of which the kernel does not know
        if self._refused is not None:  # what the runner says of it is only that its configuration threw
            return replace(ended, errors=(SuiteError(self._refused[1]),))
        return ended
