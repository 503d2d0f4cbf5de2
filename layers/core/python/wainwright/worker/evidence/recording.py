"""Evidence leaves as each test ends: attachments to the bucket, the outcome and its event to the rows, lines to the log."""

import queue
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import KW_ONLY, InitVar, dataclass, field, replace
from datetime import datetime
from typing import Any

from wainwright.contracts.events import EventKind
from wainwright.contracts.names import artifact_name, report_key
from wainwright.domain.logs import MAX_LOG_MESSAGE, LogEntry
from wainwright.domain.quarantine import Quarantine
from wainwright.domain.redaction import Redactor
from wainwright.domain.tests import Tally, TestOutcome
from wainwright.ports.clock import Clock
from wainwright.ports.job_store import JobStore, NewEvent, StoredTest
from wainwright.ports.log_store import LogStore
from wainwright.usecases.hold_claim import Claim
from wainwright.usecases.upload_artifacts import UploadArtifacts, UploadResult
from wainwright.worker.evidence.job_results import JobResults
from wainwright.worker.evidence.recorded_tests import SPOOLED, build_test_event, describe_failure, read_rows
from wainwright.worker.evidence.redact_events import evidence_name
from wainwright.worker.evidence.redact_files import redact_file
from wainwright.worker.evidence.running_tests import RunningTests
from wainwright.worker.runners.suite import (
    Attachment,
    Collected,
    Event,
    JobLog,
    JobProgress,
    JobResult,
    LogLine,
    TestCase,
    TestEnded,
    TestInterrupted,
    TestResult,
    TestStands,
    TestStarted,
)

LOOK_SECONDS = 0.1
UPLOADS_AT_ONCE = 4
MAX_BATCH = 25
"""Reports taken together: each is a line of the log at most, of which 25 are written at once."""

MAX_ROWS = 36
"""Rows of one transaction: three of a test (its outcome, its event, its error in the log), one of anything else. The store
takes 40, and each should stay well below the 4 MB of a transaction.
"""

MAX_LOG_EVENTS = 500
"""Log lines that become events of one claim; the log has them all."""

MAX_PROGRESS_EVENTS = 500


@dataclass(frozen=True)
class _Taken:
    """An event of the suite and its time; or something to set once everything before it is recorded."""

    at: datetime
    event: Event | threading.Event


@dataclass
class _Batch:
    """Rows and lines that are written together."""

    tests: dict[str, StoredTest] = field(default_factory=dict)
    events: list[NewEvent] = field(default_factory=list)
    lines: list[LogEntry] = field(default_factory=list)
    progress: NewEvent | None = None
    percent: int | None = None
    collected: bool = False
    settled: list[threading.Event] = field(default_factory=list)


@dataclass(eq=False, repr=False)
class Recording:
    """A thread that records what the suite reports, in the order in which it does.

    Its error, if it had one, is raised by :meth:`close`; nothing is recorded after it. In a job of several lanes each lane
    has a recording of its own. ``on_recorded`` is called with the ids of tests whose outcomes have just been written,
    ``on_error`` when nothing can be recorded any more. Failures of tests in ``quarantine`` do not count.
    """

    jobs: JobStore
    logs: LogStore
    uploads: UploadArtifacts
    clock: Clock
    claim: Claim
    before: InitVar[Sequence[StoredTest]]
    _: KW_ONLY
    note_error: Callable[[], None]
    redactor: Redactor = field(default_factory=lambda: Redactor({}))
    quarantine: Mapping[str, Quarantine] = field(default_factory=dict)
    on_recorded: Callable[[Collection[str]], None] = lambda _ids: None
    on_error: Callable[[], None] = lambda: None

    def __post_init__(self, before: Sequence[StoredTest]) -> None:
        self._shared = self.claim.job.lanes > 1  # then the work list tells what is in whose hands
        self._running = RunningTests()
        self._loose: list[JobResult] = []
        self._noted = self.claim.job.has_errors
        self._queue: queue.SimpleQueue[_Taken | None] = queue.SimpleQueue()
        self._error: BaseException | None = None
        self._attachments = 0
        self._log_events = 0
        self._progress_events = 0
        self._total = 0
        self.results = JobResults(before)
        self.cases: tuple[TestCase, ...] = ()
        self._by_id: dict[str, TestCase] = {}
        self.recorded = read_rows(before, [])
        self.interrupted: list[TestResult] = []
        self.interrupted_missing: list[str] = []
        self._senders = ThreadPoolExecutor(UPLOADS_AT_ONCE, thread_name_prefix="upload")
        self._thread = threading.Thread(target=self._record_all, name="recording", daemon=True)
        self._thread.start()

    def take(self, event: Event) -> None:
        """Note what the suite reports, at once. Raises the recording's error: a suite whose evidence is lost need not go on."""
        if self._error is not None:
            raise self._error
        taken = _Taken(self.clock(), event)
        if isinstance(event, TestStarted) and not self._shared:
            self._running.begin(event.id, taken.at)  # at once, so that it goes with what is being written
        self._queue.put(taken)

    def settle(self) -> None:
        """Wait until everything so far is recorded. Raises as :meth:`close`."""
        settled = threading.Event()
        self._queue.put(_Taken(self.clock(), settled))
        while not settled.wait(LOOK_SECONDS):
            if self._error is not None:
                raise self._error

    def read_again(self, rows: Sequence[StoredTest]) -> None:
        """Replace what is known by what all lanes have recorded. Call it after :meth:`close`."""
        place = {case.id: number for number, case in enumerate(self.cases)}
        rows = sorted(rows, key=lambda row: place.get(row.id, len(place)))
        missing = [line for row in rows for line in row.body.get("missing", ())]
        spooled = self.interrupted_spooled  # of what has no row
        self.recorded = read_rows(rows, [*self.recorded.missing, *missing])
        self.recorded.spooled.update(spooled)
        self.results = JobResults(rows)
        for result in self._loose:
            self.results.add(result)

    def close(self) -> None:
        """Wait until everything is recorded. Raises FenceLost or Unavailable, as the store did."""
        self._queue.put(None)
        self._thread.join()
        self._senders.shutdown()
        if self._error is not None:
            raise self._error

    @property
    def all_results(self) -> list[TestResult]:
        """All results so far: every attempt of every test."""
        return [result for attempts in self.recorded.results.values() for result in attempts]

    @property
    def interrupted_spooled(self) -> list[str]:
        """Evidence of tests that were ended by force that is on this worker's disk and not in the bucket."""
        return self._spooled_of(self.interrupted)

    @property
    def tally(self) -> Tally:
        """The tests so far; ``total`` is what was collected, those with an earlier outcome included."""
        return Tally.of(self.recorded.outcomes.values(), total=self._total)

    def _record_all(self) -> None:
        try:
            while (batch := self._next_batch()) is not None:
                self._record(batch)
        except BaseException as error:  # noqa: BLE001 - raised again by take and close
            self._error = error
            self.on_error()

    def _next_batch(self) -> list[_Taken] | None:
        """Return the next reports; None at the end, an empty list if nothing but the tests that run is to be noted."""
        batch: list[_Taken] = []
        rows = 0
        while len(batch) < MAX_BATCH and rows <= MAX_ROWS - 3:
            try:
                taken = self._queue.get(block=not batch, timeout=None if batch else self._running.due)
            except queue.Empty:
                break
            if taken is None:
                self._queue.put(None)  # for the next call, which then finds nothing else
                return batch or None
            batch.append(taken)
            rows += 3 if isinstance(taken.event, TestEnded) else 1
        return batch

    def _record(self, all_taken: Sequence[_Taken]) -> None:
        batch, before = _Batch(), self.tally
        for taken in all_taken:
            if isinstance(taken.event, threading.Event):
                batch.settled.append(taken.event)
            else:
                self._note(taken, batch)
        if batch.progress is not None and self._progress_events < MAX_PROGRESS_EVENTS:
            self._progress_events += 1
            batch.events.append(batch.progress)
        if batch.events or self._running.due == 0:
            # Of what several lanes record none knows the sum; its beginning is what the owner has collected.
            adds = (self.tally - before).model_copy(update={"total": 0})
            counted: dict[str, Any] = {"adds": adds} if self._shared and not batch.collected else {"tally": self.tally}
            if not self._shared:
                counted["running"] = self._running.note(self._by_id)
            self.jobs.record(
                self.claim.job, tests=list(batch.tests.values()), events=batch.events, percent=batch.percent,
                lane=self.claim.stay, **counted,
            )  # fmt: skip
            if batch.tests:
                self.on_recorded(batch.tests.keys())
        if batch.lines:
            job = self.claim.job
            self.logs.append(job.project, job.id, batch.lines, held=job, lane=self.claim.stay)
        if not self._noted and any(line.level == "ERROR" for line in batch.lines):
            self._noted = True
            self.note_error()
        for settled in batch.settled:
            settled.set()

    def _note(self, taken: _Taken, batch: _Batch) -> None:
        event = taken.event
        match event:
            case Collected():
                self.cases = event.tests
                self._by_id = {case.id: case for case in event.tests}
                self._total = len(event.tests) + len(event.deselected)
                batch.collected = True
                batch.events.append(NewEvent(kind=EventKind.COLLECTED, at=taken.at, data={"total": self._total}))
            case TestEnded(again=True):
                result = self._upload(event.result)
                self.recorded.results.setdefault(result.id, []).append(result)
                line = f"{describe_failure(result)} (it is run again)"
                self._log(batch, taken.at, JobLog("INFO", line, test_id=result.id))
            case TestEnded():
                gone = len(self.recorded.missing)
                self._ended(self._upload(event.result), batch, taken.at, self.recorded.missing[gone:])
            case TestStands():
                self._ended(self.recorded.results[event.id].pop(), batch, taken.at, ())
            case TestInterrupted():
                self._interrupted(event.result, batch, taken.at)
            case LogLine():
                info = {"stream": "stderr"} if event.level == "WARNING" else None
                self._log(batch, taken.at, JobLog("INFO", event.message, info, event.test_id))
            case JobLog():
                self._log(batch, taken.at, event)
            case JobProgress():
                data = {"percent": event.percent, "message": event.message[:2_000]}
                batch.percent = round(event.percent)
                batch.progress = NewEvent(kind=EventKind.PROGRESS, at=taken.at, data=data)
            case JobResult():
                self._result(event, batch, taken.at)
            case _:
                return

    def _ended(self, result: TestResult, batch: _Batch, at: datetime, missing: Sequence[str]) -> None:
        self._running.end(result.id)
        test = self._outcome(result, missing)
        batch.tests[result.id] = test
        batch.events.append(NewEvent(kind=EventKind.TEST, at=at, data=build_test_event(result, test)))
        if test.outcome is TestOutcome.QUARANTINED:
            line = f"{describe_failure(result)} ({self.quarantine[result.id].note})"
            self._log(batch, at, JobLog("INFO", line, test_id=result.id))
        elif result.outcome == "failed":
            self._log(batch, at, JobLog("ERROR", describe_failure(result), test_id=result.id))

    def _result(self, result: JobResult, batch: _Batch, at: datetime) -> None:
        if result.test_id is None:
            self._loose.append(result)
        if refused := self.results.add(result):
            message = f"the results are full; not stored: {', '.join(refused)}"
            self._log(batch, at, JobLog("ERROR", message, test_id=result.test_id))

    def _interrupted(self, result: TestResult, batch: _Batch, at: datetime) -> None:
        """Keep the evidence of a test that was ended by force, for the next report alone: the test may run again."""
        self._running.end(result.id)
        gone = len(self.recorded.missing)
        self.interrupted.append(self._upload(result))
        self.interrupted_missing += self.recorded.missing[gone:]
        lines = result.errors[0].message.splitlines() if result.errors else []
        message = f"{result.id}: {lines[0] if lines else 'ended by force'}"
        self._log(batch, at, JobLog("INFO", message, test_id=result.id))

    def _log(self, batch: _Batch, at: datetime, line: JobLog) -> None:
        info = dict(line.info or {}) | ({"testId": line.test_id} if line.test_id is not None else {})
        entry = LogEntry(
            timestamp=at, level=line.level, message=line.message[:MAX_LOG_MESSAGE], additional_info=info or None
        )
        batch.lines.append(entry)
        if self._log_events < MAX_LOG_EVENTS:
            self._log_events += 1
            data = {"level": line.level, "message": line.message[:2_000], "testId": line.test_id}
            batch.events.append(NewEvent(kind=EventKind.LOG, at=at, data=data))

    def _outcome(self, result: TestResult, missing: Sequence[str]) -> StoredTest:
        attempt = self.claim.job.attempt
        outcome, attempts = self.recorded.judge(result, self.quarantine, attempt)
        body: dict[str, Any] = {"attempts": [attempt.to_json() for attempt in attempts]}
        if results := self.results.of_test(result.id):
            body["results"] = results
        if missing and self.claim.lane:  # for the owner, who reports it
            body["missing"] = [*missing]
        if spooled := self._spooled_of(attempts):
            body[SPOOLED] = spooled
        return StoredTest(id=result.id, outcome=outcome, attempt=attempt, body=body)

    def _upload(self, result: TestResult) -> TestResult:
        return replace(result, attachments=tuple(self._senders.map(self._send, self._named(result))))

    def _spooled_of(self, attempts: Sequence[TestResult]) -> list[str]:
        hrefs = [item.href for attempt in attempts for item in attempt.attachments]
        return [href for href in hrefs if href is not None and href in self.recorded.spooled]

    def _named(self, result: TestResult) -> list[tuple[str, Attachment]]:
        named = []
        for attachment in result.attachments:
            self._attachments += 1
            file_name = evidence_name(attachment, self.redactor)
            named.append((artifact_name(self.claim.name, self._attachments, file_name), attachment))
        return named

    def _send(self, named: tuple[str, Attachment]) -> Attachment:
        href, attachment = named
        job = self.claim.job
        if attachment.path is None or not attachment.path.is_file():
            lack = attachment.lack or "the file was deleted before it could be stored"
            self.recorded.missing.append(f"{self.redactor.text(attachment.name)}: {lack}")
            return replace(attachment, path=None)
        if withheld := redact_file(attachment.path, attachment.content_type, self.redactor):
            self.recorded.missing.append(f"{attachment.name}: withheld, since {withheld}")
            return replace(attachment, path=None)
        key = report_key(job.project, job.id, fence=job.fence, path=href, days=job.report_days)
        size = attachment.path.stat().st_size
        fate = self.uploads.put_file(key, attachment.path, attachment.content_type)
        attachment.path.unlink()
        if fate is UploadResult.LOST:
            self.recorded.missing.append(
                f"{attachment.name}: could not be uploaded ({self.uploads.reason}), and the disk is full"
            )
            return replace(attachment, path=None)
        if fate is UploadResult.SPOOLED:
            self.recorded.spooled.add(href)
        return replace(attachment, href=href, path=None, size_bytes=size)
