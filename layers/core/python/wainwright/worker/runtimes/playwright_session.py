"""What only the records and exit codes of Playwright Test mean."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from .fields import MAX_ID, MAX_MESSAGE, records, text
from .model import Attachment, EndReason, Event, Step, SuiteEnd, SuiteError, TestEnded, TestResult
from .process import ExitStatus
from .session import Session

FAILED, INTERRUPTED = 1, 130
"""Exit codes: of a run that SIGINT ended, and of any other that did not pass."""


class PlaywrightSession(Session):
    """A suite that Playwright Test runs. `listed` holds the runner's own ids of tests, by ours, once it has listed them."""

    def __init__(self, folder: Path, output: Path, on_event: Callable[[Event], None], owner: int | None = None) -> None:
        super().__init__(folder, output, on_event, owner)
        self.listed: dict[str, str] = {}
        self._refused: tuple[EndReason, str] | None = None
        self._killed: str | None = None
        self._ended_by_us: str | None = None
        self._passed: dict[str, bool] = {}
        self._handlers |= {
            "listed": self._listing,
            "browser_missing": self._browser_missing,
            "browser_not_in_suite": self._browser_not_in_suite,
            "worker_killed": self._worker_killed,
        }

    def _listing(self, record: Mapping[str, Any]) -> list[Event]:
        for item in records(record, "tests"):
            self.listed[text(item, "id", MAX_ID)] = text(item, "testId", MAX_ID)
        return []

    def _browser_missing(self, record: Mapping[str, Any]) -> list[Event]:
        self._refused = ("browser_missing", text(record, "message", MAX_MESSAGE))
        return []

    def _browser_not_in_suite(self, record: Mapping[str, Any]) -> list[Event]:
        self._refused = ("browser_not_in_suite", text(record, "message", MAX_MESSAGE))
        return []

    def _worker_killed(self, record: Mapping[str, Any]) -> list[Event]:
        self._killed = self._known(record)
        return []

    def _with_calls(self, result: TestResult, _attachments: tuple[Attachment, ...]) -> tuple[Step, ...]:
        return result.steps  # the runner reports the calls itself

    def _test_started(self, record: Mapping[str, Any]) -> list[Event]:
        events = super()._test_started(record)
        self._running = None  # several may run at once, so nothing that is printed can be said to be of one
        return events

    def _test_ended(self, record: Mapping[str, Any]) -> list[Event]:
        events = super()._test_ended(record)
        for event in events:
            if isinstance(event, TestEnded):
                self._passed[event.result.id] = event.result.outcome != "failed"
        return events

    def reason_by_exit_code(self, code: int | None) -> EndReason | None:
        if self._refused is not None:
            return self._refused[0]
        if not self.finished:
            # Before there are tests, the runner leaves so with what it refuses, such as its configuration.
            return "usage_error" if code == FAILED and not self._tests and self._said() else "crashed"
        if code == INTERRUPTED and self._ended_by_us is None:
            return "interrupted"
        return "out_of_memory" if self._killed is not None else None

    def explanation(self, reason: EndReason) -> str | None:
        if self._refused is not None:
            return self._refused[1]
        if reason == "usage_error":
            return self._said()
        if reason == "no_tests":
            return "No test was found: Playwright Test collects *.spec.* and *.test.* files, or what testMatch says"
        if reason == "out_of_memory" and self._killed is not None:
            return f"{self._killed}: its process was killed, and not by us: most likely it ran out of memory"
        return None

    def _said(self) -> str:
        """The error that the runner left with, without the name of our configuration."""
        said = next((line for line in self.printed if re.match(r"\w*Error: ", line)), "")
        return re.sub(r"(\S*/)?\.wainwright\.config\.\w+: ", "", said)

    def end(self, status: ExitStatus, ended_by_us: str | None, dropped: int, kills: int | None) -> SuiteEnd:
        self._ended_by_us = ended_by_us
        ended = super().end(status, ended_by_us, dropped, kills)
        if ended.reason == "finished" and status.exit_code == INTERRUPTED:  # the stop came when all had run
            return replace(ended, exit_code=0 if all(self._passed.values()) else FAILED)
        if self._refused is not None:  # what the runner says of it is only that its configuration threw
            return replace(ended, errors=(SuiteError(self._refused[1]),))
        return ended
