"""What a run comes to when tests are run again, or are in quarantine. Only the suite itself is made up."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from dataclasses import replace

from tests.support.builders import PROJECT
from tests.support.system import System
from tests.unit.worker.suites import Perform, Tell, collected, ended, failing, outcome_of, passing
from wainwright.contracts.names import report_key
from wainwright.domain.errors import Unavailable
from wainwright.domain.jobs import Job
from wainwright.domain.quarantine import Quarantine
from wainwright.domain.states import JobStatus
from wainwright.domain.tests import Tally, TestOutcome
from wainwright.worker.runners.suite import Annotation, StopRequest, SuiteEnd, SuiteRequest, TestEnded, TestStands

TWO = "test_script.py::two"


def quarantine(system: System, test_id: str = TWO) -> None:
    until = system.clock().date()
    entry = Quarantine(test_id=test_id, until=until, reason="see #42", added_at=system.clock())
    system.quarantine.put(PROJECT, entry)


def report(system: System, job: Job, path: str) -> bytes:
    return system.artifacts.get(report_key(PROJECT, job.id, fence=1, path=path))[0]


def again(request: SuiteRequest, name: str) -> TestEnded:
    event = ended(request, f"{name}-at-first", passes=False)
    return TestEnded(replace(event.result, id=f"test_script.py::{name}", title=name), again=True)


def second_passes_when_run_again(request: SuiteRequest, tell: Tell, _stop: StopRequest) -> SuiteEnd:
    tell(collected("one", "two"))
    tell(ended(request, "one"))
    tell(again(request, "two"))
    tell(ended(request, "two"))
    return SuiteEnd("finished", exit_code=0, collected=2)


def test_a_failure_in_quarantine_completes_the_run_and_is_counted_by_itself(system: System, perform: Perform) -> None:
    quarantine(system)

    job = perform(system.claimed(), failing)

    outcome = outcome_of(job)
    assert (outcome.status, outcome.failure) == (JobStatus.COMPLETED, None)
    assert outcome.tests == Tally(total=2, passed=1, quarantined=1)
    assert not job.has_errors
    [row] = system.jobs.tests(PROJECT, job.id, [TWO])
    assert row.outcome is TestOutcome.QUARANTINED


def test_the_report_says_until_when_and_why_a_failure_does_not_count(system: System, perform: Perform) -> None:
    quarantine(system)
    job = perform(system.claimed(), failing)
    note = f"quarantined until {system.clock().date().isoformat()}: see #42"

    results = json.loads(report(system, job, "results.json"))
    assert results["tally"] == {"total": 2, "passed": 1, "failed": 0, "flaky": 0, "skipped": 0, "quarantined": 1}
    [two] = [test for test in results["tests"] if test["id"] == TWO]
    assert two["outcome"] == "quarantined"
    assert {"type": "quarantined", "description": note} in two["annotations"]
    assert two["errors"]
    root = ET.fromstring(report(system, job, "junit.xml"))  # noqa: S314 - our own
    assert (root.get("failures"), root.get("skipped")) == ("0", "1")
    [skipped] = root.iter("skipped")
    assert skipped.get("message") == note
    assert "expected 1" in (skipped.text or "")


def test_a_suite_cannot_put_its_tests_into_quarantine_itself(system: System, perform: Perform) -> None:
    def suite(request: SuiteRequest, tell: Tell, _stop: StopRequest) -> SuiteEnd:
        tell(collected("one"))
        result = ended(request, "one", passes=False).result
        tell(TestEnded(replace(result, annotations=(Annotation("quarantined", "says who?"),))))
        return SuiteEnd("finished", exit_code=1, collected=1)

    job = perform(system.claimed(), suite)

    assert outcome_of(job).status is JobStatus.FAILED
    [test] = json.loads(report(system, job, "results.json"))["tests"]
    assert (test["outcome"], test["annotations"]) == ("failed", [])


def test_the_quarantine_is_read_once_for_jobs_that_follow_each_other(system: System) -> None:
    from tests.unit.worker.suites import worker

    one = worker(system)
    for _ in range(3):
        one.quarantine(PROJECT)

    assert system.quarantine.reads == 1


def test_another_ending_than_failed_tests_is_not_excused_by_a_quarantine(system: System, perform: Perform) -> None:
    quarantine(system)

    def suite(request: SuiteRequest, tell: Tell, stop: StopRequest) -> SuiteEnd:
        return replace(failing(request, tell, stop), exit_code=3)

    job = perform(system.claimed(), suite)

    assert outcome_of(job).status is JobStatus.FAILED


def test_a_test_that_passes_when_run_again_is_flaky_and_no_error_of_the_job(system: System, perform: Perform) -> None:
    job = perform(system.claimed(), second_passes_when_run_again)

    outcome = outcome_of(job)
    assert (outcome.status, outcome.tests) == (JobStatus.COMPLETED, Tally(total=2, passed=1, flaky=1))
    assert outcome.flaky_tests == (TWO,)
    assert not job.has_errors
    [row] = system.jobs.tests(PROJECT, job.id, [TWO])
    assert [attempt["outcome"] for attempt in row.body["attempts"]] == ["failed", "passed"]


def test_a_failure_that_was_not_run_again_after_all_stands(system: System, perform: Perform) -> None:
    def suite(request: SuiteRequest, tell: Tell, _stop: StopRequest) -> SuiteEnd:
        tell(collected("one", "two"))
        tell(ended(request, "one"))
        tell(again(request, "two"))
        tell(TestStands(TWO))
        return SuiteEnd("finished", exit_code=1, collected=2)

    job = perform(system.claimed(), suite)

    assert (outcome_of(job).status, outcome_of(job).tests) == (JobStatus.FAILED, Tally(total=2, passed=1, failed=1))
    [row] = system.jobs.tests(PROJECT, job.id, [TWO])
    assert [attempt["outcome"] for attempt in row.body["attempts"]] == ["failed"]


def test_what_ran_is_added_to_the_history_of_the_projects_tests(system: System, perform: Perform) -> None:
    perform(system.claimed(), second_passes_when_run_again)
    perform(system.claimed(), failing)

    tests = system.history.files(PROJECT, ["test_script.py"])["test_script.py"]
    assert {test_id: (stats.runs, stats.last) for test_id, stats in tests.items()} == {
        "test_script.py::one": (2, "PP"),
        TWO: (2, "KF"),
    }


def test_a_history_that_cannot_be_written_changes_no_outcome(system: System, perform: Perform) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise Unavailable("not now")

    system.history.note = refuse  # type: ignore[method-assign]

    assert outcome_of(perform(system.claimed(), passing)).status is JobStatus.COMPLETED


def test_a_quarantine_read_a_minute_ago_is_read_again(system: System) -> None:
    from datetime import timedelta

    from tests.unit.worker.suites import worker

    one = worker(system)
    assert one.quarantine(PROJECT) == {}
    quarantine(system)
    assert one.quarantine(PROJECT) == {}
    system.clock.advance(timedelta(seconds=60))
    assert set(one.quarantine(PROJECT)) == {TWO}
