"""What a suite's ending makes of the job's run."""

import pytest

from wainwright.domain.failures import FailureCategory
from wainwright.domain.reports import ReportRef
from wainwright.domain.states import JobStatus
from wainwright.domain.tests import Tally
from wainwright.worker.run.suite_outcome import decide_outcome
from wainwright.worker.runners.suite import ErrorKind, SuiteEnd, SuiteError, TestError, TestResult

REPORT = ReportRef(fence=1, complete=True, viewer="1.65")
ALL_PASSED = Tally(total=2, passed=2)


def _outcome(
    end: SuiteEnd, tally: Tally = ALL_PASSED, failed: list[TestResult] | None = None, report: ReportRef = REPORT
) -> tuple[JobStatus, FailureCategory | None, str]:
    outcome = decide_outcome(end, failed or [], tally, fence=1, report=report, timeout_ms=1_000)
    failure = outcome.failure
    return outcome.status, failure.category if failure else None, failure.message if failure else ""


def _failed(kind: ErrorKind, message: str = "it broke") -> TestResult:
    errors = (TestError(message, kind=kind),)
    return TestResult(
        "test_a.py::test_a", "test_a.py", 1, "test_a", "failed", 5.0, "2026-01-01T00:00:00Z", errors=errors
    )


def test_a_suite_whose_tests_all_passed_is_completed() -> None:
    assert _outcome(SuiteEnd("finished", exit_code=0, collected=2)) == (JobStatus.COMPLETED, None, "")


def test_a_successor_with_nothing_left_to_run_is_judged_by_what_is_recorded() -> None:
    end = SuiteEnd("finished", exit_code=5, collected=0, deselected=2)

    assert _outcome(end) == (JobStatus.COMPLETED, None, "")
    status, category, _ = _outcome(end, Tally(total=2, passed=1, failed=1), [_failed("assertion")])
    assert (status, category) == (JobStatus.FAILED, FailureCategory.ASSERTION)


@pytest.mark.parametrize(
    ("kind", "category"),
    [
        ("assertion", FailureCategory.ASSERTION),
        ("test_timeout", FailureCategory.TEST_TIMEOUT),
        ("navigation", FailureCategory.NAVIGATION),
        ("script_error", FailureCategory.SCRIPT_ERROR),
        ("other", FailureCategory.SCRIPT_ERROR),
    ],
)
def test_a_failed_test_gives_its_kind_and_its_first_line(kind: ErrorKind, category: FailureCategory) -> None:
    tally = Tally(total=1, failed=1)

    status, found, message = _outcome(
        SuiteEnd("finished", exit_code=1, collected=1), tally, [_failed(kind, "one\ntwo")]
    )

    assert (status, found) == (JobStatus.FAILED, category)
    assert message == "test_a.py::test_a: one"


@pytest.mark.parametrize(
    ("end", "category", "words"),
    [
        (SuiteEnd("no_tests", exit_code=5), FailureCategory.SCRIPT_ERROR, "no tests"),
        (SuiteEnd("finished", exit_code=0), FailureCategory.SCRIPT_ERROR, "no test was run"),
        (SuiteEnd("usage_error", exit_code=4, stderr="bad option"), FailureCategory.SCRIPT_ERROR, "bad option"),
        (SuiteEnd("crashed", signal=11), FailureCategory.SCRIPT_ERROR, "signal 11"),
        (SuiteEnd("timed_out"), FailureCategory.JOB_TIMEOUT, "1000 ms"),
        (SuiteEnd("out_of_memory", signal=9, oom_kills=1), FailureCategory.OUT_OF_MEMORY, "memory"),
        (SuiteEnd("out_of_memory", signal=9, oom_kills=0), FailureCategory.SCRIPT_ERROR, "killed"),
        (
            SuiteEnd("browser_missing", errors=(SuiteError("no chromium"),)),
            FailureCategory.INFRASTRUCTURE,
            "no chromium",
        ),
    ],
)
def test_a_suite_that_did_not_run_its_tests_never_passes(end: SuiteEnd, category: FailureCategory, words: str) -> None:
    status, found, message = _outcome(end, Tally())

    assert (status, found) == (JobStatus.FAILED, category)
    assert words in message


def test_a_file_that_cannot_be_loaded_is_named_with_its_line() -> None:
    end = SuiteEnd("collection_error", errors=(SuiteError("'(' was never closed", "test_b.py", 3),))

    assert _outcome(end, Tally())[2] == "test_b.py:3: '(' was never closed"


def test_passing_without_a_complete_report_is_no_pass() -> None:
    incomplete = REPORT.model_copy(update={"complete": False})

    status, category, _ = _outcome(SuiteEnd("finished", exit_code=0, collected=2), report=incomplete)

    assert (status, category) == (JobStatus.FAILED, FailureCategory.INFRASTRUCTURE)


def test_tests_without_an_outcome_are_no_pass() -> None:
    end = SuiteEnd("finished", exit_code=0, collected=2, unfinished=("test_a.py::test_b",))

    assert _outcome(end, Tally(total=2, passed=1))[:2] == (JobStatus.FAILED, FailureCategory.SCRIPT_ERROR)


@pytest.mark.parametrize(("reason", "status"), [("stopped", JobStatus.STOPPED), ("canceled", JobStatus.CANCELED)])
def test_what_was_asked_for_is_what_it_came_to(reason: str, status: JobStatus) -> None:
    end = SuiteEnd("stopped") if reason == "stopped" else SuiteEnd("canceled")

    assert _outcome(end, Tally(total=2, passed=1))[:2] == (status, None)


def test_passing_tests_are_not_enough_where_the_report_could_not_be_stored() -> None:
    report = REPORT.with_missing(
        ["index.html", *(f"data/1-{number}-a.png" for number in range(6))], "S3 answered SlowDown"
    )

    status, category, message = _outcome(SuiteEnd("finished", exit_code=0, collected=2), report=report)

    assert (status, category) == (JobStatus.FAILED, FailureCategory.INFRASTRUCTURE)
    assert message == (
        "all tests passed, but 7 files of the report could not be uploaded (S3 answered SlowDown): "
        "index.html, data/1-0-a.png, data/1-1-a.png, data/1-2-a.png, data/1-3-a.png, 2 more"
    )


def test_what_the_report_lacks_does_not_hide_what_failed() -> None:
    report = REPORT.with_missing(["index.html"], "S3 answered SlowDown")
    failed = Tally(total=1, failed=1)

    assert _outcome(SuiteEnd("finished", exit_code=1), failed, [_failed("assertion")], report)[1] == "assertion"
    assert _outcome(SuiteEnd("timed_out"), ALL_PASSED, report=report)[1] == "job_timeout"
    assert _outcome(SuiteEnd("canceled"), ALL_PASSED, report=report)[0] is JobStatus.CANCELED
    assert _outcome(SuiteEnd("stopped"), ALL_PASSED, report=report)[0] is JobStatus.STOPPED
