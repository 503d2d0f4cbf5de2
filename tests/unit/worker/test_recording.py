"""Evidence leaves as each test ends."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.builders import PROJECT
from tests.support.system import System
from wainwright.contracts.events import EventKind, JobEvent
from wainwright.contracts.names import report_key
from wainwright.domain.errors import FenceLost
from wainwright.domain.jobs import LEASE
from wainwright.domain.tests import Tally, TestOutcome
from wainwright.ports import StoredTest
from wainwright.usecases.run_job import Claim
from wainwright.worker.recording import BATCH, MOST_LOG_EVENTS, Recording
from wainwright.worker.runtimes.model import (
    Attachment,
    Collected,
    Event,
    LogLine,
    Outcome,
    TestCase,
    TestEnded,
    TestError,
    TestResult,
    TestStarted,
)


def case(name: str) -> TestCase:
    return TestCase(f"test_a.py::{name}", "test_a.py", 1, name)


def result(name: str, outcome: Outcome = "passed", *files: Path, retry: int = 0) -> TestResult:
    errors = (TestError("it broke", file="test_a.py", line=3, kind="assertion"),) if outcome == "failed" else ()
    attachments = tuple(Attachment(path.name, "application/zip", path, size_bytes=3) for path in files)
    return TestResult(
        f"test_a.py::{name}", "test_a.py", 1, name, outcome, 12.6, f"2026-11-22T00:00:0{retry}.000Z", errors=errors,
        attachments=attachments, retry=retry,
    )  # fmt: skip


@pytest.fixture
def system() -> System:
    return System()


@pytest.fixture
def claim(system: System) -> Claim:
    return system.claimed()


@pytest.fixture
def recording(system: System, claim: Claim) -> Iterator[Recording]:
    recording = begin(system, claim)
    yield recording
    recording._queue.put(None)
    recording._thread.join()


def begin(system: System, claim: Claim) -> Recording:
    stored = system.jobs.tests(PROJECT, claim.job.id)
    return Recording(system.jobs, system.artifacts, system.clock, claim, stored)


def record(recording: Recording, *events: Event) -> None:
    for event in events:
        recording.take(event)
    recording.close()


def told(system: System, claim: Claim) -> list[JobEvent]:
    return list(system.jobs.events(PROJECT, claim.job.id, 0, 10_000))


def stored(system: System, claim: Claim) -> dict[str, StoredTest]:
    return {test.id: test for test in system.jobs.tests(PROJECT, claim.job.id)}


def test_records_outcomes_and_events_in_order(system: System, claim: Claim, recording: Recording) -> None:
    record(
        recording,
        Collected((case("one"), case("two"))),
        TestStarted("test_a.py::one"),
        TestEnded(result("one")),
        LogLine("INFO", "hello", "test_a.py::two"),
        TestEnded(result("two", "failed")),
    )

    assert [event.kind for event in told(system, claim)] == [
        EventKind.COLLECTED, EventKind.TEST, EventKind.LOG, EventKind.TEST,
    ]  # fmt: skip
    collected, one, log, two = (event.data for event in told(system, claim))
    assert collected == {"total": 2}
    assert (one["id"], one["outcome"], one["durationMs"]) == ("test_a.py::one", "passed", 13)
    assert log == {"level": "INFO", "message": "hello", "testId": "test_a.py::two"}
    assert two["errors"] == [{"message": "it broke", "file": "test_a.py", "line": 3}]
    assert {id: test.outcome for id, test in stored(system, claim).items()} == {
        "test_a.py::one": TestOutcome.PASSED,
        "test_a.py::two": TestOutcome.FAILED,
    }
    assert recording.tally == Tally(total=2, passed=1, failed=1)
    view = system.jobs.view(PROJECT, claim.job.id)
    assert view is not None
    assert view.progress.tests == recording.tally


def test_attachments_are_in_the_bucket_before_the_outcome_is_told(
    system: System, claim: Claim, recording: Recording, tmp_path: Path
) -> None:
    files = [tmp_path / name for name in ("trace.zip", "shot ä.png")]
    for file in files:
        file.write_bytes(b"abc")

    record(recording, TestEnded(result("one", "failed", *files)))

    (event,) = told(system, claim)
    hrefs = [item["href"] for item in event.data["attachments"]]
    assert hrefs == ["data/1-1-trace.zip", "data/1-2-shot-.png"]
    for href in hrefs:
        assert system.artifacts.get(report_key(PROJECT, claim.job.id, fence=1, path=href))[0] == b"abc"
    assert [file.exists() for file in files] == [False, False]
    kept = TestResult.from_json(stored(system, claim)["test_a.py::one"].body["attempts"][0])
    assert [item.href for item in kept.attachments] == hrefs


def test_a_file_that_is_gone_is_named_as_missing(
    system: System, claim: Claim, recording: Recording, tmp_path: Path
) -> None:
    record(recording, TestEnded(result("one", "passed", tmp_path / "gone.zip")))

    assert recording.recorded.missing == ["gone.zip: the file was gone before it could be kept"]
    (event,) = told(system, claim)
    assert event.data["attachments"] == [{"name": "gone.zip", "href": None}]


def test_a_test_that_passes_after_it_failed_is_flaky_and_keeps_both_results(
    system: System, claim: Claim, recording: Recording
) -> None:
    record(recording, TestEnded(result("one", "failed")), TestEnded(result("one", "passed", retry=1)))

    test = stored(system, claim)["test_a.py::one"]
    assert test.outcome is TestOutcome.FLAKY
    assert [attempt["outcome"] for attempt in test.body["attempts"]] == ["failed", "passed"]
    assert recording.tally == Tally(total=1, flaky=1)


def test_a_successor_goes_on_from_what_is_recorded(system: System, claim: Claim, recording: Recording) -> None:
    record(recording, Collected((case("one"), case("two"))), TestEnded(result("one", "failed")))
    system.pass_time(LEASE.total_seconds())
    second = system.next_claim("w2")

    successor = begin(system, second)
    record(
        successor, Collected((case("two"),), deselected=("test_a.py::one",)), TestEnded(result("two")),
    )  # fmt: skip

    assert successor.tally == Tally(total=2, passed=1, failed=1)
    assert {id: len(results) for id, results in successor.recorded.results.items()} == {
        "test_a.py::one": 1,
        "test_a.py::two": 1,
    }
    assert [event.sequence for event in told(system, second)] == [1, 2, 3, 4]


def test_a_displaced_workers_evidence_is_refused_and_the_suite_is_told(
    system: System, claim: Claim, recording: Recording
) -> None:
    system.pass_time(LEASE.total_seconds())
    system.next_claim("w2")

    with pytest.raises(FenceLost):
        record(recording, TestEnded(result("one")))

    assert told(system, claim) == []
    with pytest.raises(FenceLost):
        recording.take(TestEnded(result("two")))


def test_a_fault_is_raised_and_nothing_is_recorded_after_it(
    system: System, claim: Claim, recording: Recording, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "trace.zip").write_bytes(b"abc")

    def refuse(*_: Any) -> None:
        raise ConnectionError("no bucket")

    monkeypatch.setattr(system.artifacts, "put_file", refuse)

    with pytest.raises(ConnectionError, match="no bucket"):
        record(recording, TestEnded(result("one", "passed", tmp_path / "trace.zip")), TestEnded(result("two")))

    assert stored(system, claim) == {}


def test_does_not_keep_the_suite_waiting(
    system: System, claim: Claim, recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = threading.Event()
    original = system.jobs.record

    def slow(*args: Any, **more: Any) -> Any:
        assert gate.wait(20)
        return original(*args, **more)

    monkeypatch.setattr(system.jobs, "record", slow)

    for number in range(50):
        recording.take(TestEnded(result(f"t{number}")))  # returns though nothing is recorded yet
    gate.set()
    recording.close()

    assert len(stored(system, claim)) == 50


def test_records_no_more_at_once_than_the_store_takes(
    system: System, claim: Claim, recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    original = system.jobs.record

    def noted(*args: Any, tests: Any = (), events: Any = (), tally: Any = None) -> Any:
        sizes.append(len(tests) + len(events))
        return original(*args, tests=tests, events=events, tally=tally)

    monkeypatch.setattr(system.jobs, "record", noted)

    record(recording, *[TestEnded(result(f"t{number}")) for number in range(60)])

    assert max(sizes) <= 2 * BATCH <= 40
    assert sum(sizes) == 120


def test_tells_no_more_log_lines_than_a_reader_could_follow(system: System, claim: Claim, recording: Recording) -> None:
    lines = [LogLine("INFO", f"{number} " + "x" * 5_000) for number in range(MOST_LOG_EVENTS + 50)]

    record(recording, *lines, TestEnded(result("one")))

    events = told(system, claim)
    assert sum(event.kind is EventKind.LOG for event in events) == MOST_LOG_EVENTS
    assert events[-1].kind is EventKind.TEST
    assert len(events[0].data["message"]) == 2_000
