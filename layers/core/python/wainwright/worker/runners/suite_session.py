"""Turns what the child says into events, and what it has said when it ends into a `SuiteEnd`.

The child runs code that is not ours: every record is checked, every text bounded, every attachment must be a regular
file in our output folder.
"""

from __future__ import annotations

import json
import signal
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from wainwright.worker.runners.job_reports import read_log, read_progress, read_result
from wainwright.worker.runners.record_fields import (
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
from wainwright.worker.runners.suite import (
    Attachment,
    Collected,
    EndReason,
    Event,
    JobLog,
    JobResult,
    Level,
    LogLine,
    Progress,
    Step,
    SuiteEnd,
    SuiteError,
    TestCase,
    TestEnded,
    TestError,
    TestInterrupted,
    TestResult,
    TestStands,
    TestStarted,
)
from wainwright.worker.runners.trace_steps import trace_steps
from wainwright.worker.sandbox.isolation import SETTINGS
from wainwright.worker.sandbox.process import Exceeded, ExitStatus
from wainwright.worker.sandbox.take_files import Taking

MAX_TESTS = 100_000
MAX_SUITE_ERRORS = 50
MAX_LOG_LINES = 5_000
"""Printed lines passed on per suite, and as many that test code logs at each level; then one line says that the rest is left
out.
"""
MAX_TEST_LINES = 200
"""Of those, per test; all of them are in the test's own log."""
STDERR_TAIL_LINES = 60


_BY_WHOM = {
    True: ": by the kernel, for want of memory",
    False: ", and neither by us nor by the kernel for want of memory: something sent it SIGKILL",
    None: ", and not by us: most likely it ran out of memory",
}
"""By whether the kernel counted a kill."""


class Session:
    """The state of one suite as the worker has seen it.

    ``owner`` is the user whom its files must belong to, if anybody. ``begun``: a spare has taken the suite. ``wants``: it asked
    for tests to run. ``handed``: those that it was given to run, where it does not run all.
    """

    def __init__(self, folder: Path, output: Path, on_event: Callable[[Event], None], owner: int | None = None) -> None:
        self._folder = folder
        self._taking = Taking(output, owner)
        self._on_event = on_event
        self._tests: dict[str, TestCase] = {}
        self._deselected: list[str] = []
        self._ended: set[str] = set()
        self._to_run_again: dict[str, None] = {}
        self._running: str | None = None
        self._began = datetime.now(UTC)
        self._errors: list[SuiteError] = []
        self._collection_failed = False
        self._stderr: deque[str] = deque(maxlen=STDERR_TAIL_LINES)
        self._log_lines: Counter[str] = Counter()
        self._malformed = 0
        self._finished = False
        self.wants = False
        self.begun = False
        self.handed: set[str] | None = None
        self._handlers: dict[str, Callable[[Mapping[str, Any]], list[Event]]] = {
            "begun": self._spare_begun,
            "tests": self._tests_found,
            "deselected": self._passed_over,
            "collected": self._collected,
            "wants": self._wants,
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

    def _spare_begun(self, _record: Mapping[str, Any]) -> list[Event]:
        self.begun = True
        return []

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

    def _wants(self, _record: Mapping[str, Any]) -> list[Event]:
        self.wants = True
        return []

    def _test_started(self, record: Mapping[str, Any]) -> list[Event]:
        self._running = self._known(record)
        self._began = datetime.now(UTC)
        return [TestStarted(self._running)]

    def _test_ended(self, record: Mapping[str, Any]) -> list[Event]:
        test_id = self._known(record)
        # Checked before anything is kept: `from_json` does not read paths, so that none comes from a stored row.
        attachments = tuple(self._attachment(item) for item in records(record, "attachments"))
        result = TestResult.from_json({**record, "attachments": []})
        attachments += self._left_by(record)
        self._running = None
        result = replace(result, attachments=attachments, steps=self._with_calls(result, attachments))
        if any(error.kind == "canceled" for error in result.errors):
            return [TestInterrupted(result)]
        if record.get("again") is True:
            self._to_run_again[test_id] = None
            return [TestEnded(result, again=True)]
        self._to_run_again.pop(test_id, None)
        self._ended.add(test_id)
        return [TestEnded(result), Progress(len(self._ended), len(self._tests))]

    @property
    def running_since(self) -> float | None:
        """When the test began that is running, in seconds since the epoch; None where none is."""
        return self._began.timestamp() if self._running else None

    def interrupt(self, left: tuple[Attachment, ...]) -> None:
        """The running test will not end any more; this is what it left."""
        if self._running is not None:
            self._cut_off(self._running, self._began, left)

    def _cut_off(self, test_id: str, began: datetime, left: tuple[Attachment, ...], retry: int = 0) -> None:
        case, spent = self._tests[test_id], datetime.now(UTC) - began
        result = TestResult(
            *(
                case.id,
                case.file,
                case.line,
                case.title,
                "failed",
                spent.total_seconds() * 1_000,
                _instant(began),
            ),
            path=case.path,
            retry=retry,
            errors=(TestError("The test process ended while this test ran"),),
            attachments=left,
        )
        self._on_event(TestInterrupted(replace(result, steps=self._with_calls(result, left))))

    def _left_by(self, _record: Mapping[str, Any]) -> tuple[Attachment, ...]:
        """What a test left that has ended with its process, besides its attachments."""
        return ()

    def _known(self, record: Mapping[str, Any]) -> str:
        test_id = text(record, "id", MAX_ID)
        if test_id not in self._tests:
            raise ValueError("not a collected test")
        return test_id

    def _attachment(self, item: Mapping[str, Any]) -> Attachment:
        """Without a file if it is not a regular one in our folder: a link could name any file that the worker may read."""
        name, content_type = text(item, "name", MAX_LABEL), text(item, "contentType", MAX_LABEL)
        taken = self._taking.take(Path(text(item, "path", MAX_ID)))
        if taken is None:
            return Attachment(name, content_type, lack=self._taking.reason)
        return Attachment(name, content_type, taken[0], None, taken[1])

    def _with_calls(self, result: TestResult, attachments: tuple[Attachment, ...]) -> tuple[Step, ...]:
        """Each phase with the Playwright calls that began in it, for a runner that does not report them itself."""
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
        self._ended.update(self._to_run_again)
        return [TestStands(test_id) for test_id in self._to_run_again]

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
        to_run = [each for each in self._tests if self.handed is None or each in self.handed]
        unfinished = tuple(test_id for test_id in to_run if test_id not in self._ended)
        reason = self._reason(status, ended_by_us, bool(unfinished))
        errors = list(self._errors) or self._explained(reason, status, kills)
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
            oom_kills=None if reason == "out_of_memory" and status.bound else kills,
            max_rss_bytes=status.max_rss_bytes,
        )

    def _reason(self, status: ExitStatus, ended_by_us: str | None, unfinished: bool) -> EndReason:
        if ended_by_us == "stopped" and not unfinished and self._finished:
            ended_by_us = None  # everything had run by the time that the stop arrived
        if ended_by_us is not None and not self._collection_failed:
            return cast(EndReason, ended_by_us)
        if status.bound is not None:
            return "out_of_memory" if status.bound.name == "memory" else "bound_exceeded"
        if self._collection_failed:
            return "collection_error"
        if status.signal == signal.SIGXCPU:
            return "bound_exceeded"
        if status.signal is not None:
            return "out_of_memory" if self.ran_out_of_memory(status.signal) else "crashed"
        return self.reason_by_exit_code(status.exit_code) or (
            "finished" if self._tests or self._deselected else "no_tests"
        )

    def ran_out_of_memory(self, signal_number: int) -> bool:
        """Whether a process that this signal killed is taken for one that had no memory left."""
        return signal_number == signal.SIGKILL

    def reason_by_exit_code(self, code: int | None) -> EndReason | None:
        """What the runner's exit code says of its end; None for an orderly one."""
        return None if self._finished else "crashed"

    def _explained(self, reason: EndReason, status: ExitStatus, kills: int | None) -> list[SuiteError]:
        """A message for ends that the child could not explain itself."""
        if status.bound is not None and reason in ("out_of_memory", "bound_exceeded"):
            return [SuiteError(_beyond(status.bound))]
        if reason == "bound_exceeded":
            message = f"The test process used more CPU time than it may ({SETTINGS['cpu']}), and was ended"
            return [SuiteError(message)]
        if explanation := self.explanation(reason):
            return [SuiteError(explanation)]
        if reason not in ("out_of_memory", "crashed"):
            return []
        running = self.running_tests
        during = f" while {' and '.join(running)} ran" if running else ""
        if reason == "out_of_memory":
            return [SuiteError(f"The test process was killed{during}{_BY_WHOM[None if kills is None else kills > 0]}")]
        if status.signal is not None:
            return [SuiteError(f"The test process was killed by {signal.Signals(status.signal).name}{during}")]
        return [SuiteError(f"The test process left with code {status.exit_code}{during}, before its session ended")]

    def explanation(self, reason: EndReason) -> str | None:
        """The runner's own words for an end; None where there are none."""
        return "No test was found" if reason == "no_tests" else None

    @property
    def running_tests(self) -> list[str]:
        """Ids of the tests that have begun and not ended."""
        return [self._running] if self._running else []

    @property
    def finished(self) -> bool:
        """Whether the child has said that its session came to its end."""
        return self._finished

    @property
    def printed(self) -> list[str]:
        """The last lines that it printed on standard error."""
        return list(self._stderr)


def _instant(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _beyond(bound: Exceeded) -> str:
    """What was taken, and the setting that it is more than."""
    if bound.name == "processes":
        took = f"ran {bound.found} processes and threads at once, more than the {bound.limit} that it may"
    else:
        where = "of memory" if bound.name == "memory" else "on disk"
        found, limit = (round(number / 1_000_000) for number in (bound.found, bound.limit))
        took = f"took {found} MB {where}, more than the {limit} MB that it may"
    return f"The suite {took} ({SETTINGS[bound.name]}), and was ended"
