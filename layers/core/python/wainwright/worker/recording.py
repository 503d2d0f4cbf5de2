"""Evidence leaves as each test ends: attachments to the bucket, the outcome and its event to the rows."""

import logging
import queue
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from wainwright.contracts.events import EventKind
from wainwright.contracts.names import artifact_name, report_key
from wainwright.domain.results import merge
from wainwright.domain.tests import Tally, TestOutcome
from wainwright.ports import Artifacts, Clock, JobStore, NewEvent, StoredTest
from wainwright.usecases.run_job import Claim
from wainwright.worker.runtimes.model import Attachment, Collected, Event, LogLine, TestCase, TestEnded, TestResult

UPLOADS_AT_ONCE = 4
BATCH = 12
"""Test outcomes or events recorded in one transaction, which takes 100 rows and 4 MB."""

MOST_LOG_EVENTS = 500
"""Log lines that become events of one claim; the report has them all."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Recorded:
    """What is known of a job's tests: outcomes by test id, and the results behind them, oldest attempt first."""

    outcomes: dict[str, TestOutcome]
    results: dict[str, list[TestResult]]
    missing: list[str]


class Recording:
    """A thread that records what the suite reports, in the order in which it does.

    Its error, if it had one, is raised by :meth:`close`; nothing is recorded after it.
    """

    def __init__(
        self, jobs: JobStore, artifacts: Artifacts, clock: Clock, claim: Claim, before: Sequence[StoredTest]
    ) -> None:
        self._jobs = jobs
        self._artifacts = artifacts
        self._clock = clock
        self._claim = claim
        self._queue: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._error: BaseException | None = None
        self._attachments = 0
        self._log_events = 0
        self._total = 0
        self.cases: tuple[TestCase, ...] = ()
        self.recorded = Recorded(
            outcomes={test.id: test.outcome for test in before},
            results={test.id: [TestResult.from_json(body) for body in test.body["attempts"]] for test in before},
            missing=[],
        )
        self._uploads = ThreadPoolExecutor(UPLOADS_AT_ONCE, thread_name_prefix="upload")
        self._thread = threading.Thread(target=self._record_all, name="recording", daemon=True)
        self._thread.start()

    def take(self, event: Event) -> None:
        """Note what the suite reports. Returns at once.

        Raises:
            the recording's own error, once it has one: a suite whose evidence is lost need not go on.
        """
        if self._error is not None:
            raise self._error
        self._queue.put(event)

    def close(self) -> None:
        """Wait until everything is recorded.

        Raises:
            FenceLost, Unavailable: as the store raised it.
        """
        self._queue.put(None)
        self._thread.join()
        self._uploads.shutdown()
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

    def _next_batch(self) -> list[Event]:
        batch: list[Event] = []
        while len(batch) < BATCH:
            try:
                event = self._queue.get(block=not batch)
            except queue.Empty:
                break
            if event is None:
                self._queue.put(None)  # for the next call, which then finds nothing else
                break
            batch.append(event)
        return batch

    def _record(self, batch: Sequence[Event]) -> None:
        tests: dict[str, StoredTest] = {}
        events: list[NewEvent] = []
        for event in batch:
            match event:
                case Collected():
                    self.cases = event.tests
                    self._total = len(event.tests) + len(event.deselected)
                    events.append(self._event(EventKind.COLLECTED, {"total": self._total}))
                case TestEnded():
                    result = self._upload(event.result)
                    tests[result.id] = self._outcome(result)
                    events.append(self._event(EventKind.TEST, _test_event(result, tests[result.id])))
                case LogLine() if self._log_events < MOST_LOG_EVENTS:
                    self._log_events += 1
                    data = {"level": event.level, "message": event.message[:2_000], "testId": event.test_id}
                    events.append(self._event(EventKind.LOG, data))
                case _:
                    continue
        if events:
            self._jobs.record(self._claim.job, tests=list(tests.values()), events=events, tally=self.tally)

    def _event(self, kind: EventKind, data: dict[str, Any]) -> NewEvent:
        return NewEvent(kind=kind, at=self._clock(), data=data)

    def _outcome(self, result: TestResult) -> StoredTest:
        known = self.recorded
        outcome = merge(known.outcomes.get(result.id), TestOutcome(result.outcome))
        known.outcomes[result.id] = outcome
        attempts = known.results.setdefault(result.id, [])
        attempts.append(result)
        body = {"attempts": [attempt.to_json() for attempt in attempts]}
        return StoredTest(id=result.id, outcome=outcome, attempt=self._claim.job.attempt, body=body)

    def _upload(self, result: TestResult) -> TestResult:
        return replace(result, attachments=tuple(self._uploads.map(self._send, self._named(result))))

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
        key = report_key(job.project, job.id, fence=job.fence, path=href)
        self._artifacts.put_file(key, attachment.path, attachment.content_type)
        attachment.path.unlink()
        return replace(attachment, href=href, path=None)


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
