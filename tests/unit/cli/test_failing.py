"""What ``wainwright run`` says of the tests that failed."""

import json
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Run
from tests.unit.cli.test_run import BROKEN, RUNNING, TRACE, outcome_of
from tests.unit.client.fake_api import JOB_ID, FakeApi, ended
from wainwright.domain.failures import FailureCategory
from wainwright.domain.states import JobStatus
from wainwright.domain.tests import Tally

TRACED = [{"name": "screenshot", "href": "data/1-0-s.png"}, TRACE]


@pytest.fixture
def failing(api: FakeApi) -> FakeApi:
    kind, told = BROKEN
    api.segments = [[RUNNING], [outcome_of("test_a", attachments=TRACED), (kind, told | {"attachments": TRACED})]]
    api.final = ended(JobStatus.FAILED, tests=Tally(total=2, passed=1, failed=1), category=FailureCategory.ASSERTION)
    return api


def paragraph(output: str, title: str) -> list[str]:
    """The lines about one failing test."""
    lines = output.splitlines()
    first = lines.index(title)
    return [line.strip() for line in lines[first + 1 : lines.index("", first)]]


def test_shows_each_failing_test_with_its_place_its_error_and_the_link_to_its_trace(
    failing: FakeApi, wainwright: Run, suite: Path
) -> None:
    output = wainwright("run", suite).stdout

    base = f"{failing.url}/r/t/"
    assert paragraph(output, "1) test_cart") == [
        "pages/cart.py:41, of test_it.py:3",
        "AssertionError: 3 [items] in cart\N{REPLACEMENT CHARACTER}",
        "more",
        f"trace  {base}trace/index.html?trace={base}data/1-2-trace.zip",
    ]
    assert "can read the report until" in output
    assert "2) " not in output


def test_failing_tests_come_as_they_ran_and_no_more_than_can_be_read(
    api: FakeApi, wainwright: Run, suite: Path
) -> None:
    tests = [outcome_of(f"test_{99 - number}", "failed", errors=[{"message": "x"}]) for number in range(23)]
    api.segments = [[RUNNING], [outcome_of("test_fine"), *tests]]
    api.final = ended(JobStatus.FAILED, tests=Tally(total=24, passed=1, failed=23), category=FailureCategory.ASSERTION)

    lines = wainwright("run", suite).stdout.splitlines()

    shown = [line for line in lines if line[:1].isdigit() and ") test_" in line]
    assert shown == [f"{number + 1}) test_{99 - number}" for number in range(20)]
    assert "and 3 more failed: the report has all of them" in lines
    assert not [line for line in lines if "trace  " in line or "can read the report" in line]


def test_long_errors_are_cut(api: FakeApi, wainwright: Run, suite: Path) -> None:
    message = "\n".join(["x" * 300, *(f"line {number}" for number in range(2, 10))])
    api.segments = [[RUNNING], [outcome_of("test_long", "failed", errors=[{"message": message}])]]
    api.final = ended(JobStatus.FAILED, tests=Tally(total=1, failed=1), category=FailureCategory.ASSERTION)

    told = paragraph(wainwright("run", suite).stdout, "1) test_long")

    assert told == [
        "test_it.py:3", "x" * 199 + "…", *(f"line {number}" for number in range(2, 7)), "… 3 lines more",
    ]  # fmt: skip


def test_passing_and_skipped_tests_get_no_paragraph_and_no_ticket(api: FakeApi, wainwright: Run, suite: Path) -> None:
    tests = [outcome_of("test_a", attachments=TRACED), outcome_of("test_b", "skipped", errors=[{"message": "why"}])]
    api.segments = [[RUNNING], tests]
    api.final = ended(JobStatus.COMPLETED, tests=Tally(total=2, passed=1, skipped=1))

    assert "1) " not in wainwright("run", suite).stdout
    assert not [request for request in api.asked if request.url.path.endswith("/ticket")]


def test_without_a_ticket_it_says_by_which_command_the_trace_opens(
    failing: FakeApi, wainwright: Run, suite: Path
) -> None:
    failing.segments[1][1][1]["attachments"] = TRACED
    failing.no_tickets = True

    result = wainwright("run", suite)

    assert result.exit_code == 1
    assert "warning: no links to traces: " in result.stderr
    command = f"trace  wainwright report open {JOB_ID} --trace data/1-2-trace.zip"
    assert paragraph(result.stdout, "1) test_cart")[-1] == command


# Later: jobs get and jobs wait


def reported_test(name: str, outcome: str, **more: object) -> dict[str, object]:
    """A test as results.json has it."""
    return {
        "id": f"test_it.py::{name}", "title": name, "file": "test_it.py", "line": 3, "outcome": outcome,
        "durationMs": 840.0, "startedAt": "2026-11-22T02:42:45.123Z", "attempts": 1, "errors": [], "attachments": [],
        "annotations": [], "of a later version": 1,
    } | more  # fmt: skip


@pytest.fixture
def over(api: FakeApi) -> FakeApi:
    """A job that has ended, with its report."""
    error = {"message": "AssertionError: 3 in cart\nmore", "file": "pages/cart.py", "line": 41, "kind": "assertion"}
    trace = {"name": "trace", "contentType": "application/zip", "href": "data/1-2-trace.zip", "sizeBytes": 5}
    lost = {"name": "video", "contentType": "video/webm", "href": None}
    tests = [
        reported_test("test_a", "passed"),
        reported_test("test_cart", "failed", errors=[error], attachments=[trace, lost]),
    ]
    api.report["results.json"] = json.dumps({"version": 1, "tests": tests}).encode()
    api.final = ended(JobStatus.FAILED, tests=Tally(total=2, passed=1, failed=1), category=FailureCategory.ASSERTION)
    return api


@pytest.mark.parametrize(("command", "code"), [("get", 0), ("wait", 1)])
def test_a_job_that_is_over_is_shown_with_its_failing_tests(
    over: FakeApi, wainwright: Run, command: str, code: int
) -> None:
    result = wainwright("jobs", command, JOB_ID)

    base = f"{over.url}/r/t/"
    assert result.exit_code == code
    assert paragraph(result.stdout, "1) test_cart") == [
        "pages/cart.py:41, of test_it.py:3", "AssertionError: 3 in cart", "more",
        f"trace  {base}trace/index.html?trace={base}data/1-2-trace.zip",
    ]  # fmt: skip
    assert "2) " not in result.stdout


@pytest.mark.parametrize("command", ["get", "wait"])
def test_a_record_is_alone_on_standard_output(over: FakeApi, wainwright: Run, command: str) -> None:
    assert json.loads(wainwright("jobs", command, JOB_ID, "--json").stdout)["id"] == JOB_ID


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "has no file"), (b"{", "is not readable: 1 error"), (b'{"tests": [{}]}', "is not readable: 4 errors"),
        (b"[]", "is not readable: 1 error"),
    ],
)  # fmt: skip
def test_failing_tests_that_cannot_be_read_are_a_warning(
    over: FakeApi, wainwright: Run, content: bytes | None, why: str
) -> None:
    if content is None:
        del over.report["results.json"]
    else:
        over.report["results.json"] = content

    result = wainwright("jobs", "get", JOB_ID)

    assert result.exit_code == 0
    assert "failed" in result.stdout
    assert "warning: the failed tests cannot be shown: the report" in result.stderr
    assert why in result.stderr.splitlines()[-1]


def test_of_a_job_that_passed_no_report_is_read(api: FakeApi, wainwright: Run) -> None:
    assert wainwright("jobs", "get", JOB_ID).exit_code == 0
    assert not [request for request in api.asked if "report" in request.url.path]
