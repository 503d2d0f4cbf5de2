"""The session of a suite that Playwright Test runs: its own records and exit codes."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from signal import SIGABRT

from wainwright.worker.runners.playwright_test.playwright_evidence import Attempt, PlaywrightEvidence
from wainwright.worker.runners.record_types import Count, Label, Message, Name, adapter
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
from wainwright.worker.runners.suite_session import Record, Session
from wainwright.worker.sandbox.process import ExitStatus

FAILED, INTERRUPTED = 1, 130
"""Exit codes: of a run that SIGINT ended, and of any other that did not pass."""
HEAP_EXHAUSTED = "JavaScript heap out of memory"
"""Printed by V8 before it aborts."""
_KEPT = re.compile(r"[0-9a-f]{6}-\d{5,}-\d{3,}")
"""Names under which the child keeps evidence (`evidence.cjs`)."""


class PlaywrightSession(Session):
    """A suite that Playwright Test runs. `listed` holds the runner's own ids of tests, by ours, once it has listed them, and
    `has_servers` says whether it starts servers that lanes can share; `on_serving` is called when they are started.

    What a suite attaches may be anybody's file; what a killed test left must be of the `owner`, if one is given.
    """

    def __init__(self, folder: Path, output: Path, on_event: Callable[[Event], None], owner: int | None = None) -> None:
        super().__init__(folder, output, on_event)
        self.listed: dict[str, str] = {}
        self.has_servers = False
        self.on_serving: Callable[[], None] = lambda: None
        self._refused: tuple[EndReason, str] | None = None
        self._killed: dict[str, str] = {}
        self._heap_exhausted = False
        self._attempts: dict[str, Attempt] = {}
        self._evidence = PlaywrightEvidence(output, owner)
        self._ended_by_us: str | None = None
        self._passed: dict[str, bool] = {}

    def _read_listed(self, record: Record) -> None:
        for each in adapter(list[dict[str, Name]]).validate_python(record["tests"]):
            self.listed[each["id"]] = each["testId"]

    def _read_has_servers(self, _record: Record) -> None:
        self.has_servers = True

    def _read_serving(self, _record: Record) -> None:
        self.on_serving()

    def _read_browser_missing(self, record: Record) -> None:
        self._refused = ("browser_missing", adapter(Message).validate_python(record["message"]))

    def _read_browser_not_in_suite(self, record: Record) -> None:
        self._refused = ("browser_not_in_suite", adapter(Message).validate_python(record["message"]))

    def _read_worker_killed(self, record: Record) -> None:
        self._killed[self._known(record)] = adapter(Label).validate_python(record["signal"])

    def _read_heap_exhausted(self, _record: Record) -> None:
        self._heap_exhausted = True

    def _with_calls(self, result: TestResult, _attachments: tuple[Attachment, ...]) -> tuple[Step, ...]:
        return result.steps  # the runner reports the calls itself

    @property
    def _printing(self) -> None:
        """None: several tests may run at once, so nothing that is printed can be said to be of one."""

    def _read_started(self, record: Record) -> list[Event]:
        runner_id = adapter(Label).validate_python(record["testId"])
        if not re.fullmatch(r"[\w-]+", runner_id):
            raise ValueError("not an id of Playwright Test")
        retry, process = (adapter(Count).validate_python(record[name]) for name in ("retry", "workerIndex"))
        self._attempts[self._known(record)] = Attempt(runner_id, retry, process, time.time())
        return super()._read_started(record)

    def _read_ended(self, record: Record) -> list[Event]:
        events = super()._read_ended(record)
        self._attempts.pop(self._known(record), None)
        self._passed |= {
            each.result.id: each.result.outcome != "failed" for each in events if isinstance(each, TestEnded)
        }
        return events

    def _evidence_of_ended(self, record: Record) -> tuple[Attachment, ...]:
        attempt = self._attempts.get(self._known(record))
        if record.get("left") is None or attempt is None:
            return ()
        if not _KEPT.fullmatch(record["left"]):
            raise ValueError("not a name of evidence")
        return self._evidence.of_process(attempt, record["left"])

    def collect_interrupted(self) -> None:
        if not self.finished:
            super().collect_interrupted()

    def evidence_of(self, test_id: str, _began: float) -> tuple[Attachment, ...]:
        return self._evidence.of_killed(self._attempts[test_id])

    def retry_of(self, test_id: str) -> int:
        return self._attempts[test_id].retry

    @property
    def _lost(self) -> list[str]:
        """Tests whose processes had no memory left, or were killed like it, and that did not pass when they ran again."""
        signals = {"SIGKILL", "SIGABRT"} if self._heap_exhausted else {"SIGKILL"}
        return [each for each, signal in self._killed.items() if signal in signals and not self._passed.get(each)]

    @property
    def _aborted(self) -> bool:
        """True if the runner itself has said that it has no memory left."""
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
        return "was killed, but not by Wainwright: most likely it ran out of memory"

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
