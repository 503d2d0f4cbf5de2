"""What ``wainwright run`` says of the tests that failed."""

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
    assert "can read the report, until" in output
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
    assert "and 3 more failing: the report has them all" in lines
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
