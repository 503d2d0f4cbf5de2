"""Which tests run is noted, so that whoever ends the run of a lost worker can name them."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.support.builders import PROJECT, SCRIPT, START
from tests.support.system import NO_WAIT, System
from tests.unit.worker.suites import Perform, collected, ended, worker
from wainwright.contracts.http.jobs import CreateJob
from wainwright.contracts.messages import ExecutionError
from wainwright.contracts.names import report_key
from wainwright.domain.jobs import LEASE, Job
from wainwright.domain.lanes import OWNER, LaneRecord
from wainwright.domain.tests import RunningTest, Tally, TestOutcome
from wainwright.ports.job_store import NewEvent, Progress, StoredTest
from wainwright.worker.evidence import running_tests as running
from wainwright.worker.evidence.running_tests import MAX_ID, MAX_RUNNING, NOTED_SECONDS, RunningTests
from wainwright.worker.run.closing import end_claim, report_late
from wainwright.worker.runners.suite import Event, StopRequest, SuiteEnd, SuiteRequest, TestStarted


def names(progress: Progress) -> list[str]:
    return [each.title for each in progress.running]


class Noting:
    """Keeps what each write of a job's progress says is running."""

    def __init__(self, system: System) -> None:
        self.seen: list[list[str]] = []
        self.changed = threading.Condition()
        record = system.jobs.record

        def recording(*arguments: Any, **named: Any) -> Progress:
            """The store's own."""
            progress = record(*arguments, **named)
            with self.changed:
                self.seen.append(names(progress))
                self.changed.notify_all()
            return progress

        system.jobs.record = recording  # type: ignore[method-assign]

    def wait_for(self, names: list[str]) -> None:
        """Until a write has said that these run."""
        with self.changed:
            assert self.changed.wait_for(lambda: names in self.seen, timeout=60), self.seen


def test_a_test_that_has_run_for_a_while_is_noted_though_nothing_is_reported(
    system: System, perform: Perform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "NOTED_SECONDS", 0.05)
    noting = Noting(system)

    def suite(request: SuiteRequest, tell: Callable[[Event], None], _stop: StopRequest) -> SuiteEnd:
        tell(collected("one", "two"))
        tell(TestStarted("test_script.py::one"))
        noting.wait_for(["one"])
        tell(ended(request, "one"))
        tell(TestStarted("test_script.py::two"))
        noting.wait_for(["two"])
        tell(ended(request, "two"))
        return SuiteEnd("finished", exit_code=0, collected=2)

    job = perform(system.claimed(), suite)

    view = system.jobs.view(job.project, job.id)
    assert view is not None
    assert (view.progress.running, view.progress.tests.passed) == ((), 2)


def test_quick_tests_cost_no_write_of_their_own(system: System, perform: Perform) -> None:
    def suite(request: SuiteRequest, tell: Callable[[Event], None], _stop: StopRequest) -> SuiteEnd:
        tell(collected(*"abcdefgh"))
        for name in "abcdefgh":
            tell(TestStarted(f"test_script.py::{name}"))
            tell(ended(request, name))
        return SuiteEnd("finished", exit_code=0, collected=8)

    noting = Noting(system)
    perform(system.claimed(), suite)

    assert len(noting.seen) <= 9, "what was collected, and eight outcomes"


class Clock:
    """A monotonic clock that is put forward by hand."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def due(tests: RunningTests) -> float | None:
    return tests.due


def test_what_began_is_due_once_and_gone_when_it_ends() -> None:
    clock = Clock()
    tests = RunningTests(clock)
    assert due(tests) is None
    tests.begin("a.py::one", START)
    clock.now += 1
    assert due(tests) == NOTED_SECONDS - 1
    clock.now += NOTED_SECONDS
    assert due(tests) == 0
    assert tests.note({}) == (RunningTest(id="a.py::one", file="a.py", line=0, title="a.py::one", since=START),)
    assert due(tests) is None
    tests.end("a.py::one")
    assert tests.note({}) == ()


def test_no_more_is_noted_than_a_row_has_room_for() -> None:
    tests = RunningTests()
    tests.begin("x" * (MAX_ID + 1), START)
    assert tests.due is None
    for number in range(MAX_RUNNING + 5):
        tests.begin(f"a.py::{number}", START)
    assert len(tests.note({})) == MAX_RUNNING
    assert tests.due is None


# Reports from rows


def lost(system: System, request: CreateJob | None = None) -> Job:
    """A job of four tests whose worker is lost: one had passed, two ran."""
    claim = system.claimed(request)
    job = claim.job
    row = StoredTest(id="a.py::one", outcome=TestOutcome.PASSED, attempt=1, body={"attempts": [
        ended_json("a.py::one")]})  # fmt: skip
    two = RunningTest(id="a.py::two", file="a.py", line=7, title="two", since=START + timedelta(seconds=5))
    three = two.model_copy(update={"id": "a.py::three", "title": "three", "line": 9})
    system.jobs.record(job, tests=[row], tally=Tally(total=4, passed=1), running=[two, three])
    system.pass_time(LEASE.total_seconds() + 1)
    return job


def ended_json(test_id: str) -> dict[str, Any]:
    return {
        "id": test_id, "file": "a.py", "line": 1, "title": test_id.partition("::")[2], "path": [], "outcome": "passed",
        "durationMs": 5.0, "startedAt": "2026-01-01T00:00:00.000Z", "errors": [], "stdout": "", "stderr": "",
        "steps": [], "attachments": [], "annotations": [], "retry": 0,
    }  # fmt: skip


def results(system: System, job: Job) -> Any:
    now = system.job(job)
    ref = now.outcome.report if now.outcome else now.report
    assert ref is not None
    key = report_key(PROJECT, job.id, fence=ref.fence, path="results.json")
    return json.loads(system.artifacts.get(key)[0])


def check_named(found: Any, why: str) -> None:
    assert found["tally"] == {"total": 4, "passed": 1, "failed": 0, "flaky": 0, "skipped": 0, "quarantined": 0}
    assert [(test["title"], test["line"], test["startedAt"]) for test in found["interrupted"]] == [
        ("two", 7, "2026-11-22T02:42:50.123Z"), ("three", 9, "2026-11-22T02:42:50.123Z"),
    ]  # fmt: skip
    assert why in found["interrupted"][0]["errors"][0]["message"]
    assert found["missing"][:3] == [
        "a.py::two: was interrupted", "a.py::three: was interrupted", f"1 more test has no outcome: {why}",
    ]  # fmt: skip


def test_a_report_after_the_third_loss_names_what_ran(system: System) -> None:
    job = lost(system)
    system.jobs.write(system.job(job), system.job(job).model_copy(update={"losses": 2}))
    claim = system.next_claim("w2")
    assert claim.ending is not None

    end_claim(worker(system), claim, claim.ending)

    check_named(results(system, job), "their workers were lost")
    assert b"two" in system.artifacts.get(report_key(PROJECT, job.id, fence=2, path="junit.xml"))[0]


def test_a_late_report_names_what_ran(system: System) -> None:
    job = lost(system)
    system.finish(job.project, job.id, job.run, ExecutionError(error="States.Timeout"))
    work = system.queue.receive(NO_WAIT)
    while work is not None and not work.message.report_only:
        assert system.claims.claim(work, "w2") is None
        work = system.queue.receive(NO_WAIT)
    assert work is not None

    assert report_late(worker(system), work)

    check_named(results(system, job), "the job's time was up")


def test_a_test_that_ended_after_it_was_noted_is_not_named(system: System) -> None:
    job = lost(system)
    row = StoredTest(
        id="a.py::two", outcome=TestOutcome.PASSED, attempt=1, body={"attempts": [ended_json("a.py::two")]}
    )
    system.jobs.record(system.job(job), tests=[row], tally=Tally(total=4, passed=2))
    system.jobs.write(system.job(job), system.job(job).cancel(system.clock()))
    claim = system.next_claim("w2")
    assert claim.ending is not None

    end_claim(worker(system), claim, claim.ending)

    found = results(system, job)
    assert [test["title"] for test in found["interrupted"]] == ["three"]
    assert found["missing"][:2] == ["a.py::three: was interrupted", "1 more test has no outcome: the job was canceled"]


def test_of_a_job_in_lanes_the_work_list_names_all_that_is_left(system: System) -> None:
    claim = system.claimed(CreateJob(script=SCRIPT, parallelism=2))
    job = claim.job
    cases = [(f"a.py::{number}", "a.py") for number in range(6)]
    order = system.share.open(job, cases, {})
    lane = LaneRecord(lane=1, token="stay", worker="w2", lease_until=START + LEASE)
    system.lists.join(job, lane, None)
    system.share.lease(job, OWNER, order, lambda _work, _order: 2, (), ())
    system.share.lease(job, "stay", order, lambda _work, _order: 2, (), ())
    done = [StoredTest(id="a.py::0", outcome=TestOutcome.PASSED, attempt=1, body={"attempts": [ended_json("a.py::0")]})]
    event = NewEvent(kind="collected", at=START, data={"total": 6})  # type: ignore[arg-type]
    system.jobs.record(job, tests=done, events=[event], tally=Tally(total=6, passed=1))
    system.pass_time(LEASE.total_seconds() + 1)
    system.jobs.write(system.job(job), system.job(job).cancel(system.clock()))
    claim = system.next_claim("w3")
    assert claim.ending is not None

    end_claim(worker(system), claim, claim.ending)

    found = results(system, job)
    assert found["missing"][:5] == [
        "a.py::1: was interrupted", "a.py::2: was interrupted", "a.py::3: did not run", "a.py::4: did not run",
        "a.py::5: did not run",
    ]  # fmt: skip
    assert not [line for line in found["missing"] if "no outcome" in line]
    assert found["tally"]["total"] == 6


def test_a_work_list_of_an_earlier_run_names_nothing(system: System) -> None:
    request = CreateJob(script=SCRIPT, parallelism=2)
    job = system.claimed(request).job
    system.share.open(job, [("a.py::0", "a.py")], {})
    later = job.model_copy(update={"run": job.run + 1})

    assert system.lists.last(job) is not None
    assert system.lists.last(later) is None
