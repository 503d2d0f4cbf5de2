"""Evidence leaves as each test ends: attachments to the bucket, the outcome and its event to the rows, lines to the log."""

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from wainwright.contracts.events import EventKind
from wainwright.contracts.http import MAX_LOG_MESSAGE, LogEntry
from wainwright.contracts.names import artifact_name, report_key
from wainwright.domain.results import merge
from wainwright.domain.tests import Tally, TestOutcome
from wainwright.ports import Clock, JobStore, LogStore, NewEvent, StoredTest
from wainwright.usecases.run_job import Claim
from wainwright.usecases.upload_artifacts import Fate, UploadArtifacts
from wainwright.worker.results import Results
from wainwright.worker.runtimes.model import (
    Attachment,
    Collected,
    Event,
    JobLog,
    JobProgress,
    JobResult,
    LogLine,
    TestCase,
    TestEnded,
    TestResult,
)

UPLOADS_AT_ONCE = 4
MOST_AT_ONCE = 25
"""Reports taken together: each is a line of the log at most, of which 25 are written at once."""

MOST_ROWS = 36
"""Rows of one transaction: three of a test (its outcome, its event, its error in the log), one of anything else. The store
takes 40, and each should stay well below the 4 MB of a transaction.
"""

MOST_LOG_EVENTS = 500
"""Log lines that become events of one claim; the log has them all."""

MOST_PROGRESS_EVENTS = 500

SPOOLED = "spooled"
"""Names, in a test's row, its attachments that were not in the bucket: should this worker die, the next one knows."""


@dataclass(frozen=True)
class _Taken:
    """Something that the suite reported, and when."""

    at: datetime
    event: Event


class _Noted:
    """What is to be written of one batch."""

    def __init__(self) -> None:
        self.tests: dict[str, StoredTest] = {}
        self.events: list[NewEvent] = []
        self.lines: list[LogEntry] = []
        self.progress: NewEvent | None = None
        self.percent: int | None = None


@dataclass(frozen=True)
class Recorded:
    """What is known of a job's tests: outcomes by test id, and the results behind them, oldest attempt first.

    ``missing`` tells of evidence that is nowhere; ``spooled`` names attachments, by their paths in the report, that were on
    a worker's disk and not in the bucket when their test was recorded, by whichever worker.
    """

    outcomes: dict[str, TestOutcome]
    results: dict[str, list[TestResult]]
    missing: list[str]
    spooled: set[str]


class Recording:
    """A thread that records what the suite reports, in the order in which it does.

    Its error, if it had one, is raised by :meth:`close`; nothing is recorded after it.
    """

    def __init__(
        self,
        jobs: JobStore,
        logs: LogStore,
        uploads: UploadArtifacts,
        clock: Clock,
        claim: Claim,
        before: Sequence[StoredTest],
        note_error: Callable[[], None],
    ) -> None:
        self._jobs = jobs
        self._logs = logs
        self._uploads = uploads
        self._clock = clock
        self._claim = claim
        self._note_error = note_error
        self._noted = claim.job.has_errors
        self._queue: queue.SimpleQueue[_Taken | None] = queue.SimpleQueue()
        self._error: BaseException | None = None
        self._attachments = 0
        self._log_events = 0
        self._progress_events = 0
        self._total = 0
        self.results = Results(before)
        self.cases: tuple[TestCase, ...] = ()
        self.recorded = Recorded(
            outcomes={test.id: test.outcome for test in before},
            results={test.id: [TestResult.from_json(body) for body in test.body["attempts"]] for test in before},
            missing=[],
            spooled={href for test in before for href in test.body.get(SPOOLED, ())},
        )
        self._senders = ThreadPoolExecutor(UPLOADS_AT_ONCE, thread_name_prefix="upload")
        self._thread = threading.Thread(target=self._record_all, name="recording", daemon=True)
        self._thread.start()

    def take(self, event: Event) -> None:
        """Note what the suite reports. Returns at once.

        Raises:
            the recording's own error, once it has one: a suite whose evidence is lost need not go on.
        """
        if self._error is not None:
            raise self._error
        self._queue.put(_Taken(self._clock(), event))

    def close(self) -> None:
        """Wait until everything is recorded.

        Raises:
            FenceLost, Unavailable: as the store raised it.
        """
        self._queue.put(None)
        self._thread.join()
        self._senders.shutdown()
        if self._error is not None:
            raise self._error

    @property
    def tally(self) -> Tally:
        """The tests so far; ``total`` is what was collected, those with an earlier outcome included."""
        return Tally.of(self.recorded.outcomes.values(), total=self._total)

    def _record_all(self) -> None:
        try:
            while batch := self._next_batch():
                self._record(batch)
        except BaseException as error:  # noqa: BLE001 - raised again by take and close
            self._error = error

    def _next_batch(self) -> list["_Taken"]:
        batch: list[_Taken] = []
        rows = 0
        while len(batch) < MOST_AT_ONCE and rows <= MOST_ROWS - 3:
            try:
                taken = self._queue.get(block=not batch)
            except queue.Empty:
                break
            if taken is None:
                self._queue.put(None)  # for the next call, which then finds nothing else
                break
            batch.append(taken)
            rows += 3 if isinstance(taken.event, TestEnded) else 1
        return batch

    def _record(self, batch: Sequence["_Taken"]) -> None:
        noted = _Noted()
        for taken in batch:
            self._note(taken, noted)
        if noted.progress is not None and self._progress_events < MOST_PROGRESS_EVENTS:
            self._progress_events += 1
            noted.events.append(noted.progress)
        if noted.events:
            tests = list(noted.tests.values())
            self._jobs.record(
                self._claim.job, tests=tests, events=noted.events, tally=self.tally, percent=noted.percent
            )
        if noted.lines:
            self._logs.append(self._claim.job.project, self._claim.job.id, noted.lines)
        if not self._noted and any(line.level == "ERROR" for line in noted.lines):
            self._noted = True
            self._note_error()

    def _note(self, taken: "_Taken", noted: "_Noted") -> None:
        event = taken.event
        match event:
            case Collected():
                self.cases = event.tests
                self._total = len(event.tests) + len(event.deselected)
                noted.events.append(NewEvent(kind=EventKind.COLLECTED, at=taken.at, data={"total": self._total}))
            case TestEnded():
                result = self._upload(event.result)
                test = self._outcome(result)
                noted.tests[result.id] = test
                noted.events.append(NewEvent(kind=EventKind.TEST, at=taken.at, data=_test_event(result, test)))
                if result.outcome == "failed":
                    self._log(noted, taken.at, JobLog("ERROR", _first_line(result), test_id=result.id))
            case LogLine():
                info = {"stream": "stderr"} if event.level == "WARNING" else None
                self._log(noted, taken.at, JobLog("INFO", event.message, info, event.test_id))
            case JobLog():
                self._log(noted, taken.at, event)
            case JobProgress():
                data = {"percent": event.percent, "message": event.message[:2_000]}
                noted.percent = round(event.percent)
                noted.progress = NewEvent(kind=EventKind.PROGRESS, at=taken.at, data=data)
            case JobResult():
                if refused := self.results.add(event):
                    message = f"no room in the results, which are full, for {', '.join(refused)}"
                    self._log(noted, taken.at, JobLog("ERROR", message, test_id=event.test_id))
            case _:
                return

    def _log(self, noted: "_Noted", at: datetime, line: JobLog) -> None:
        info = dict(line.info or {}) | ({"testId": line.test_id} if line.test_id is not None else {})
        entry = LogEntry(
            timestamp=at, level=line.level, message=line.message[:MAX_LOG_MESSAGE], additional_info=info or None
        )
        noted.lines.append(entry)
        if self._log_events < MOST_LOG_EVENTS:
            self._log_events += 1
            data = {"level": line.level, "message": line.message[:2_000], "testId": line.test_id}
            noted.events.append(NewEvent(kind=EventKind.LOG, at=at, data=data))

    def _outcome(self, result: TestResult) -> StoredTest:
        known = self.recorded
        outcome = merge(known.outcomes.get(result.id), TestOutcome(result.outcome))
        known.outcomes[result.id] = outcome
        attempts = known.results.setdefault(result.id, [])
        attempts.append(result)
        body: dict[str, Any] = {"attempts": [attempt.to_json() for attempt in attempts]}
        if results := self.results.of_test(result.id):
            body["results"] = results
        if spooled := self._spooled_of(attempts):
            body[SPOOLED] = spooled
        return StoredTest(id=result.id, outcome=outcome, attempt=self._claim.job.attempt, body=body)

    def _upload(self, result: TestResult) -> TestResult:
        return replace(result, attachments=tuple(self._senders.map(self._send, self._named(result))))

    def _spooled_of(self, attempts: Sequence[TestResult]) -> list[str]:
        hrefs = [item.href for attempt in attempts for item in attempt.attachments]
        return [href for href in hrefs if href is not None and href in self.recorded.spooled]

    def _named(self, result: TestResult) -> list[tuple[str, Attachment]]:
        named = []
        for attachment in result.attachments:
            self._attachments += 1
            file_name = attachment.path.name if attachment.path else attachment.name
            named.append((artifact_name(self._claim.job.fence, self._attachments, file_name), attachment))
        return named

    def _send(self, named: tuple[str, Attachment]) -> Attachment:
        href, attachment = named
        job = self._claim.job
        if attachment.path is None or not attachment.path.is_file():
            self.recorded.missing.append(f"{attachment.name}: the file was gone before it could be kept")
            return attachment
        key = report_key(job.project, job.id, fence=job.fence, path=href, days=job.report_days)
        fate = self._uploads.put_file(key, attachment.path, attachment.content_type)
        attachment.path.unlink()
        if fate is Fate.LOST:
            self.recorded.missing.append(
                f"{attachment.name}: could not be uploaded ({self._uploads.reason}), and the disk has no room for it"
            )
            return replace(attachment, path=None)
        if fate is Fate.SPOOLED:
            self.recorded.spooled.add(href)
        return replace(attachment, href=href, path=None)


def _first_line(result: TestResult) -> str:
    lines = result.errors[0].message.strip().splitlines() if result.errors else []
    return f"{result.id}: {lines[0] if lines else 'failed without saying why'}"


def _test_event(result: TestResult, stored: StoredTest) -> dict[str, Any]:
    return {
        "id": result.id,
        "title": result.title,
        "file": result.file,
        "line": result.line,
        "outcome": stored.outcome,
        "durationMs": round(result.duration_ms),
        "attempt": stored.attempt,
        "errors": [
            {"message": error.message[:2_000], "file": error.file, "line": error.line} for error in result.errors[:5]
        ],
        "attachments": [{"name": item.name, "href": item.href} for item in result.attachments],
    }
