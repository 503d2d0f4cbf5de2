"""Turns what the child says into events, and what it has said when it ends into a `SuiteEnd`.

The child runs code that is not ours: every record is checked, every text bounded, every attachment must be a regular
file in our output folder.
"""

from __future__ import annotations

import signal
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from wainwright.domain.cuts import cut_end, cut_start
from wainwright.worker.runners.record_types import MAX_MESSAGE, MAX_STACK, Count, Id, Listed, Name, adapter, parse_json
from wainwright.worker.runners.suite import (
    Attachment,
    Collected,
    EndReason,
    Event,
    JobLog,
    JobProgress,
    JobResult,
    Level,
    LogLine,
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
from wainwright.worker.runners.trace_steps import read_steps
from wainwright.worker.sandbox.bounds import SETTINGS
from wainwright.worker.sandbox.process import Exceeded, ExitStatus
from wainwright.worker.sandbox.untrusted_files import UntrustedFiles

MAX_TESTS = 100_000
MAX_SUITE_ERRORS = 50
MAX_LOG_LINES = 5_000
"""Printed lines passed on per suite, and as many logged ones of each level; one line says that the rest is left out."""
MAX_TEST_LINES = 200
"""Of those, per test; all of them are in the test's own log."""
STDERR_TAIL_LINES = 60
Record = Mapping[str, Any]
_BY_WHOM = {
    True: ": by the kernel, because memory ran out",
    False: ", neither by Wainwright nor by the kernel for lack of memory: something sent it SIGKILL",
    None: ", but not by Wainwright: most likely it ran out of memory",
}
"""By whether the kernel counted a kill."""


class Session:
    """One suite as the worker has seen it. Records are read by the method `_read_` and their type. `owner` is the user whom its
    files must belong to, if anybody. `begun`: a spare has taken the suite. `wants`: it asked for tests to run. `handed`: those
    that it was given to run, where it does not run all. `finished`: its session came to its end."""

    def __init__(self, folder: Path, output: Path, on_event: Callable[[Event], None], owner: int | None = None) -> None:
        self._folder = folder
        self._untrusted = UntrustedFiles(output, owner)
        self._on_event = on_event
        self._tests: dict[str, TestCase] = {}
        self._deselected: list[str] = []
        self._ended: set[str] = set()
        self._to_run_again: dict[str, None] = {}
        self._running: dict[str, datetime] = {}
        self._errors: list[SuiteError] = []
        self._collection_failed = False
        self._stderr: deque[str] = deque(maxlen=STDERR_TAIL_LINES)
        self._log_lines: Counter[str] = Counter()
        self._malformed = 0
        self.finished = False
        self.wants = False
        self.begun = False
        self.handed: set[str] | None = None

    def take(self, stream: str, line: bytes) -> None:
        """Take in one line of the child, from its event pipe or printed."""
        if stream == "events":
            self._take_record(line)
            return
        message = line.decode("utf-8", "replace").rstrip()
        if stream == "stderr":
            self._stderr.append(message)
        if message:
            self._log("WARNING" if stream == "stderr" else "INFO", message, self._printing)

    def _take_record(self, line: bytes) -> None:
        try:
            record = parse_json(line)
            events = getattr(self, f"_read_{record['type']}", _unknown)(record)
        except (ValueError, KeyError, TypeError, RecursionError):
            self._malformed += 1  # something else wrote to the pipe, or the line was cut off by a kill
            return
        for event in events or ():
            self._on_event(event)
            if isinstance(event, TestEnded):
                self._pass_on_printed(event.result)

    def _read_begun(self, _record: Record) -> None:
        self.begun = True

    def _read_wants(self, _record: Record) -> None:
        self.wants = True

    def _read_tests(self, record: Record) -> None:
        for case in adapter(Listed[TestCase]).validate_python(record["tests"]):
            if len(self._tests) < MAX_TESTS:
                self._tests[case.id] = case

    def _read_deselected(self, record: Record) -> None:
        self._deselected += adapter(Listed[Name]).validate_python(record["ids"])

    def _read_collected(self, record: Record) -> list[Event]:
        missing = adapter(Count).validate_python(record["total"]) - len(self._tests)
        self._malformed += max(0, missing)
        return [Collected(tuple(self._tests.values()), tuple(self._deselected))]

    def _read_started(self, record: Record) -> list[Event]:
        test_id = self._known(record)
        self._running[test_id] = datetime.now(UTC)
        return [TestStarted(test_id)]

    def _read_ended(self, record: Record) -> list[Event]:
        test_id = self._known(record)
        result = TestResult.from_json(record)
        attachments = (*map(self._attachment, result.attachments, _paths(record)), *self._evidence_of_ended(record))
        self._running.pop(test_id, None)
        result = replace(result, attachments=attachments, steps=self._with_calls(result, attachments))
        if any(error.kind == "canceled" for error in result.errors):
            return [TestInterrupted(result)]
        if record.get("again") is True:
            self._to_run_again[test_id] = None
            return [TestEnded(result, again=True)]
        self._to_run_again.pop(test_id, None)
        self._ended.add(test_id)
        return [TestEnded(result)]

    @property
    def _printing(self) -> str | None:
        """The test to which printed lines belong, where one runs at a time."""
        return next(iter(self._running), None)

    def collect_interrupted(self) -> None:
        """Report the tests that were running when every process had ended, with their evidence."""
        for test_id, began in self._running.items():
            case, spent = self._tests[test_id], datetime.now(UTC) - began
            began_at = began.isoformat(timespec="milliseconds").replace("+00:00", "Z")
            evidence = self.evidence_of(test_id, began.timestamp())
            result = TestResult(
                *(case.id, case.file, case.line, case.title, "failed", spent.total_seconds() * 1_000, began_at),
                path=case.path,
                retry=self.retry_of(test_id),
                errors=(TestError("The test process ended while this test ran"),),
                attachments=evidence,
            )
            self._on_event(TestInterrupted(replace(result, steps=self._with_calls(result, evidence))))

    def evidence_of(self, _test_id: str, _began: float) -> tuple[Attachment, ...]:
        """Return the evidence of a running test, which began at these seconds since the epoch, when everything was killed."""
        return ()

    def retry_of(self, _test_id: str) -> int:
        """Return the number of a running test's attempt, from 0."""
        return 0

    def _evidence_of_ended(self, _record: Record) -> tuple[Attachment, ...]:
        """Evidence of a test that has ended with its process, besides its attachments."""
        return ()

    def _known(self, record: Record) -> str:
        test_id: str = adapter(Id).validate_python(record["id"])
        if test_id not in self._tests:
            raise ValueError("not a collected test")
        return test_id

    def _attachment(self, given: Attachment, path: Path) -> Attachment:
        """Take the file, unless it is no regular one in our folder: a link could name any file that the worker may read."""
        taken = self._untrusted.take(path)
        if taken is None:
            return Attachment(given.name, given.content_type, lack=self._untrusted.reason)
        return Attachment(given.name, given.content_type, taken[0], None, taken[1])

    def _with_calls(self, result: TestResult, attachments: tuple[Attachment, ...]) -> tuple[Step, ...]:
        """Give each phase the Playwright calls that began in it, for a runner that does not report them itself."""
        traces = [a.path for a in attachments if a.name == "trace" and a.path is not None]
        calls = [step for trace in traces for step in read_steps(trace, self._folder)]
        phases = list(result.steps)
        for index, phase in enumerate(phases):
            # Times are RFC 3339 of one width in UTC, so they compare as text.
            until = phases[index + 1].started_at if index + 1 < len(phases) else "~"
            since = phase.started_at if index else ""
            within = tuple(call for call in calls if since <= call.started_at < until)
            phases[index] = replace(phase, steps=within)
        return tuple(phases)

    def _read_collection_error(self, record: Record) -> None:
        self._read_session_error(record)
        self._collection_failed = True

    def _read_session_error(self, record: Record) -> None:
        self._errors += [SuiteError.from_json(record)] if len(self._errors) < MAX_SUITE_ERRORS else []

    def _read_finished(self, record: Record) -> list[Event]:
        adapter(Count).validate_python(record["exitStatus"])
        self.finished = True
        self._ended.update(self._to_run_again)
        return [TestStands(test_id) for test_id in self._to_run_again]

    def _pass_on_printed(self, result: TestResult) -> None:
        printed: list[tuple[Level, str]] = [("INFO", line) for line in result.stdout.splitlines() if line.strip()]
        printed += [("WARNING", line) for line in result.stderr.splitlines() if line.strip()]
        for level, line in printed[:MAX_TEST_LINES]:
            self._log(level, cut_end(line, MAX_MESSAGE), result.id)

    def _log(self, level: Level, message: str, test_id: str | None) -> None:
        self._log_lines["printed"] += 1
        if self._log_lines["printed"] <= MAX_LOG_LINES:
            self._on_event(LogLine(level, message, test_id))
        elif self._log_lines["printed"] == MAX_LOG_LINES + 1:
            self._on_event(LogLine("WARNING", f"more than {MAX_LOG_LINES} lines were printed; the rest is left out"))

    def _read_job_log(self, record: Record) -> list[Event]:
        line = JobLog.from_json(record)
        self._log_lines[line.level] += 1
        if self._log_lines[line.level] > MAX_LOG_LINES + 1:
            return []
        if self._log_lines[line.level] == MAX_LOG_LINES + 1:
            return [JobLog(line.level, f"more than {MAX_LOG_LINES} lines were logged; the rest is left out")]
        return [replace(line, test_id=line.test_id if line.test_id in self._tests else None)]

    def _read_job_progress(self, record: Record) -> list[Event]:
        return [JobProgress.from_json(record)]

    def _read_job_result(self, record: Record) -> list[Event]:
        result = JobResult.from_json(record)
        return [replace(result, test_id=result.test_id if result.test_id in self._tests else None)]

    def end(self, status: ExitStatus, ended_by_us: str | None, dropped: int, kills: int | None) -> SuiteEnd:
        """Return how the suite ended, from the records, the exit status, and the way in which we ended it."""
        to_run = [each for each in self._tests if self.handed is None or each in self.handed]
        unfinished = tuple(test_id for test_id in to_run if test_id not in self._ended)
        reason = self._reason(status, ended_by_us, bool(unfinished))
        explanation = None if self._errors else self._explained(reason, status, kills)
        return SuiteEnd(
            reason=reason,
            exit_code=status.exit_code,
            signal=status.signal,
            errors=(*self._errors, *([SuiteError(explanation)] if explanation else ())),
            stderr=cut_start("\n".join(self._stderr), MAX_STACK),
            collected=len(self._tests),
            deselected=len(self._deselected),
            unfinished=unfinished,
            dropped=dropped + self._malformed,
            oom_kills=None if reason == "out_of_memory" and status.bound else kills,
        )

    def _reason(self, status: ExitStatus, ended_by_us: str | None, unfinished: bool) -> EndReason:
        if ended_by_us == "stopped" and not unfinished and self.finished:
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
        """Return True if a process that this signal killed is taken for one that had no memory left."""
        return signal_number == signal.SIGKILL

    def reason_by_exit_code(self, code: int | None) -> EndReason | None:
        """Return the reason that the runner's exit code tells; None for an orderly end."""
        return None if self.finished else "crashed"

    def _explained(self, reason: EndReason, status: ExitStatus, kills: int | None) -> str | None:
        """Return a message for an end that the child could not explain itself."""
        if status.bound is not None and reason in ("out_of_memory", "bound_exceeded"):
            return _beyond(status.bound)
        if reason == "bound_exceeded":
            return f"The test process used more CPU time than its bound ({SETTINGS['cpu']}), and was ended"
        if (explanation := self.explanation(reason)) or reason not in ("out_of_memory", "crashed"):
            return explanation
        during = f" while {' and '.join(self._running)} ran" if self._running else ""
        if reason == "out_of_memory":
            return f"The test process was killed{during}{_BY_WHOM[None if kills is None else kills > 0]}"
        if status.signal is not None:
            return f"The test process was killed by {signal.Signals(status.signal).name}{during}"
        return f"The test process exited with code {status.exit_code}{during}, before its session ended"

    def explanation(self, reason: EndReason) -> str | None:
        """Return the runner's own words for an end; None where there are none."""
        return "No test was found" if reason == "no_tests" else None

    @property
    def printed(self) -> list[str]:
        """The last lines that it printed on standard error."""
        return list(self._stderr)


def _unknown(_record: Record) -> list[Event]:
    raise ValueError("no type of a record")


def _paths(record: Record) -> list[Path]:
    """Return the files of a record's attachments: paths are no part of what `from_json` reads."""
    paths = [each["path"] for each in record.get("attachments") or ()]
    return [Path(path) for path in adapter(list[Name]).validate_python(paths)]


def _beyond(bound: Exceeded) -> str:
    """Describe the excess, and name the setting of the bound."""
    if bound.name == "processes":
        took = f"ran {bound.found} processes and threads at once, more than the {bound.limit} that it may"
    else:
        where = "of memory" if bound.name == "memory" else "on disk"
        found, limit = (round(number / 1_000_000) for number in (bound.found, bound.limit))
        took = f"took {found} MB {where}, more than the {limit} MB that it may"
    return f"The suite {took} ({SETTINGS[bound.name]}), and was ended"
