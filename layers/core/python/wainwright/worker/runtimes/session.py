"""Turns what the child says into events, and what it has said when it ends into a `SuiteEnd`.

The child runs code that is not ours: every record is checked, every text bounded, every attachment must be a regular
file in our output folder.
"""

from __future__ import annotations

import json
import os
import signal
import stat
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from .fields import (
    MAX_ID,
    MAX_LABEL,
    MAX_MESSAGE,
    MAX_STACK,
    integer,
    optional_integer,
    optional_text,
    records,
    text,
    texts,
)
from .job_records import read_log, read_progress, read_result
from .model import (
    Attachment,
    Collected,
    EndReason,
    Event,
    JobLog,
    JobResult,
    Level,
    LogLine,
    Progress,
    SuiteEnd,
    SuiteError,
    TestCase,
    TestEnded,
    TestResult,
    TestStarted,
)
from .process import ExitStatus
from .trace_steps import trace_steps

MAX_TESTS = 100_000
MAX_SUITE_ERRORS = 50
MAX_LOG_LINES = 5_000
"""Printed lines passed on per suite, and as many that test code logs at each level; then one line says that the rest is left
out.
"""
MAX_TEST_LINES = 200
"""Of those, per test; all of them are in the test's own log."""
STDERR_TAIL_LINES = 60
PYTEST_OK, PYTEST_TESTS_FAILED, PYTEST_INTERRUPTED, PYTEST_INTERNAL, PYTEST_USAGE, PYTEST_NO_TESTS = range(6)
PYTEST_ORDERLY = (PYTEST_OK, PYTEST_TESTS_FAILED, PYTEST_INTERRUPTED, PYTEST_NO_TESTS)


class Session:
    """The state of one suite as the worker has seen it."""

    def __init__(self, folder: Path, output: Path, on_event: Callable[[Event], None]) -> None:
        self._folder = folder
        self._output = output
        self._on_event = on_event
        self._tests: dict[str, TestCase] = {}
        self._deselected: list[str] = []
        self._ended: set[str] = set()
        self._running: str | None = None
        self._errors: list[SuiteError] = []
        self._collection_failed = False
        self._stderr: deque[str] = deque(maxlen=STDERR_TAIL_LINES)
        self._log_lines: Counter[str] = Counter()
        self._malformed = 0
        self._finished = False
        self._handlers: dict[str, Callable[[Mapping[str, Any]], list[Event]]] = {
            "tests": self._tests_found,
            "deselected": self._passed_over,
            "collected": self._collected,
            "started": self._test_started,
            "ended": self._test_ended,
            "collection_error": self._collection_error,
            "session_error": self._session_error,
            "finished": self._session_finished,
            "job_log": self._job_log,
            "job_progress": lambda record: [read_progress(record)],
            "job_result": self._job_result,
        }

    def take(self, stream: str, line: bytes) -> None:
        """One line of the child, from its event pipe or printed."""
        if stream == "events":
            self._take_record(line)
            return
        message = line.decode("utf-8", "replace").rstrip()
        if stream == "stderr":
            self._stderr.append(message)
        if message:
            self._log("WARNING" if stream == "stderr" else "INFO", message, self._running)

    def _take_record(self, line: bytes) -> None:
        try:
            record = json.loads(line)
            if b"\\ud" in line.lower():  # half a surrogate pair is JSON, but no text that could be stored
                record = json.loads(json.dumps(record, ensure_ascii=False).encode("utf-8", "replace"))
            events = self._handlers[record["type"]](record)
        except (ValueError, KeyError, TypeError, RecursionError):
            self._malformed += 1  # something else wrote to the pipe, or the line was cut off by a kill
            return
        for event in events:
            self._on_event(event)
            if isinstance(event, TestEnded):
                self._pass_on_printed(event.result)

    def _tests_found(self, record: Mapping[str, Any]) -> list[Event]:
        for item in records(record, "tests"):
            if len(self._tests) < MAX_TESTS:
                case = TestCase.from_json(item)
                self._tests[case.id] = case
        return []

    def _passed_over(self, record: Mapping[str, Any]) -> list[Event]:
        self._deselected += texts(record, "ids", MAX_ID)
        return []

    def _collected(self, record: Mapping[str, Any]) -> list[Event]:
        missing = integer(record, "total") - len(self._tests)
        if missing > 0:
            self._malformed += missing
        return [Collected(tuple(self._tests.values()), tuple(self._deselected)), Progress(0, len(self._tests))]

    def _test_started(self, record: Mapping[str, Any]) -> list[Event]:
        self._running = self._known(record)
        return [TestStarted(self._running)]

    def _test_ended(self, record: Mapping[str, Any]) -> list[Event]:
        test_id = self._known(record)
        # Checked before anything is kept: `from_json` does not read paths, so that none comes from a stored row.
        attachments = tuple(filter(None, (self._attachment(item) for item in records(record, "attachments"))))
        result = TestResult.from_json({**record, "attachments": []})
        self._ended.add(test_id)
        self._running = None
        result = replace(result, attachments=attachments, steps=self._with_calls(result, attachments))
        return [TestEnded(result), Progress(len(self._ended), len(self._tests))]

    def _known(self, record: Mapping[str, Any]) -> str:
        test_id = text(record, "id", MAX_ID)
        if test_id not in self._tests:
            raise ValueError("not a collected test")
        return test_id

    def _attachment(self, item: Mapping[str, Any]) -> Attachment | None:
        """None for what is not a regular file in our folder: a link could name any file that the worker may read."""
        path = Path(text(item, "path", MAX_ID))
        try:
            found = os.lstat(path)
        except (OSError, ValueError):
            return None
        if not stat.S_ISREG(found.st_mode) or not path.resolve().is_relative_to(self._output):
            return None
        name, content_type = text(item, "name", MAX_LABEL), text(item, "contentType", MAX_LABEL)
        return Attachment(name, content_type, path, None, found.st_size)

    def _with_calls(self, result: TestResult, attachments: tuple[Attachment, ...]) -> Any:
        """Each phase with the Playwright calls that began in it."""
        traces = [a.path for a in attachments if a.name == "trace" and a.path is not None]
        calls = [step for trace in traces for step in trace_steps(trace, self._folder)]
        phases = list(result.steps)
        for index, phase in enumerate(phases):
            # Times are RFC 3339 of one width in UTC, so they compare as text.
            until = phases[index + 1].started_at if index + 1 < len(phases) else "~"
            since = phase.started_at if index else ""
            within = tuple(call for call in calls if since <= call.started_at < until)
            phases[index] = replace(phase, steps=within)
        return tuple(phases)

    def _collection_error(self, record: Mapping[str, Any]) -> list[Event]:
        self._collection_failed = True
        self._session_error(record)
        return []

    def _session_error(self, record: Mapping[str, Any]) -> list[Event]:
        if len(self._errors) < MAX_SUITE_ERRORS:
            self._errors.append(
                SuiteError(
                    text(record, "message", MAX_MESSAGE),
                    optional_text(record, "file", MAX_ID),
                    optional_integer(record, "line"),
                    text(record, "stack", MAX_STACK, default=""),
                )
            )
        return []

    def _session_finished(self, record: Mapping[str, Any]) -> list[Event]:
        integer(record, "exitStatus")
        self._finished = True
        return []

    def _pass_on_printed(self, result: TestResult) -> None:
        printed: list[tuple[Level, str]] = [("INFO", line) for line in result.stdout.splitlines() if line.strip()]
        printed += [("WARNING", line) for line in result.stderr.splitlines() if line.strip()]
        for level, line in printed[:MAX_TEST_LINES]:
            self._log(level, line[:MAX_MESSAGE], result.id)

    def _log(self, level: Level, message: str, test_id: str | None) -> None:
        self._log_lines["printed"] += 1
        if self._log_lines["printed"] <= MAX_LOG_LINES:
            self._on_event(LogLine(level, message, test_id))
        elif self._log_lines["printed"] == MAX_LOG_LINES + 1:
            self._on_event(LogLine("WARNING", f"more than {MAX_LOG_LINES} lines were printed; the rest is left out"))

    def _job_log(self, record: Mapping[str, Any]) -> list[Event]:
        line = read_log(record)
        self._log_lines[line.level] += 1
        if self._log_lines[line.level] > MAX_LOG_LINES + 1:
            return []
        if self._log_lines[line.level] == MAX_LOG_LINES + 1:
            return [JobLog(line.level, f"more than {MAX_LOG_LINES} lines were logged; the rest is left out")]
        return [replace(line, test_id=self._collected_or_none(line.test_id))]

    def _job_result(self, record: Mapping[str, Any]) -> list[Event]:
        result: JobResult = read_result(record)
        return [replace(result, test_id=self._collected_or_none(result.test_id))]

    def _collected_or_none(self, test_id: str | None) -> str | None:
        return test_id if test_id in self._tests else None

    def end(self, status: ExitStatus, ended_by_us: str | None, dropped: int, kills: int | None) -> SuiteEnd:
        """How the suite ended, from what arrived, the exit status, and whether we ended it."""
        unfinished = tuple(test_id for test_id in self._tests if test_id not in self._ended)
        reason = self._reason(status, ended_by_us, bool(unfinished))
        errors = list(self._errors) or self._explained(reason, status)
        return SuiteEnd(
            reason=reason,
            exit_code=status.exit_code,
            signal=status.signal,
            errors=tuple(errors),
            stderr="\n".join(self._stderr)[-MAX_STACK:],
            collected=len(self._tests),
            deselected=len(self._deselected),
            unfinished=unfinished,
            dropped=dropped + self._malformed,
            oom_kills=kills,
            max_rss_bytes=status.max_rss_bytes,
        )

    def _reason(self, status: ExitStatus, ended_by_us: str | None, unfinished: bool) -> EndReason:
        if ended_by_us == "stopped" and not unfinished and self._finished:
            ended_by_us = None  # everything had run by the time that the stop arrived
        if ended_by_us is not None and not self._collection_failed:
            return cast(EndReason, ended_by_us)
        if self._collection_failed:
            return "collection_error"
        if status.signal is not None:
            return "out_of_memory" if status.signal == signal.SIGKILL else "crashed"
        if status.exit_code == PYTEST_USAGE:
            return "usage_error"
        if not self._finished or status.exit_code not in PYTEST_ORDERLY:
            return "crashed"
        if status.exit_code == PYTEST_INTERRUPTED:
            return "interrupted"
        if not self._tests and not self._deselected:
            return "no_tests"
        return "finished"

    def _explained(self, reason: EndReason, status: ExitStatus) -> list[SuiteError]:
        """A message for ends that the child could not explain itself."""
        said = next((line for line in self._stderr if line.strip()), "")
        if reason == "usage_error":
            # argparse prints its usage first, then "…: error: what was wrong".
            said = next((line for line in self._stderr if ": error: " in line), said)
            return [SuiteError(said or "pytest refused its options or the suite's configuration")]
        if reason == "out_of_memory":
            return [SuiteError("The test process was killed, and not by us: most likely it ran out of memory")]
        if reason == "crashed" and status.signal is not None:
            return [SuiteError(f"The test process was killed by {signal.Signals(status.signal).name}")]
        if reason == "crashed":
            return [SuiteError(f"The test process left with code {status.exit_code} before its session ended")]
        if reason == "no_tests":
            return [
                SuiteError("No test was found: pytest collects test_* functions from test_*.py and *_test.py files")
            ]
        return []
