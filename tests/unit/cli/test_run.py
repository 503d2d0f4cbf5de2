"""``wainwright run`` against a fake of the API."""

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.unit.cli.conftest import Run
from tests.unit.client.fake_api import JOB_ID, KEY, FakeApi, ended, manifest
from wainwright.client import RetryRules
from wainwright.domain.failures import FailureCategory
from wainwright.domain.states import JobStatus
from wainwright.domain.tests import Tally

RUNNING = ("status", {"status": "running", "attempt": 1})
COLLECTED = ("collected", {"total": 2})


def outcome_of(name: str, outcome: str = "passed", **changes: Any) -> tuple[str, dict[str, Any]]:
    told = {"id": f"test_it.py::{name}", "title": name, "file": "test_it.py", "line": 3, "outcome": outcome}
    return "test", told | {"durationMs": 840.0, "attempt": 1, "errors": [], "attachments": []} | changes


BROKEN = outcome_of(
    "test_cart", "failed",
    errors=[{"message": "\nAssertionError: 3 [items] in \x1b[31mcart\x1b[0m\x07\n  more", "file": "pages/cart.py", "line": 41}],
)  # fmt: skip


TRACE = {"name": "trace", "href": "data/1-2-trace.zip"}


@pytest.fixture
def passing(api: FakeApi) -> FakeApi:
    api.segments = [[RUNNING, COLLECTED], [outcome_of("test_a"), outcome_of("test_b[x]", "skipped")]]
    api.final = ended(JobStatus.COMPLETED, tests=Tally(total=2, passed=1, skipped=1))
    return api


@pytest.fixture
def failing(api: FakeApi) -> FakeApi:
    api.segments = [[RUNNING, COLLECTED], [outcome_of("test_a"), BROKEN]]
    api.final = ended(JobStatus.FAILED, tests=Tally(total=2, passed=1, failed=1), category=FailureCategory.ASSERTION)
    return api


def created(api: FakeApi) -> dict[str, Any]:
    """The body of the request that created the job."""
    bodies = [request.content for request in api.asked if (request.method, request.url.path) == ("POST", "/v1/jobs")]
    assert len(bodies) == 1
    found: dict[str, Any] = json.loads(bodies[0])
    return found


# How it ends


def test_shows_each_test_and_exits_0_when_all_passed(passing: FakeApi, wainwright: Run, suite: Path) -> None:
    result = wainwright("run", suite)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert "running" in lines
    assert "2 tests" in lines
    assert "passed   test_a  0.8 s" in lines
    assert "completed  2 tests: 1 passed, 1 skipped in 3.1 s" in lines
    assert f"report   wainwright report open {JOB_ID}" in lines
    assert "test_b[x]" in result.stdout  # brackets are no markup


def test_names_the_failing_line_and_the_errors_first_line_and_exits_1(
    failing: FakeApi, wainwright: Run, suite: Path
) -> None:
    result = wainwright("run", suite)
    assert result.exit_code == 1
    row = next(
        line for line in result.stdout.splitlines() if line.startswith("failed   test_cart  ") and "0.8 s  " in line
    )
    assert row.split("  ")[1:] or row
    assert "pages/cart.py:41" in row
    assert "AssertionError: 3 [items] in cart\N{REPLACEMENT CHARACTER}" in row
    assert "more" not in row
    assert "assertion: what happened" in result.stdout


def test_names_what_of_the_report_could_not_be_uploaded(failing: FakeApi, wainwright: Run, suite: Path) -> None:
    lacks = {
        "complete": False, "missing": [f"data/1-{number}-trace.zip" for number in range(50)], "missing_count": 60,
        "missing_reason": "S3 answered SlowDown",
    }  # fmt: skip
    report = failing.final.report.model_copy(update=lacks)
    failing.final = failing.final.model_copy(update={"report": report})

    result = wainwright("run", suite)

    (line,) = [line for line in result.stdout.splitlines() if line.startswith("missing")]
    assert line.startswith("missing  data/1-0-trace.zip, ")
    assert line.endswith("data/1-4-trace.zip, 55 more: could not be uploaded (S3 answered SlowDown)")
    assert line in " ".join(wainwright("jobs", "get", JOB_ID).stdout.split()).replace("missing ", "missing  ", 1)


@pytest.mark.parametrize("category", [FailureCategory.WORKER_LOST, FailureCategory.INFRASTRUCTURE])
def test_exits_3_when_the_platform_failed(
    api: FakeApi, wainwright: Run, suite: Path, category: FailureCategory
) -> None:
    api.final = ended(JobStatus.FAILED, tests=Tally(), category=category, report=False)
    result = wainwright("run", suite)
    assert result.exit_code == 3
    assert "report   none" in result.stdout


@pytest.mark.parametrize(
    "category", sorted(set(FailureCategory) - {FailureCategory.WORKER_LOST, FailureCategory.INFRASTRUCTURE})
)
def test_exits_1_for_every_other_failure(api: FakeApi, wainwright: Run, suite: Path, category: FailureCategory) -> None:
    api.final = ended(JobStatus.FAILED, tests=Tally(), category=category)
    assert wainwright("run", suite).exit_code == 1


@pytest.mark.parametrize("status", [JobStatus.CANCELED, JobStatus.SKIPPED, JobStatus.STOPPED])
def test_exits_1_when_the_job_was_ended_by_somebody(
    api: FakeApi, wainwright: Run, suite: Path, status: JobStatus
) -> None:
    api.final = ended(status, tests=Tally(), report=False)
    assert wainwright("run", suite).exit_code == 1


def test_exits_5_when_waiting_takes_too_long_and_says_that_the_job_goes_on(
    api: FakeApi, wainwright: Run, suite: Path
) -> None:
    api.stays_pending = True
    result = wainwright("run", suite, "--wait-timeout", "0.05")
    assert result.exit_code == 5
    assert f"error: job {JOB_ID} has not ended within 0.05 s." in result.stderr
    assert f"wainwright jobs cancel {JOB_ID}" in result.stderr
    assert not api.canceled


@pytest.mark.parametrize(
    "broken",
    [
        httpx.Response(500, json={"message": "Internal Server Error"}),
        httpx.Response(503),
        httpx.Response(200, text="?"),
    ],
)
def test_keeps_sight_of_a_job_whose_events_are_lost(
    failing: FakeApi, wainwright: Run, suite: Path, monkeypatch: pytest.MonkeyPatch, broken: httpx.Response
) -> None:
    def lose(_request: httpx.Request) -> httpx.Response:
        failing.segments.clear()
        return broken

    monkeypatch.setattr(RetryRules, "pause", lambda _, attempt, *_rest, tries=None: 0.0 if attempt < 5 else None)
    monkeypatch.setattr(failing, "_segment", lose)
    result = wainwright("run", suite)
    assert result.exit_code == 1
    assert "assertion: what happened" in result.stdout
    assert "connection is lost" not in result.stderr


def test_leaves_the_job_alone_on_ctrl_c_and_says_how_to_cancel_it(api: FakeApi, wainwright: Run, suite: Path) -> None:
    api.stays_pending = True
    api.on_events = lambda: signal.raise_signal(signal.SIGINT)
    result = wainwright("run", suite)
    assert result.exit_code == 130
    assert f"The job continues. Show it: `wainwright jobs get {JOB_ID}`." in result.stderr
    assert not api.canceled


def test_a_test_that_ran_again_is_one_row_as_it_ended_last(api: FakeApi, wainwright: Run, suite: Path) -> None:
    api.segments = [[BROKEN], [outcome_of("test_cart", "flaky", attempt=2)]]
    api.final = ended(JobStatus.COMPLETED, tests=Tally(total=1, flaky=1))
    result = wainwright("run", suite)
    table = result.stdout.partition("Outcome")[2]
    assert result.exit_code == 0
    assert table.count("test_cart") == 1
    assert "flaky" in table


def test_updates_that_are_told_twice_are_shown_once(passing: FakeApi, wainwright: Run, suite: Path) -> None:
    passing.segments = [passing.segments[0], *[[outcome_of("test_a")]] * 3]
    assert wainwright("run", suite).stdout.count("passed   test_a") == 2  # one line, one row


def test_shows_what_the_suite_printed_only_when_no_test_tells_what_went_wrong(
    failing: FakeApi, wainwright: Run, suite: Path
) -> None:
    printed = ("log", {"level": "INFO", "message": "E   SyntaxError: [no]\x1b[1m", "testId": None})
    failing.segments[0].append(printed)
    assert "SyntaxError" not in wainwright("run", suite).output
    failing.segments = [[RUNNING, printed, ("log", {"level": "ERROR", "message": "seen at once", "testId": None})]]
    result = wainwright("run", suite)
    assert "E   SyntaxError: [no]\n" in result.stdout
    assert "error    seen at once" in result.stdout


def test_shows_what_the_test_code_says_of_its_progress(passing: FakeApi, wainwright: Run, suite: Path) -> None:
    passing.segments[0] += [("progress", {"percent": 40.0, "message": "half\x1b[2J"}), ("progress", {"percent": 41.0})]
    told = wainwright("run", suite).stdout
    assert "40 %      half" in told
    assert "41 %" not in told
    assert "\x1b" not in told


# A system of its own


@pytest.fixture
def own(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> FakeApi:
    """The fake as a system that was started for the command."""

    @contextmanager
    def start(_data_dir: Path, _secrets: Path | None) -> Iterator[tuple[str, str]]:
        yield api.url, KEY

    monkeypatch.delenv("WAINWRIGHT_ENDPOINT")
    monkeypatch.delenv("WAINWRIGHT_API_KEY")
    monkeypatch.setattr("wainwright.cli.ephemeral.ephemeral_system", start)
    return api


def test_starts_a_system_when_there_is_none_and_says_so(own: FakeApi, wainwright: Run, suite: Path) -> None:
    result = wainwright("run", suite)
    assert result.exit_code == 0
    assert result.stderr == "No system is running: starting a temporary one for this command.\n"


def test_links_to_a_system_that_goes_away_are_commands(own: FakeApi, wainwright: Run, suite: Path) -> None:
    own.segments = [[RUNNING], [outcome_of("test_cart", "failed", errors=[{"message": "no"}], attachments=[TRACE])]]
    own.final = ended(JobStatus.FAILED, tests=Tally(total=1, failed=1), category=FailureCategory.ASSERTION)

    output = wainwright("run", suite).stdout

    assert f"   trace  wainwright report open {JOB_ID} --trace data/1-2-trace.zip" in output.splitlines()
    assert "/r/t/" not in output


def test_a_job_goes_with_its_own_system_on_ctrl_c(own: FakeApi, wainwright: Run, suite: Path) -> None:
    own.stays_pending = True
    own.on_events = lambda: signal.raise_signal(signal.SIGINT)
    result = wainwright("run", suite)
    assert result.exit_code == 130
    assert own.canceled
    assert "Canceling the job" in result.stderr


def test_a_job_goes_with_its_own_system_when_waiting_takes_too_long(own: FakeApi, wainwright: Run, suite: Path) -> None:
    own.stays_pending = True
    assert wainwright("run", suite, "--wait-timeout", "0.05").exit_code == 5
    assert own.canceled


# What is asked for


def test_submits_what_the_options_say(passing: FakeApi, wainwright: Run, suite: Path) -> None:
    wainwright("run", suite, "--base-url", "https://shop.example", "--label", "nightly", "--timeout", "60000")
    body = created(passing)
    assert (body["url"], body["label"], body["config"]) == ("https://shop.example", "nightly", {"timeout": 60_000})
    assert body["bundleId"] in passing.bundles


def test_uploads_the_same_tests_once(passing: FakeApi, wainwright: Run, suite: Path) -> None:
    wainwright("run", suite)
    wainwright("run", suite)
    assert sum(request.method == "PUT" for request in passing.asked) == 1


def test_prints_the_record_alone_on_standard_output(failing: FakeApi, wainwright: Run, suite: Path) -> None:
    result = wainwright("run", suite, "--json")
    record = json.loads(result.stdout)
    assert (record["id"], record["tests"]["failed"], record["failure"]["category"]) == (JOB_ID, 1, "assertion")
    assert "test_cart" in result.stderr
    assert result.exit_code == 1


def test_leaves_at_once_with_the_jobs_id(api: FakeApi, wainwright: Run, suite: Path) -> None:
    api.stays_pending = True
    result = wainwright("run", suite, "--no-wait")
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, JOB_ID)


def test_leaves_at_once_with_the_jobs_record(api: FakeApi, wainwright: Run, suite: Path) -> None:
    api.stays_pending = True
    assert json.loads(wainwright("run", suite, "--no-wait", "--json").stdout)["status"] == "pending"


def test_fetches_report_and_junit(passing: FakeApi, wainwright: Run, suite: Path, tmp_path: Path) -> None:
    files = {"index.html": b"<html>", "data/1-1-trace.zip": b"zip", "junit.xml": b"<testsuites/>"}
    passing.report = files | {"manifest.json": manifest(files)}
    result = wainwright("run", suite, "--report", tmp_path / "r", "--junit", tmp_path / "out" / "j.xml")
    assert result.exit_code == 0
    assert (tmp_path / "r" / "data" / "1-1-trace.zip").read_bytes() == b"zip"
    assert (tmp_path / "r" / "manifest.json").exists()
    assert (tmp_path / "out" / "j.xml").read_bytes() == b"<testsuites/>"
    assert "http.server" in result.stderr


def test_says_when_there_is_no_report_to_fetch(api: FakeApi, wainwright: Run, suite: Path, tmp_path: Path) -> None:
    api.final = ended(JobStatus.FAILED, tests=Tally(), category=FailureCategory.WORKER_LOST, report=False)
    result = wainwright("run", suite, "--junit", tmp_path / "j.xml")
    assert (result.exit_code, "warning: the job has no report" in result.stderr) == (3, True)


def test_warns_of_a_site_that_the_tests_cannot_reach(
    passing: FakeApi, wainwright: Run, suite: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "warning" not in wainwright("run", suite, "--base-url", "http://localhost:3000").stderr


# What is refused


def error_of(result: Any) -> str:
    """The one line on standard error."""
    assert result.stderr.count("error: ") == 1
    line: str = result.stderr.splitlines()[-1]
    assert line.startswith("error: ")
    assert "Traceback" not in result.output
    return line


def test_refuses_an_empty_directory_without_asking_anybody(api: FakeApi, wainwright: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    result = wainwright("run", tmp_path / "empty")
    assert result.exit_code == 2
    assert "there are no tests in" in error_of(result)
    assert not api.asked


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--base-url", "shop"], "--base-url: "),
        (["--timeout", "5"], "--timeout: Input should be greater than or equal to 1000"),
        (["--timeout", "soon"], "Invalid value for '--timeout'"),
        (["--label", ""], "--label: "),
        (["--no-wait", "--junit", "x"], "--no-wait exits before there are results"),
        (["--nonsense"], "No such option: --nonsense"),
    ],
)
def test_refuses_wrong_options_in_one_line(
    api: FakeApi, wainwright: Run, suite: Path, arguments: list[str], said: str
) -> None:
    result = wainwright("run", suite, *arguments)
    assert result.exit_code == 2
    assert said in error_of(result)
    assert not api.asked


def test_a_wrong_key_is_a_failure_of_the_platform(
    api: FakeApi, wainwright: Run, suite: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAINWRIGHT_API_KEY", "ww_wrong")
    result = wainwright("run", suite)
    assert (result.exit_code, error_of(result)) == (3, "error: the API key is unknown. Create one.")
    assert "ww_wrong" not in result.output


@pytest.mark.parametrize("there", ["WAINWRIGHT_ENDPOINT", "WAINWRIGHT_API_KEY"])
def test_half_a_configuration_is_none(
    wainwright: Run, suite: Path, monkeypatch: pytest.MonkeyPatch, there: str
) -> None:
    monkeypatch.setenv(there, "x")
    result = wainwright("run", suite)
    assert result.exit_code == 2
    assert error_of(result).startswith(f"error: {there} is set and WAINWRIGHT_")
    assert error_of(result).endswith(f"is not. Set both, or unset {there}.")


def test_clear_text_over_the_network_is_refused(wainwright: Run, suite: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAINWRIGHT_ENDPOINT", "http://wainwright.example")
    monkeypatch.setenv("WAINWRIGHT_API_KEY", "ww_x")
    result = wainwright("run", suite)
    assert (result.exit_code, "clear text" in error_of(result)) == (2, True)


def test_no_wait_needs_a_system_that_stays(wainwright: Run, suite: Path) -> None:
    result = wainwright("run", suite, "--no-wait")
    assert result.exit_code == 2
    assert "wainwright up" in error_of(result)
