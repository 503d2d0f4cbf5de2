"""Runs whose uploads fail: they end as they did, their reports stay on the worker's disk, and rows name what is missing."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.builders import PROJECT, a_caller, completed
from tests.support.memory.spool import MemorySpool
from tests.support.outages import REASON, FakePace
from tests.support.system import System
from tests.unit.worker.suites import (
    Perform,
    Tell,
    collected,
    ended,
    failing,
    outcome_of,
    passing,
    worker,
)
from wainwright.contracts.names import report_key, viewer_key
from wainwright.domain.failures import FailureCategory
from wainwright.domain.jobs import Job
from wainwright.domain.reports import ReportRef
from wainwright.domain.states import JobStatus
from wainwright.domain.tests import Tally
from wainwright.ports.log_store import LogQuery
from wainwright.usecases.open_reports import OpenReports
from wainwright.usecases.upload_artifacts import UploadPolicy
from wainwright.worker.evidence.recording import Recording
from wainwright.worker.evidence.report.html import AssetFile
from wainwright.worker.run.run_session import run_claim
from wainwright.worker.run.shutdown import ShutdownSignal
from wainwright.worker.runners.suite import Collected, StopRequest, SuiteEnd, SuiteRequest

EVERYTHING = (
    "index.html", "results.json", "junit.xml", "manifest.json", "trace/", "data/1-1-one.zip", "data/1-2-two.zip",
)  # fmt: skip


def report_of(job: Job) -> ReportRef:
    report = outcome_of(job).report
    assert report is not None
    return report


def refuse_reports(system: System) -> None:
    """Bundles can be read, and nothing can be written."""
    system.artifacts.refuse_all()


def read(system: System, job: Job, path: str) -> bytes:
    """A file of the report, as the API of a machine serves it that has the worker's disk within reach."""
    reports = OpenReports(system.jobs, system.access, system.artifacts, system.spool, system.clock, "https://r.example")
    return reports.read(a_caller(), job.id, path).content


def finished(system: System, job: Job) -> Job:
    system.finish(PROJECT, job.id, job.run)
    return system.job(job)


def test_failed_tests_keep_their_category_and_their_whole_report(system: System, perform: Perform) -> None:
    claim = system.claimed()
    refuse_reports(system)

    job = perform(claim, failing)

    outcome, report = outcome_of(job), report_of(job)
    assert outcome.status is JobStatus.FAILED
    assert outcome.failure is not None
    assert (outcome.failure.category, outcome.failure.test_id) == (FailureCategory.ASSERTION, "test_script.py::two")
    assert (report.complete, report.is_intact) == (True, False)
    assert (report.missing, report.missing_count, report.missing_reason) == (EVERYTHING, 7, REASON)
    assert outcome.tests == Tally(total=2, passed=1, failed=1)

    job = finished(system, job)
    assert json.loads(read(system, job, "results.json"))["complete"]
    assert b"playwrightReportBase64" in read(system, job, "index.html")
    assert read(system, job, "data/1-2-two.zip") == b"PK"
    assert {file["path"] for file in json.loads(read(system, job, "manifest.json"))["files"]} >= {"data/1-1-one.zip"}


def test_passed_tests_without_a_report_are_no_passed_job(system: System, perform: Perform) -> None:
    claim = system.claimed()
    refuse_reports(system)

    failure = outcome_of(perform(claim, passing)).failure

    assert failure is not None
    assert failure.category is FailureCategory.INFRASTRUCTURE
    assert failure.message.startswith(f"all tests passed, but 7 files of the report could not be uploaded ({REASON})")
    assert "index.html" in failure.message


def test_the_log_says_what_is_missing_why_and_where_it_is(system: System, pace: FakePace, tmp_path: Path) -> None:
    claim = system.claimed()
    refuse_reports(system)
    own = worker(system, pace=pace)

    run_claim(own, claim, tmp_path / "run", ShutdownSignal(), run_suite=failing)

    lines = [entry.message for entry in own.logs.read(PROJECT, claim.job.id, LogQuery(level="ERROR")).logs]
    assert any("7 files of the report" in line and REASON in line and "w1" in line for line in lines)
    assert system.job(claim.job).has_errors


def test_only_what_is_missing_is_named(system: System, perform: Perform) -> None:
    claim = system.claimed()
    system.artifacts.refuses = lambda key: key.endswith("one.zip")

    job = perform(claim, failing)

    assert report_of(job).missing == ("data/1-1-one.zip",)
    assert system.spool.keys("") == [report_key(PROJECT, job.id, fence=1, path="data/1-1-one.zip")]
    assert read(system, finished(system, job), "data/1-2-two.zip") == b"PK"


def test_a_short_outage_leaves_nothing_behind(system: System, perform: Perform, pace: FakePace) -> None:
    claim = system.claimed()
    refuse_reports(system)
    pace.on_sleep = lambda: system.artifacts.recover() if sum(pace.slept) > 5 else None

    job = perform(claim, passing)

    assert outcome_of(job).status is JobStatus.COMPLETED
    assert report_of(job).is_intact
    assert system.spool.objects == {}


def test_an_outage_that_is_over_by_the_end_leaves_nothing_behind(
    system: System, perform: Perform, pace: FakePace, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = system.claimed()
    refuse_reports(system)
    monkeypatch.setattr(Recording, "close", _then(Recording.close, system.artifacts.recover))

    job = perform(claim, passing)

    assert outcome_of(job).status is JobStatus.COMPLETED
    assert report_of(job).is_intact
    assert sum(pace.slept) > UploadPolicy().total_seconds / 2
    assert system.spool.objects == {}
    for path in ("data/1-1-one.zip", "data/1-2-two.zip", "index.html"):
        assert report_key(PROJECT, job.id, fence=1, path=path) in system.artifacts.objects


def _then(step: Callable[[Any], None], after: Callable[[], None]) -> Callable[[Any], None]:
    def both(it: object) -> None:
        step(it)
        after()

    return both


def test_a_canceled_job_waits_for_no_upload(system: System, perform: Perform, pace: FakePace) -> None:
    claim = system.claimed()
    refuse_reports(system)

    def suite(request: SuiteRequest, tell: Tell, stop: StopRequest) -> SuiteEnd:
        tell(collected("one", "two"))
        system.control.cancel(a_caller(), claim.job.id)
        while stop.mode == "run":  # until the worker has looked at the row
            pass
        tell(ended(request, "one"))
        return SuiteEnd("canceled", collected=2, unfinished=("test_script.py::two",))

    job = perform(claim, suite)

    assert outcome_of(job).status is JobStatus.CANCELED
    assert pace.slept == []
    assert "data/1-1-one.zip" in report_of(job).missing
    assert b"test_script.py::two" in read(system, finished(system, job), "results.json")


def test_a_worker_that_is_told_to_go_waits_for_no_upload_and_its_successor_knows(
    system: System, perform: Perform, pace: FakePace
) -> None:
    claim, shutdown = system.claimed(), ShutdownSignal()
    refuse_reports(system)

    def first(request: SuiteRequest, tell: Tell, _stop: StopRequest) -> SuiteEnd:
        shutdown.request()
        tell(collected("one", "two"))
        tell(ended(request, "one"))
        return SuiteEnd("canceled", collected=2, unfinished=("test_script.py::two",))

    def second(request: SuiteRequest, tell: Tell, _stop: StopRequest) -> SuiteEnd:
        tell(ended(request, "two"))
        return SuiteEnd("finished", exit_code=0, collected=1, deselected=1)

    job = perform(claim, first, shutdown)
    assert (pace.slept, job.outcome) == ([], None)
    system.artifacts.recover()
    system.spool = MemorySpool()  # the first worker's disk went with it

    job = perform(system.next_claim("w2"), second)

    assert report_of(job).missing == ("data/1-1-one.zip",)
    assert report_of(job).missing_reason is not None
    assert outcome_of(job).failure is not None


def test_a_successor_with_the_same_disk_uploads_what_its_predecessor_could_not(
    system: System, perform: Perform
) -> None:
    claim, shutdown = system.claimed(), ShutdownSignal()
    refuse_reports(system)

    def first(request: SuiteRequest, tell: Tell, _stop: StopRequest) -> SuiteEnd:
        tell(collected("one", "two"))
        tell(ended(request, "one"))
        shutdown.request()
        return SuiteEnd("canceled", collected=2, unfinished=("test_script.py::two",))

    def second(request: SuiteRequest, tell: Tell, _stop: StopRequest) -> SuiteEnd:
        tell(ended(request, "two"))
        return SuiteEnd("finished", exit_code=0, collected=1, deselected=1)

    perform(claim, first, shutdown)
    system.artifacts.recover()

    job = perform(system.next_claim("w2"), second)

    assert outcome_of(job).status is JobStatus.COMPLETED
    assert report_of(job).is_intact
    assert system.spool.objects == {}


def test_a_retry_writes_the_report_of_passed_tests_without_running_them_again(system: System, perform: Perform) -> None:
    claim = system.claimed()
    refuse_reports(system)
    job = finished(system, perform(claim, passing))
    assert job.failure is not None
    system.artifacts.recover()
    system.control.retry(a_caller(), job.id, only_failed=True)
    system.dispatch()

    def nothing_left(request: SuiteRequest, tell: Tell, _stop: StopRequest) -> SuiteEnd:
        assert request.deselect == {"test_script.py::one", "test_script.py::two"}
        tell(Collected((), deselected=tuple(request.deselect)))
        return SuiteEnd("finished", exit_code=5, collected=0, deselected=2)

    job = finished(system, perform(system.next_claim("w2"), nothing_left))

    assert (job.failure, job.status) == (None, JobStatus.COMPLETED)
    assert job.report is not None
    assert job.report.is_intact


def test_evidence_that_the_disk_has_no_room_for_is_named_in_the_report_itself(system: System, perform: Perform) -> None:
    claim = system.claimed()
    system.artifacts.refuses = lambda key: key.endswith("one.zip")
    system.spool = MemorySpool(1)

    job = perform(claim, passing)

    failure = outcome_of(job).failure
    assert failure is not None
    assert failure.category is FailureCategory.INFRASTRUCTURE
    assert not report_of(job).complete
    missing = json.loads(read(system, finished(system, job), "results.json"))["missing"]
    assert missing == [f"trace: could not be uploaded ({REASON}), and the disk is full"]


class TestTraceViewer:
    @pytest.fixture(autouse=True)
    def one_file(self, system: System, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """A viewer of one file; after ``system``, which leaves all of them out."""
        file = tmp_path / "viewer.html"
        file.write_text("viewer")
        files = [AssetFile("index.html", file, "text/html")]
        monkeypatch.setattr("wainwright.worker.evidence.write_report.trace_viewer_files", lambda *_: files)
        monkeypatch.setattr("wainwright.worker.evidence.write_report.version", lambda _name: "1.65")

    def test_one_that_could_not_be_uploaded_is_served_from_the_disk(self, system: System, perform: Perform) -> None:
        claim = system.claimed()
        system.artifacts.refuses = lambda key: key.startswith("assets/")

        job = perform(claim, failing)

        assert report_of(job).missing == ("trace/",)
        assert read(system, finished(system, job), "trace/index.html") == b"viewer"

    def test_its_mark_never_comes_before_its_files(self, system: System, perform: Perform) -> None:
        claim = system.claimed()
        system.artifacts.refuses = lambda key: key.endswith("1.65/index.html")

        perform(claim, failing)

        marker = viewer_key("1.65", "complete")
        assert marker not in system.artifacts.objects
        assert system.spool.keys("assets/") == [viewer_key("1.65", "index.html"), marker]

    def test_it_lies_there_once_for_all_reports(self, system: System, perform: Perform) -> None:
        system.artifacts.refuses = lambda key: key.startswith("assets/")
        first = finished(system, perform(system.claimed(), failing))
        tried = len(system.artifacts.tried)
        second = perform(system.claimed(), failing)

        assert report_of(second).missing == ("trace/",)
        assert sum(key.startswith("assets/") for key in system.artifacts.tried[tried:]) == 1
        worker(system).spooled().run_if_due()
        assert system.job(first).report == first.report

        system.artifacts.recover()
        second = finished(system, second)
        worker(system).spooled()()

        for job in (first, second):
            report = system.job(job).report
            assert report is not None
            assert report.is_intact
        assert system.artifacts.get(viewer_key("1.65", "index.html"))[0] == b"viewer"
        assert system.spool.objects == {}


def test_reports_that_are_whole_have_nothing_of_all_this_in_their_rows() -> None:
    outcome = completed()

    assert outcome.report is not None
    assert "missing" not in outcome.report.model_dump_json(exclude_defaults=True)
