"""What becomes of a job when something becomes of one of its lanes."""

import io
import threading
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.worker.lanes_of_a_job import LanesOfAJob
from wainwright.contracts.events import EventKind
from wainwright.domain.failures import FailureCategory
from wainwright.domain.jobs import Job
from wainwright.domain.retry import RetryPolicy
from wainwright.domain.states import JobStatus
from wainwright.domain.tests import Tally
from wainwright.domain.work_list import WorkList
from wainwright.ports.job_store import NewEvent, Progress

pytestmark = pytest.mark.e2e

ALL_AT_WORK = """
    import os, pathlib, time
    import pytest
    FOLDER = pathlib.Path({folder!r})

    @pytest.fixture(scope="session", autouse=True)
    def all_lanes_are_there():
        "Nobody begins before all do, so that each lane has something to run."
        (FOLDER / f"lane-{{os.getpid()}}").touch()
        deadline = time.monotonic() + 60
        while len(list(FOLDER.glob("lane-*"))) < {lanes} and time.monotonic() < deadline:
            time.sleep(0.02)
"""


def suite(folder: Path, lanes: int, tests: str) -> dict[str, str]:
    """A suite whose lanes wait for each other."""
    return {"conftest.py": ALL_AT_WORK.format(folder=str(folder), lanes=lanes), "test_it.py": tests}


def the_outcome(job: LanesOfAJob) -> tuple[JobStatus, Tally]:
    outcome = job.run()
    assert outcome is not None
    return outcome.status, outcome.tests


def test_all_lanes_results_logs_and_files_come_together_in_one_report(tmp_path: Path) -> None:
    tests = """
        import os, time
        import pytest, wainwright
        @pytest.mark.parametrize("n", range(9))
        def test_one(n):
            job = wainwright.current_job()
            job.result(f"pid-{n}", os.getpid())
            job.item(f"item-{n}", True)
            job.log_info(f"says {n}")
            time.sleep(0.2)
    """
    job = LanesOfAJob(tmp_path, suite(tmp_path, 3, tests), 3)

    assert the_outcome(job) == (JobStatus.COMPLETED, Tally(total=9, passed=9))
    results = job.results
    assert results is not None
    assert sorted(name for name in results if name.startswith("item-")) == [f"item-{n}" for n in range(9)]
    assert len({results[f"pid-{n}"] for n in range(9)}) == 3
    assert sorted(line for line in job.lines("INFO") if line.startswith("says")) == [f"says {n}" for n in range(9)]
    reported = job.report_results()["tests"]
    assert [test["title"] for test in reported] == [f"test_one[{n}]" for n in range(9)]
    hrefs = [attachment["href"] for test in reported for attachment in test["attachments"]]
    assert len(set(hrefs)) == len(hrefs) == 9
    assert {href.rpartition("/")[2].partition("-")[0] for href in hrefs} == {"1", "1.1", "1.2"}
    sequences = [event.sequence for kind in EventKind for event in job.events(kind)]
    assert sorted(sequences) == list(range(1, len(sequences) + 1))


def test_a_job_ends_though_no_helper_ever_comes(tmp_path: Path) -> None:
    tests = "import pytest\n@pytest.mark.parametrize('n', range(6))\ndef test_one(n): pass\n"
    job = LanesOfAJob(tmp_path, {"test_it.py": tests}, 4, helpers=0)

    assert the_outcome(job) == (JobStatus.COMPLETED, Tally(total=6, passed=6))


def test_fixtures_of_a_module_are_set_up_once_for_its_tests_in_a_row(tmp_path: Path) -> None:
    tests = """
        import pytest
        @pytest.fixture(scope="module")
        def shop():
            print("opened"); yield; print("closed")
        @pytest.mark.parametrize("n", range(5))
        def test_one(shop, n): pass
    """
    job = LanesOfAJob(tmp_path, {"test_a.py": tests, "test_b.py": tests}, 2, helpers=0)

    assert the_outcome(job)[0] is JobStatus.COMPLETED
    printed = job.lines("INFO")
    assert (printed.count("opened"), printed.count("closed")) == (2, 2)


def test_what_failed_runs_again_in_lanes_and_is_flaky(tmp_path: Path) -> None:
    tests = """
        import pytest, wainwright
        @pytest.mark.parametrize("n", range(6))
        def test_one(n):
            assert n % 3 or wainwright.current_job().attempt == 2
    """
    job = LanesOfAJob(tmp_path, suite(tmp_path, 2, tests), 2, retry=RetryPolicy(max_attempts=2))
    assert the_outcome(job) == (JobStatus.FAILED, Tally(total=6, passed=4, failed=2))

    assert job.finish().status is JobStatus.PENDING
    assert the_outcome(job) == (JobStatus.COMPLETED, Tally(total=6, passed=4, flaky=2))
    attempts = {test["title"]: test["attempts"] for test in job.report_results()["tests"]}
    assert [attempts[f"test_one[{n}]"] for n in range(6)] == [2, 1, 1, 2, 1, 1]


@pytest.mark.parametrize("dies", ["owner", "helper"])
def test_a_test_process_that_dies_in_one_lane_costs_one_test(tmp_path: Path, dies: str) -> None:
    tests = f"""
        import os, pathlib, signal, time
        import pytest
        FOLDER = pathlib.Path({str(tmp_path)!r})
        @pytest.mark.parametrize("n", range(10))
        def test_one(n):
            with (FOLDER / f"ran-{{n}}").open("a") as file: file.write("x")
            helps = any(part.startswith("helper") for part in pathlib.Path.cwd().parts)
            time.sleep(0.1)
            if helps == {dies == "helper"} and not (FOLDER / "died").exists():
                (FOLDER / "died").write_text(str(n))
                os.kill(os.getpid(), signal.SIGSEGV)
    """
    job = LanesOfAJob(tmp_path, suite(tmp_path, 3, tests), 3)

    outcome = job.run()

    assert outcome is not None
    assert (outcome.status, outcome.tests.passed, outcome.tests.total) == (JobStatus.FAILED, 9, 10)
    assert outcome.failure is not None
    assert outcome.failure.category is FailureCategory.SCRIPT_ERROR
    assert "SIGSEGV" in outcome.failure.message
    assert outcome.report is not None
    assert not outcome.report.complete
    assert {file.read_text() for file in tmp_path.glob("ran-*")} == {"x"}
    [left] = job.report_results()["interrupted"]
    assert left["title"] == f"test_one[{(tmp_path / 'died').read_text()}]"


@pytest.mark.thorough
def test_a_lane_that_broke_has_told_so_before_the_owner_can_think_that_all_is_done(tmp_path: Path) -> None:
    tests = f"""
        import os, pathlib, signal, time
        import pytest
        FOLDER = pathlib.Path({str(tmp_path)!r})
        @pytest.mark.parametrize("n", range(4))
        def test_one(n):
            helps = any(part.startswith("helper") for part in pathlib.Path.cwd().parts)
            deadline = time.monotonic() + 60
            if helps:
                while not (FOLDER / "all-else-is-done").exists() and time.monotonic() < deadline:
                    time.sleep(0.02)
                os.kill(os.getpid(), signal.SIGSEGV)
    """
    job = LanesOfAJob(tmp_path, suite(tmp_path, 2, tests), 2)
    lists = job.worker.lists
    write, owner = lists.write, threading.current_thread()

    def writing(job_: Job, work: WorkList) -> None:
        """The store's own; a helper that has left nothing to do goes on when the job has ended without it."""
        write(job_, work)
        if len(job.tests()) == 3:
            (tmp_path / "all-else-is-done").touch()
        deadline = time.monotonic() + 60
        if work.is_finished and threading.current_thread() is not owner and threading.current_thread().name != "leases":
            while job.job.outcome is None and time.monotonic() < deadline:
                time.sleep(0.02)

    lists.write = writing  # type: ignore[method-assign,assignment]
    outcome = job.run()

    assert outcome is not None
    assert outcome.failure is not None
    assert "SIGSEGV" in outcome.failure.message
    assert len(job.report_results()["interrupted"]) == 1


@pytest.mark.thorough
@pytest.mark.browser
def test_a_killed_test_of_a_helper_leaves_its_trace_and_its_log(tmp_path: Path, site: str) -> None:
    tests = """
        import os, pathlib, signal
        import pytest
        @pytest.mark.parametrize("n", range(2))
        def test_one(page, n):
            page.goto("/console.html")
            page.get_by_text("ready").wait_for()
            if any(part.startswith("helper") for part in pathlib.Path.cwd().parts):
                os.kill(os.getpid(), signal.SIGKILL)
    """
    job = LanesOfAJob(tmp_path, suite(tmp_path, 2, tests), 2, url=site)

    outcome = job.run()

    assert outcome is not None
    assert outcome.status is JobStatus.FAILED
    [left] = job.report_results()["interrupted"]
    files = {item["name"]: job.report(item["href"]) for item in left["attachments"]}
    assert {item["href"].rpartition("/")[2].partition("-")[0] for item in left["attachments"]} == {"1.1"}
    assert set(files) == {"trace", "log"}
    assert "the cart is on fire" in files["log"].decode()
    with zipfile.ZipFile(io.BytesIO(files["trace"])) as trace:
        assert b'"method":"goto"' in trace.read("trace.trace")


def test_a_lane_that_collects_other_tests_leaves_and_the_rest_run_everything(tmp_path: Path) -> None:
    tests = """
        import pathlib, time
        import pytest
        helps = any(part.startswith("helper") for part in pathlib.Path.cwd().parts)
        if helps:
            pathlib.Path({folder!r}, "helps").touch()
        @pytest.mark.parametrize("n", range(6), ids=[f"{{helps}}-{{n}}" for n in range(6)])
        def test_one(n):
            deadline = time.monotonic() + 60
            while not pathlib.Path({folder!r}, "helps").exists() and time.monotonic() < deadline:
                time.sleep(0.02)
            time.sleep(0.5)
    """
    job = LanesOfAJob(tmp_path, {"test_it.py": tests.format(folder=str(tmp_path))}, 2)

    assert the_outcome(job) == (JobStatus.COMPLETED, Tally(total=6, passed=6))
    left = [line for line in job.lines("INFO") if line.startswith("lane 1 left")]
    assert len(left) == 1
    assert "stable ids" in left[0]


def test_a_suite_that_cannot_be_collected_fails_once_for_all_lanes(tmp_path: Path) -> None:
    job = LanesOfAJob(tmp_path, {"test_it.py": "import nothing_of_that_name\n"}, 3)

    outcome = job.run()

    assert outcome is not None
    assert outcome.failure is not None
    assert outcome.failure.category is FailureCategory.SCRIPT_ERROR
    assert "nothing_of_that_name" in outcome.failure.message


@pytest.mark.thorough
def test_a_stopped_job_goes_on_in_lanes_with_what_is_left(tmp_path: Path) -> None:
    tests = f"""
        import pathlib, time
        import pytest
        @pytest.mark.parametrize("n", range(12))
        def test_one(n):
            with pathlib.Path({str(tmp_path)!r}, f"ran-{{n}}").open("a") as file: file.write("x")
            time.sleep(0.8)
    """
    job = LanesOfAJob(tmp_path, suite(tmp_path, 2, tests), 2)

    class Stopping:
        """Stops the job when its first test has an outcome."""

        done = False

        def look(self) -> None:
            if not self.done and job.jobs.tests(job.job.project, job.id):
                self.done = True
                job.write(job.job.stop(job.worker.clock()))

    stopping = Stopping()
    record = job.jobs.record

    def recording(*arguments: Any, **named: Any) -> Progress:
        """The store's own."""
        progress = record(*arguments, **named)
        stopping.look()
        return progress

    job.jobs.record = recording  # type: ignore[method-assign]
    outcome = job.run()
    assert outcome is not None
    assert outcome.status is JobStatus.STOPPED
    assert 1 <= outcome.tests.passed < 12
    assert job.finish().status is JobStatus.STOPPED

    job.write(job.job.resume(job.worker.clock()))
    assert the_outcome(job) == (JobStatus.COMPLETED, Tally(total=12, passed=12))
    assert {file.read_text() for file in tmp_path.glob("ran-*")} == {"x"}


@pytest.mark.thorough
def test_the_jobs_timeout_holds_in_every_lane(tmp_path: Path) -> None:
    tests = """
        import time
        import pytest
        @pytest.mark.parametrize("n", range(6))
        def test_one(n):
            time.sleep(60 if n < 3 else 0.1)
    """
    job = LanesOfAJob(tmp_path, suite(tmp_path, 3, tests), 3, timeout_ms=15_000)

    outcome = job.run()

    assert outcome is not None
    assert outcome.failure is not None
    assert outcome.failure.category is FailureCategory.JOB_TIMEOUT
    assert (outcome.tests.total, outcome.tests.failed) == (6, 3)
    errors = {test["title"]: test["errors"] for test in job.report_results()["tests"]}
    assert all("time of the whole suite ran out" in errors[f"test_one[{n}]"][0]["message"] for n in range(3))


def test_a_cancel_keeps_what_the_running_test_of_each_lane_had_left(tmp_path: Path) -> None:
    tests = """
        import time
        import pytest, wainwright
        @pytest.mark.parametrize("n", range(4))
        def test_one(n):
            print(f"began {n}")
            wainwright.current_job().progress(n)
            time.sleep(300)
    """
    job = LanesOfAJob(tmp_path, suite(tmp_path, 2, tests), 2)
    record = job.jobs.record
    told: list[NewEvent] = []

    def recording(*arguments: Any, **named: Any) -> Progress:
        """The store's own; when both lanes are in a test, the job is canceled."""
        progress = record(*arguments, **named)
        new = [event for event in named["events"] if event.kind is EventKind.PROGRESS]
        told.extend(new)
        if new and len(told) == 2:
            job.write(job.job.cancel(job.worker.clock()))
        return progress

    job.jobs.record = recording  # type: ignore[method-assign]

    outcome = job.run()

    assert outcome is not None
    assert (outcome.status, outcome.tests) == (JobStatus.CANCELED, Tally(total=4))
    results = job.report_results()
    assert len(results["interrupted"]) == 2, "one test of the owner, one of its helper"
    assert not results["complete"]
    hrefs = [item["href"] for left in results["interrupted"] for item in left["attachments"] if item["name"] == "log"]
    assert {href.rpartition("/")[2].partition("-")[0] for href in hrefs} == {"1", "1.1"}
    for left, href in zip(results["interrupted"], hrefs, strict=True):
        assert f"began {left['title'][-2]}" in job.report(href).decode()
