"""What a worker writes of what a suite reports."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from tests.support.memory.job_store import MemoryJobStore
from tests.support.memory.services import MemoryArtifacts
from tests.support.memory.stores import MemoryLogStore
from wainwright.adapters.clock import system_clock
from wainwright.adapters.no_spool import NoSpool
from wainwright.contracts.events import EventKind
from wainwright.contracts.messages import WorkMessage
from wainwright.contracts.names import new_job_id
from wainwright.domain.errors import FenceLost
from wainwright.domain.jobs import Job, JobDetail, RunBy
from wainwright.domain.logs import LogEntry
from wainwright.ports.job_store import NewEvent, Progress, StoredTest
from wainwright.ports.log_store import LogQuery
from wainwright.ports.queues import ReceivedWork
from wainwright.usecases.hold_claim import Claim
from wainwright.usecases.upload_artifacts import UploadArtifacts, UploadPolicy
from wainwright.worker.evidence.recording import MAX_LOG_EVENTS, Recording
from wainwright.worker.runners.suite import (
    Event,
    JobLog,
    JobProgress,
    JobResult,
    LogLine,
    Outcome,
    TestEnded,
    TestError,
    TestResult,
)

PROJECT = "shop"


class CountingLogs(MemoryLogStore):
    """Notes how many lines came at once."""

    def __init__(self, jobs: MemoryJobStore) -> None:
        super().__init__(jobs)
        self.batches: list[int] = []

    def append(self, project: str, job_id: str, entries: Sequence[LogEntry], **fence: Any) -> int:
        """Keep the lines."""
        self.batches.append(len(entries))
        return super().append(project, job_id, entries, **fence)


class CountingJobs(MemoryJobStore):
    """Notes how many rows came at once."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[int] = []

    def record(
        self, job: Job, *, tests: Sequence[StoredTest] = (), events: Sequence[NewEvent] = (), **more: Any
    ) -> Progress:
        """Keep the rows."""
        self.rows.append(len(tests) + len(events))
        return super().record(job, tests=tests, events=events, **more)


class Bench:
    """A claimed job, and where its recordings write to."""

    def __init__(self) -> None:
        self.jobs = CountingJobs()
        self.logs = CountingLogs(self.jobs)
        artifacts = MemoryArtifacts(system_clock)
        self.uploads = UploadArtifacts(artifacts, NoSpool(), UploadPolicy(), lambda: False)
        self.errors_noted = 0
        now = system_clock()
        new = Job(
            project=PROJECT, id=new_job_id(), run_by=RunBy(id="key", name="a key"), timeout_ms=60_000, created_at=now,
            updated_at=now,
        )  # fmt: skip
        self.job = self.jobs.write(None, new)
        self.job = self.jobs.write(self.job, self.job.admit(now))

    def record(self, *events: Event) -> Recording:
        """Claim the job anew, and record this."""
        self.job = self.jobs.write(self.job, self.job.claim("worker", system_clock()))
        work = WorkMessage(project=PROJECT, job_id=self.job.id, run=1, task_token="token")
        claim = Claim(job=self.job, detail=JobDetail(), work=ReceivedWork(message=work, receipt="1"))
        before = self.jobs.tests(PROJECT, self.job.id)
        recording = Recording(
            self.jobs, self.logs, self.uploads, system_clock, claim, before, note_error=self._note_error
        )
        for event in events:
            recording.take(event)
        recording.close()
        return recording

    def _note_error(self) -> None:
        self.errors_noted += 1

    def lines(self) -> list[tuple[str, str, Any]]:
        """The log."""
        page = self.logs.read(PROJECT, self.job.id, LogQuery(limit=1_000))
        return [(entry.level, entry.message, entry.additional_info) for entry in page.logs]

    def events(self, kind: EventKind) -> list[dict[str, Any]]:
        """Data of the stored events of one kind."""
        return [event.data for event in self.jobs.events(PROJECT, self.job.id, 0, 10_000) if event.kind is kind]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def _ended(test_id: str, outcome: Outcome = "passed", second: int = 0) -> TestEnded:
    errors = (TestError("it broke\nin detail"),) if outcome == "failed" else ()
    started = f"2026-01-01T00:00:{second:02d}.000Z"
    return TestEnded(TestResult(test_id, "test_a.py", 1, test_id, outcome, 5.0, started, errors=errors))


def test_lines_keep_their_order_level_and_test(bench: Bench) -> None:
    bench.record(
        LogLine("INFO", "printed", "a"),
        LogLine("WARNING", "to stderr"),
        JobLog("INFO", "logged", {"n": 1}, "a"),
        _ended("a", "failed"),
    )
    assert bench.lines() == [
        ("INFO", "printed", {"testId": "a"}),
        ("INFO", "to stderr", {"stream": "stderr"}),
        ("INFO", "logged", {"n": 1, "testId": "a"}),
        ("ERROR", "a: it broke", {"testId": "a"}),
    ]
    assert [data["message"] for data in bench.events(EventKind.LOG)] == [
        "printed",
        "to stderr",
        "logged",
        "a: it broke",
    ]


def test_an_error_is_noted_once(bench: Bench) -> None:
    bench.record(JobLog("INFO", "fine"), *(JobLog("ERROR", f"error {number}") for number in range(60)))
    assert bench.errors_noted == 1


def test_without_an_error_none_is_noted(bench: Bench) -> None:
    bench.record(JobLog("INFO", "fine"), _ended("a"))
    assert bench.errors_noted == 0


def test_what_is_written_at_once_stays_within_the_bounds_of_the_stores(bench: Bench) -> None:
    lines = [JobLog("INFO", f"line {number}") for number in range(200)]
    bench.record(*lines, *(_ended(f"t{number}", "failed") for number in range(100)))
    assert len(bench.lines()) == 300
    assert max(bench.logs.batches) <= 25
    assert max(bench.jobs.rows) <= 40


def test_events_of_lines_are_bounded_and_the_log_has_them_all(bench: Bench) -> None:
    bench.record(*(JobLog("INFO", f"line {number}") for number in range(MAX_LOG_EVENTS + 100)))
    assert len(bench.events(EventKind.LOG)) == MAX_LOG_EVENTS
    assert len(bench.lines()) == MAX_LOG_EVENTS + 100


def test_the_last_progress_of_a_batch_becomes_an_event(bench: Bench) -> None:
    bench.record(*(JobProgress(percent, "going on") for percent in range(101)))
    told = [data["percent"] for data in bench.events(EventKind.PROGRESS)]
    assert told == sorted(told)
    assert told[-1] == 100
    assert len(told) < 101


def test_a_successor_has_the_results_of_the_tests_that_had_ended(bench: Bench) -> None:
    bench.record(
        JobResult({"x": 1, "y": 1}, {"i": {"status": "ok"}}, "a"), _ended("a", second=1),
        JobResult({"lost": True}, test_id="b"),  # its test never ended, and is run again
    )  # fmt: skip

    successor = bench.record(JobResult({"y": 2}, test_id="b"), _ended("b", second=2))

    assert successor.results.stored == {"x": 1, "y": 2, "i": {"status": "ok"}}


def test_results_for_which_there_is_no_room_are_named_in_the_log(bench: Bench) -> None:
    large = "x" * 150_000
    recording = bench.record(JobResult({"first": large}), JobResult({"second": large}))
    assert recording.results.stored == {"first": large}
    assert bench.lines() == [("ERROR", "the results are full; not stored: second", None)]


def test_under_an_old_fence_nothing_is_written_to_the_log_either(bench: Bench) -> None:
    bench.job = bench.jobs.write(bench.job, bench.job.claim("worker", system_clock()))
    older = bench.job
    bench.jobs.write(older, older.claim("another", system_clock() + timedelta(minutes=1)))
    work = WorkMessage(project=PROJECT, job_id=older.id, run=1, task_token="token")
    claim = Claim(job=older, detail=JobDetail(), work=ReceivedWork(message=work, receipt="1"))
    recording = Recording(bench.jobs, bench.logs, bench.uploads, system_clock, claim, [], note_error=lambda: None)
    recording.take(JobLog("INFO", "too late"))
    with pytest.raises(FenceLost):
        recording.close()
    assert bench.lines() == []
