"""One claimed run, from its bundle to its outcome. Only the suite itself is made up."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.builders import PROJECT, SCRIPT, a_caller
from tests.support.memory.work_lists import MemoryWorkListStore
from tests.support.system import NO_WAIT, System
from tests.unit.worker.suites import Perform, collected, ended, outcome_of, passing
from wainwright.contracts.http.jobs import CreateJob
from wainwright.contracts.names import bundle_key, report_key
from wainwright.domain.errors import FenceLost
from wainwright.domain.failures import FailureCategory
from wainwright.domain.job_config import JobConfig
from wainwright.domain.jobs import LEASE, Job
from wainwright.domain.states import JobStatus
from wainwright.domain.tests import Tally
from wainwright.worker.run.shutdown import ShutdownSignal
from wainwright.worker.runners.suite import (
    Collected,
    Event,
    StopRequest,
    SuiteEnd,
    SuiteRequest,
)


def test_a_suite_that_passes_completes_the_run_with_a_whole_report(system: System, perform: Perform) -> None:
    job = perform(system.claimed(), passing)

    outcome = outcome_of(job)
    assert (outcome.status, outcome.failure, outcome.tests) == (JobStatus.COMPLETED, None, Tally(total=2, passed=2))
    assert outcome.report is not None
    assert outcome.report.complete
    assert system.queue.empty
    assert f"{job.id}-1" in system.workflows.ended
    manifest = json.loads(report(system, job, "manifest.json"))
    listed = {file["path"] for file in manifest["files"]}
    assert {"index.html", "results.json", "junit.xml", "data/1-1-one.zip", "data/1-2-two.zip"} <= listed
    for path in listed:
        assert report(system, job, path)


def report(system: System, job: Job, path: str, fence: int = 1) -> bytes:
    return system.artifacts.get(report_key(PROJECT, job.id, fence=fence, path=path))[0]


def test_the_suite_is_given_what_the_job_asked_for(system: System, perform: Perform) -> None:
    requests: list[SuiteRequest] = []

    def suite(request: SuiteRequest, tell: Callable[[Event], None], stop: StopRequest) -> SuiteEnd:
        requests.append(request)
        assert (request.folder / "test_script.py").read_text() == SCRIPT
        return passing(request, tell, stop)

    config = JobConfig(timeout=5_000, trace="retain-on-failure", video="on")
    job = perform(
        system.claimed(CreateJob(script=SCRIPT, url="https://shop.example", params={"city": "Zürich"}, config=config)),
        suite,
    )

    (request,) = requests
    assert (request.base_url, request.trace, request.screenshot, request.video) == (
        "https://shop.example", "retain-on-failure", "on", "on",
    )  # fmt: skip
    assert request.timeout_ms is not None
    assert 0 < request.timeout_ms <= 5_000
    assert request.env["WAINWRIGHT_JOB_ID"] == job.id
    assert json.loads(request.env["WAINWRIGHT_PARAMS"]) == {"city": "Zürich"}
    assert request.deselect == frozenset()


def test_a_failed_test_fails_the_run_with_its_first_line(system: System, perform: Perform) -> None:
    def suite(request: SuiteRequest, tell: Callable[[Event], None], _stop: StopRequest) -> SuiteEnd:
        tell(collected("one", "two"))
        tell(ended(request, "one"))
        tell(ended(request, "two", passes=False))
        return SuiteEnd("finished", exit_code=1, collected=2)

    outcome = outcome_of(perform(system.claimed(), suite))

    assert outcome.status is JobStatus.FAILED
    assert outcome.failure is not None
    assert (outcome.failure.category, outcome.failure.test_id) == (FailureCategory.ASSERTION, "test_script.py::two")
    assert outcome.failure.message == "test_script.py::two: expected 1"
    assert outcome.report is not None
    assert outcome.report.complete


def test_a_bundle_that_is_gone_is_invalid_input(system: System, perform: Perform) -> None:
    claim = system.claimed()
    system.artifacts.objects.pop(bundle_key(PROJECT, claim.job.bundle_id or ""))

    def never(*_: Any) -> SuiteEnd:
        raise AssertionError("nothing to run")

    failure = outcome_of(perform(claim, never)).failure
    assert failure is not None
    assert failure.category is FailureCategory.INVALID_INPUT


def test_a_canceled_suite_leaves_a_report_of_what_ran(system: System, perform: Perform) -> None:
    claim = system.claimed()

    def suite(request: SuiteRequest, tell: Callable[[Event], None], _stop: StopRequest) -> SuiteEnd:
        tell(collected("one", "two"))
        tell(ended(request, "one"))
        system.control.cancel(a_caller(), claim.job.id)
        return SuiteEnd("canceled", collected=2, unfinished=("test_script.py::two",))

    job = perform(claim, suite)

    outcome = outcome_of(job)
    assert (outcome.status, outcome.tests.passed) == (JobStatus.CANCELED, 1)
    assert outcome.report is not None
    assert not outcome.report.complete
    assert b"test_script.py::two" in report(system, job, "results.json")


def endless_bundle(until_asked: Callable[[], object]) -> Callable[..., None]:
    """One whose unpacking takes longer than anybody waits."""

    def fetch(*given: Any) -> None:
        folder, waiting = given[3], given[5]
        folder.mkdir()
        until_asked()
        while True:
            waiting()

    return fetch


def test_a_run_canceled_while_its_bundle_is_unpacked_ends_without_its_suite(
    system: System, perform: Perform, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = system.claimed()
    fetch = endless_bundle(lambda: system.control.cancel(a_caller(), claim.job.id))
    monkeypatch.setattr("wainwright.worker.run.run_session.fetch_bundle", fetch)

    job = perform(claim, no_suite)

    assert outcome_of(job).status is JobStatus.CANCELED
    assert json.loads(report(system, job, "results.json"))["tests"] == []


def test_a_worker_told_to_go_while_it_unpacks_hands_the_run_back(
    system: System, perform: Perform, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutdown = ShutdownSignal()
    monkeypatch.setattr("wainwright.worker.run.run_session.fetch_bundle", endless_bundle(shutdown.request))

    job = perform(system.claimed(), no_suite, shutdown)

    assert job.outcome is None
    assert not system.queue.empty


def test_a_job_whose_time_is_over_while_its_bundle_is_unpacked_times_out(
    system: System, perform: Perform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wainwright.worker.run.run_session.fetch_bundle", endless_bundle(lambda: None))

    job = perform(system.claimed(CreateJob(script=SCRIPT, config=JobConfig(timeout=1_000))), no_suite)

    failure = outcome_of(job).failure
    assert failure is not None
    assert failure.category is FailureCategory.JOB_TIMEOUT


def no_suite(_request: SuiteRequest, _tell: Callable[[Event], None], _stop: StopRequest) -> SuiteEnd:
    raise AssertionError("the suite was run")


def test_a_worker_that_is_told_to_go_hands_the_run_back(system: System, perform: Perform) -> None:
    claim, shutdown = system.claimed(), ShutdownSignal()

    def suite(request: SuiteRequest, tell: Callable[[Event], None], stop: StopRequest) -> SuiteEnd:
        tell(collected("one", "two"))
        tell(ended(request, "one"))
        before = stop.mode
        shutdown.request()
        assert (before, stop.mode) == ("run", "cancel")
        return SuiteEnd("canceled", collected=2, unfinished=("test_script.py::two",))

    job = perform(claim, suite, shutdown)

    assert (job.outcome, job.worker, job.losses, job.status) == (None, None, 0, JobStatus.RUNNING)
    assert system.workflows.ended == {}
    assert system.next_claim("w2").job.losses == 0


def test_a_successor_runs_only_what_has_no_outcome_and_reports_everything(system: System, perform: Perform) -> None:
    shutdown = ShutdownSignal()

    def first(request: SuiteRequest, tell: Callable[[Event], None], _stop: StopRequest) -> SuiteEnd:
        tell(collected("one", "two"))
        tell(ended(request, "one"))
        shutdown.request()
        return SuiteEnd("canceled", collected=2, unfinished=("test_script.py::two",))

    def second(request: SuiteRequest, tell: Callable[[Event], None], _stop: StopRequest) -> SuiteEnd:
        assert request.deselect == {"test_script.py::one"}
        tell(Collected(collected("two").tests, deselected=("test_script.py::one",)))
        tell(ended(request, "two"))
        return SuiteEnd("finished", exit_code=0, collected=1, deselected=1)

    perform(system.claimed(), first, shutdown)
    job = perform(system.next_claim("w2"), second)

    assert outcome_of(job).status is JobStatus.COMPLETED
    assert outcome_of(job).tests == Tally(total=2, passed=2)
    results = report(system, job, "results.json", fence=2)
    assert b"data/1-1-one.zip" in results
    assert b"data/2-1-two.zip" in results


def test_a_displaced_worker_ends_nothing(system: System, perform: Perform) -> None:
    claim = system.claimed()

    def suite(request: SuiteRequest, tell: Callable[[Event], None], stop: StopRequest) -> SuiteEnd:
        system.pass_time(LEASE.total_seconds())
        system.next_claim("w2")
        return passing(request, tell, stop)

    with pytest.raises(FenceLost):
        perform(claim, suite)

    job = system.job(claim.job)
    assert (job.worker, job.fence, job.outcome) == ("w2", 2, None)
    assert system.workflows.ended == {}
    assert system.queue.receive(NO_WAIT) is None


def test_each_claim_has_only_the_time_that_is_left(system: System, perform: Perform) -> None:
    claim = system.claimed(CreateJob(script=SCRIPT, config=JobConfig(timeout=10_000)))
    system.claims.release(claim, 9_000)
    given: list[int | None] = []

    def suite(request: SuiteRequest, tell: Callable[[Event], None], stop: StopRequest) -> SuiteEnd:
        given.append(request.timeout_ms)
        return passing(request, tell, stop)

    perform(system.next_claim("w2"), suite)

    assert given[0] is not None
    assert 0 < given[0] <= 1_000


def test_a_job_of_one_lane_asks_no_work_list_and_no_helper(
    system: System, perform: Perform, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("there is only one lane")

    claim = system.claimed()
    for name in ("open", "read", "order", "last", "write", "join", "update", "lanes"):
        monkeypatch.setattr(MemoryWorkListStore, name, refuse)
    monkeypatch.setattr(system.queue, "send", refuse)
    monkeypatch.setattr(system.history, "files", refuse)

    assert outcome_of(perform(claim, passing)).status is JobStatus.COMPLETED


def test_a_lane_whose_attempt_is_the_first_reads_no_outcomes_of_the_workers_before(
    system: System, perform: Perform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are the owner's to know, and may be thousands of rows for each of a hundred lanes."""
    system.claimed(CreateJob(script=SCRIPT, parallelism=2), worker="lost")
    system.pass_time(LEASE.total_seconds())
    owner = system.next_claim("owner")
    assert owner.job.fence == 2
    system.share.invite(owner.job)
    lane = system.next_claim("helper")
    monkeypatch.setattr(system.jobs, "tests", lambda *_: pytest.fail("read the outcomes"))

    perform(lane, lambda *_: SuiteEnd("stopped"))

    assert [each.left for each in system.lists.lanes(owner.job)] == [True]
