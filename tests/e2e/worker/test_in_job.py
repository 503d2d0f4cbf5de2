"""What test code hands back to its job, by real suites that a real worker runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.worker.one_worker import OneWorker
from wainwright.adapters.clock import system_clock
from wainwright.contracts.events import EventKind
from wainwright.domain.failures import FailureCategory
from wainwright.domain.jobs import JobDetail
from wainwright.domain.retry import RetryPolicy
from wainwright.domain.states import JobStatus

pytestmark = pytest.mark.browser

TELLING = """
    import pytest
    import wainwright

    def test_knows_its_job(job):
        assert job is wainwright.current_job()
        assert (job.label, job.url, job.attempt) == ("nightly", "http://127.0.0.1:9/", 1)
        assert job.params == {"articles": ["lantern"], "much": "x" * 150_000}
        job.result("jobId", job.id)

    def test_tells(job):
        print("printed by the test")
        wainwright.log_info("looking", article="lantern")
        job.log_error("out of stock", article="lantern")
        job.progress(12.5, "looked")
        job.result("price", 12)
        job.result({"price": 13, "currency": "CHF"})
        job.item("lantern", ok=True, response={"stock": 0})
        job.item("rucksack", ok=False, error_message="gone")

    def test_fails(job):
        job.result("seen", True)
        assert job is None, "on purpose"

    @pytest.mark.parametrize("wrong", [
        lambda job: job.log_info(""),
        lambda job: job.log_error("x" * 10_001),
        lambda job: job.log_info("x", value=object()),
        lambda job: job.log_info("x", value="x" * 11_000),
        lambda job: job.progress(101),
        lambda job: job.result("big", "x" * 200_001),
        lambda job: job.result("not a number", float("nan")),
        lambda job: job.result("", 1),
        lambda job: job.result("itemsNote", 1),
        lambda job: job.item("", ok=True),
        lambda job: job.item("big", ok=True, response="x" * 64_001),
    ], ids=str)
    def test_refuses(job, wrong):
        with pytest.raises(ValueError):
            wrong(job)

    def test_has_no_credentials():
        import os
        assert [name for name in os.environ if name.startswith("AWS_")] == []
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> OneWorker:
    params = {"articles": ["lantern"], "much": "x" * 150_000}
    files = {"test_telling.py": TELLING.replace("], ids=str)", "], ids=[str(number) for number in range(11)])")}
    detail = JobDetail(params=params)
    one = OneWorker(tmp_path_factory.mktemp("told"), files, detail, label="nightly", url="http://127.0.0.1:9/")
    one.run()
    return one


def test_only_the_test_that_fails_on_purpose_fails(told: OneWorker) -> None:
    assert [name for name, outcome in told.outcomes().items() if outcome != "passed"] == ["test_fails"]


def test_results_are_kept_also_when_the_job_failed(told: OneWorker) -> None:
    assert told.job.outcome is not None
    assert told.job.outcome.status is JobStatus.FAILED
    assert told.results == {
        "jobId": told.id,
        "price": 13,
        "currency": "CHF",
        "seen": True,
        "lantern": {"status": "ok", "response": {"stock": 0}},
        "rucksack": {"status": "error", "errorMessage": "gone"},
    }


def test_the_log_has_what_was_logged_printed_and_failed(told: OneWorker) -> None:
    lines = {entry.message: entry for entry in told.log()}
    assert [line for line in lines if line.startswith("test_telling.py::test_fails: ")] == told.lines("ERROR")[1:]
    assert told.lines("ERROR")[0] == "out of stock"
    assert told.lines("INFO") == ["looking", "printed by the test"]
    assert lines["looking"].additional_info == {"article": "lantern", "testId": "test_telling.py::test_tells"}


def test_an_error_in_the_log_marks_the_job_while_it_runs(tmp_path: Path) -> None:
    suite = "import wainwright\ndef test_a():\n    wainwright.log_error('not so good')\n"
    one = OneWorker(tmp_path, {"test_a.py": suite})

    outcome = one.run()

    assert outcome is not None
    assert (outcome.status, outcome.failure) == (JobStatus.COMPLETED, None)
    assert one.job.has_errors


def test_lines_and_progress_become_events(told: OneWorker) -> None:
    [progress] = told.events(EventKind.PROGRESS)
    assert progress.data == {"percent": 12, "message": "looked"}
    logged = [(event.data["level"], event.data["message"]) for event in told.events(EventKind.LOG)]
    assert ("INFO", "looking") in logged
    assert ("ERROR", "out of stock") in logged


SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"cartOperations": {"type": "boolean"}, "steps": {"type": "array", "items": {"type": "integer"}}},
    "required": ["cartOperations"],
}


@pytest.mark.parametrize(
    ("results", "error"),
    [
        ({"cartOperations": True, "steps": [1, 2]}, None),
        ({"cartOperations": "yes"}, "results/cartOperations: 'yes' is not of type 'boolean'"),
        ({"cartOperations": True, "steps": [1, "two"]}, "results/steps/1: 'two' is not of type 'integer'"),
        ({}, "results/cartOperations: 'cartOperations' is a required property"),
    ],
)
def test_results_have_to_fit_the_output_schema(tmp_path: Path, results: dict[str, Any], error: str | None) -> None:
    suite = f"def test_a(job):\n    job.result({results!r})\n"
    one = OneWorker(tmp_path, {"test_a.py": suite}, JobDetail(output_schema=SCHEMA))

    outcome = one.run()

    assert outcome is not None
    if error is None:
        assert (outcome.status, outcome.failure) == (JobStatus.COMPLETED, None)
    else:
        assert outcome.failure is not None
        assert (outcome.failure.category, outcome.failure.message) == (FailureCategory.OUTPUT_SCHEMA, error)
        assert one.lines("ERROR") == [f"output_schema: {error}"]
    assert one.results == (results or None)
    assert outcome.tests.passed == 1


def test_a_thousand_items_are_kept_and_the_rest_is_said_to_be_cut(tmp_path: Path) -> None:
    suite = "def test_a(job):\n    for n in range(1_003):\n        job.item(f'item-{n}', ok=True)\n"
    one = OneWorker(tmp_path, {"test_a.py": suite})

    one.run()

    results = one.results or {}
    assert results.pop("itemsNote") == "more than 1,000 items were reported; the first 1,000 are kept"
    assert list(results) == [f"item-{number}" for number in range(1_000)]


TWICE = """
    def test_passes(job):
        job.result({"passes": job.attempt, "both": "passes"})
        job.item("a", ok=True)

    def test_fails_at_first(job):
        job.result({"fails": job.attempt, "both": f"fails {job.attempt}"})
        assert job.attempt > 1
"""


def test_a_retry_of_what_failed_adds_to_the_results_of_what_had_passed(tmp_path: Path) -> None:
    one = OneWorker(tmp_path, {"test_twice.py": TWICE}, retry=RetryPolicy(max_attempts=2, delay_ms=0))
    one.run()
    first = one.results
    assert one.finish().status is JobStatus.PENDING

    outcome = one.run()

    assert outcome is not None
    assert (outcome.status, outcome.flaky_tests) == (
        JobStatus.COMPLETED,
        ("test_twice.py::test_fails_at_first",),
    )
    assert first == {"passes": 1, "fails": 1, "both": "fails 1", "a": {"status": "ok"}}
    assert one.results == {"passes": 1, "fails": 2, "both": "fails 2", "a": {"status": "ok"}}


def test_a_retry_of_everything_leaves_out_what_was_before(tmp_path: Path) -> None:
    suite = """
        def test_passes(job):
            if job.attempt == 1:
                job.result("old", True)

        def test_fails_at_first(job):
            assert job.attempt > 1
    """
    one = OneWorker(tmp_path, {"test_twice.py": suite})
    one.run()
    before = one.results
    one.write(one.finish().try_again(system_clock(), only_failed=False))

    outcome = one.run()

    assert outcome is not None
    assert outcome.status is JobStatus.COMPLETED
    assert outcome.tests.model_dump() == {
        "total": 2,
        "passed": 2,
        "failed": 0,
        "flaky": 0,
        "skipped": 0,
        "quarantined": 0,
    }
    assert (before, one.results) == ({"old": True}, None)
    assert len(one.report_results()["tests"]) == 2


def test_several_scripts_are_one_report(tmp_path: Path) -> None:
    files = {
        "test_cart.py": "def test_cart(job):\n    job.result('cart', 1)\n",
        "test_search.py": "def test_search(job):\n    job.result('search', 2)\n",
        "helpers.py": "",
    }
    one = OneWorker(tmp_path, files)

    outcome = one.run()

    assert outcome is not None
    assert outcome.status is JobStatus.COMPLETED
    assert one.results == {"cart": 1, "search": 2}
    assert {test["file"] for test in one.report_results()["tests"]} == {"test_cart.py", "test_search.py"}
    assert b"playwrightReportBase64" in one.report("index.html")


MANY = """
    import time
    import pytest

    @pytest.mark.parametrize("number", range(30))
    def test_number(job, number):
        time.sleep(0.3)
        job.item(f"ran-{number}", ok=True, response=job.params["turn"])
"""


def test_a_stop_keeps_what_has_passed_and_a_resume_runs_the_rest(tmp_path: Path) -> None:
    one = OneWorker(tmp_path, {"test_many.py": MANY}, JobDetail(params={"turn": 1}))
    stop_at_the_first_outcome(one)

    stopped = one.run()

    assert stopped is not None
    assert stopped.status is JobStatus.STOPPED
    ran = set(one.outcomes())
    assert 0 < len(ran) < 30
    assert len(one.report_results()["tests"]) >= len(ran)
    assert one.finish().status is JobStatus.STOPPED

    detail = JobDetail(params={"turn": 2}, results=one.results)
    one.jobs.set_detail(one.job, detail)
    one.write(one.job.resume(system_clock()))
    outcome = one.run()

    assert outcome is not None
    assert (outcome.status, outcome.tests.passed, outcome.tests.total) == (JobStatus.COMPLETED, 30, 30)
    turns = {name: item["response"] for name, item in (one.results or {}).items()}
    assert turns == {f"ran-{n}": 1 if f"test_number[{n}]" in ran else 2 for n in range(30)}


def stop_at_the_first_outcome(one: OneWorker) -> None:
    """Have the job asked to stop as soon as a test of it is recorded."""
    record = one.jobs.record

    def recording(*args: Any, **more: Any) -> Any:
        progress = record(*args, **more)
        if more.get("tests"):
            one.jobs.record = record  # type: ignore[method-assign]
            one.write(one.job.stop(system_clock()))
        return progress

    one.jobs.record = recording  # type: ignore[method-assign]


def test_a_resumed_job_with_nothing_left_to_run_is_completed(tmp_path: Path) -> None:
    one = OneWorker(tmp_path, {"test_a.py": "def test_a(job):\n    job.result('a', 1)\n"})
    one.run()
    at_rest = {"status": JobStatus.STOPPED, "outcome": None, "admitted_at": None}
    one.write(one.job.model_copy(update=at_rest))
    one.write(one.job.resume(system_clock()))

    outcome = one.run()

    assert outcome is not None
    assert (outcome.status, outcome.tests.passed, one.results) == (JobStatus.COMPLETED, 1, {"a": 1})


def test_errors_of_the_suite_itself_are_in_the_log(tmp_path: Path) -> None:
    one = OneWorker(tmp_path, {"test_a.py": "def test_a(:\n", "test_b.py": "import no_such_module\n"})
    one.run()
    errors = one.lines("ERROR")
    assert [line.partition(": ")[0] for line in errors] == ["test_a.py", "test_b.py"]
    assert one.job.has_errors


def test_the_config_of_the_job_reaches_its_browser(tmp_path: Path) -> None:
    suite = """
        def test_a(page, browser_name):
            assert browser_name == "chromium"
            assert page.evaluate("[innerWidth, innerHeight]") == [800, 600]
    """
    config = {"browser": "chromium", "viewport": {"width": 800, "height": 600}, "trace": "off", "screenshot": "off"}
    one = OneWorker(tmp_path, {"test_a.py": suite}, JobDetail(config=config))

    outcome = one.run()

    assert outcome is not None
    assert (outcome.status, outcome.failure) == (JobStatus.COMPLETED, None)


def test_what_the_suite_says_after_its_last_test_is_kept(tmp_path: Path) -> None:
    conftest = """
        import wainwright

        def pytest_sessionfinish(session):
            wainwright.log_info("the end", failed=session.testsfailed)
            wainwright.current_job().result("failed", session.testsfailed)
    """
    one = OneWorker(tmp_path, {"conftest.py": conftest, "test_a.py": "def test_a():\n    print('hello')\n"})

    one.run()

    assert one.lines("INFO") == ["hello", "the end"]
    assert one.results == {"failed": 0}
