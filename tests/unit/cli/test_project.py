"""Commands that steer jobs and look after the project, against a fake of one."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.unit.cli.conftest import Run
from tests.unit.client.fake_api import KEY
from tests.unit.client.fake_project import BUNDLE, FakeProject
from wainwright.client import Client, CreateJob
from wainwright.domain.logs import LogEntry
from wainwright.domain.states import JobStatus


def new_job(project: FakeProject, **params: Any) -> str:
    """Create a job, past the command line."""
    with Client(project.url, KEY, transport=httpx.MockTransport(project.handle)) as client:
        return client.create_job(CreateJob(script="pass", params=params)).job_id


# jobs


def test_steers_a_job(project: FakeProject, wainwright: Run) -> None:
    job = new_job(project)
    for arguments, told in (
        (("stop", job), "stopped"), (("stop", job), "stopped"), (("resume", job), "pending"),
        (("cancel", job), "canceled"), (("cancel", job), "canceled"),
    ):  # fmt: skip
        result = wainwright("jobs", *arguments)
        assert (result.exit_code, result.stdout) == (0, f"{job} {told}\n"), arguments


def test_says_why_a_job_cannot_be_steered_so(project: FakeProject, wainwright: Run) -> None:
    job = new_job(project)
    result = wainwright("jobs", "resume", job)
    assert (result.exit_code, result.stderr) == (2, "error: the job is pending.\n")


@pytest.mark.parametrize(("options", "only_failed"), [([], True), (["--all"], False)])
def test_retries_a_job(project: FakeProject, wainwright: Run, options: list[str], only_failed: bool) -> None:
    job = new_job(project)
    project.jobs[job] = project.jobs[job].model_copy(update={"status": JobStatus.FAILED})
    result = wainwright("jobs", "retry", job, *options, "--json")
    assert json.loads(result.stdout)["status"] == "pending"
    assert json.loads(project.asked[-1].content) == {"onlyFailed": only_failed}


def test_deletes_a_job(project: FakeProject, wainwright: Run) -> None:
    job = new_job(project)
    assert wainwright("jobs", "delete", job).stdout == f"{job} deleted\n"
    assert project.jobs == {}
    assert "has no job" in wainwright("jobs", "delete", job).stderr


def test_changes_a_jobs_place_in_the_line(project: FakeProject, wainwright: Run) -> None:
    job = new_job(project)
    assert wainwright("jobs", "priority", job, "--set", "-7", "--low").exit_code == 0
    assert (project.jobs[job].priority, project.jobs[job].low_priority) == (-7, True)
    wainwright("jobs", "priority", job, "--not-low")
    assert (project.jobs[job].priority, project.jobs[job].low_priority) == (-7, False)
    assert "priority  -7" in wainwright("jobs", "get", job).stdout


def test_a_place_in_the_line_has_to_be_given(project: FakeProject, wainwright: Run) -> None:
    result = wainwright("jobs", "priority", new_job(project))
    assert (result.exit_code, result.stderr.startswith("error: there is nothing to change")) == (2, True)


@pytest.mark.parametrize(("params", "code"), [({}, 0), ({"fail": "boom"}, 1)])
def test_waits_for_the_end_and_exits_by_it(
    project: FakeProject, wainwright: Run, params: dict[str, Any], code: int
) -> None:
    assert wainwright("jobs", "wait", new_job(project, **params)).exit_code == code


def test_waits_for_one_of_several_states(project: FakeProject, wainwright: Run) -> None:
    job = new_job(project, stays="running")
    result = wainwright("jobs", "wait", job, "--status", "Running", "--status", "FINISHED")
    assert (result.exit_code, result.stdout) == (0, f"{job} running\n")


def test_waiting_has_an_end(project: FakeProject, wainwright: Run) -> None:
    job = new_job(project, stays="running")
    result = wainwright("jobs", "wait", job, "--timeout", "0")
    assert (result.exit_code, result.stderr) == (5, f"error: job {job} has not ended within 0 s. The job continues.\n")


def test_finds_by_every_filter(project: FakeProject, wainwright: Run) -> None:
    result = wainwright(
        "jobs", "list", "--status", "FINISHED", "--status", "stopped", "--type", "browser", "--template", "t1",
        "--label", "nightly", "--no-errors", "--create-from", "1", "--create-to", "2", "--start-from", "3", "--start-to",
        "4", "--end-from", "5", "--end-to", "6", "--sort-by", "completedAt", "--oldest",
    )  # fmt: skip
    assert (result.exit_code, result.stdout) == (0, "no jobs\n")
    assert dict(project.asked[0].url.params) == {
        "status": "completed,failed,stopped", "type": "browser", "templateId": "t1", "label": "nightly",
        "hasErrors": "false", "createFrom": "1", "createTo": "2", "startFrom": "3", "startTo": "4", "endFrom": "5",
        "endTo": "6", "sortBy": "completedAt", "sortOrder": "asc", "limit": "20",
    }  # fmt: skip


# jobs logs


def lines(project: FakeProject) -> None:
    """Two lines of a log."""
    for second, level, message in ((1, "INFO", "one\x1b[2J"), (2, "ERROR", "two")):
        at = f"2026-11-22T03:00:0{second}.000Z"
        project.log.append(LogEntry.model_validate({"timestamp": at, "level": level, "message": message}))


def test_prints_a_log_without_what_would_steer_the_terminal(project: FakeProject, wainwright: Run) -> None:
    lines(project)
    result = wainwright("jobs", "logs", new_job(project))
    assert result.stdout.splitlines()[1] == "2026-11-22T03:00:02.000Z ERROR two"
    assert "\x1b" not in result.stdout


def test_prints_a_log_as_json_lines(project: FakeProject, wainwright: Run) -> None:
    lines(project)
    told = [json.loads(line) for line in wainwright("jobs", "logs", new_job(project), "--json").stdout.splitlines()]
    assert [line["level"] for line in told] == ["INFO", "ERROR"]


def test_hands_the_filters_of_a_log_on(project: FakeProject, wainwright: Run) -> None:
    wainwright(
        "jobs", "logs", new_job(project), "--level", "error", "--message", "x", "--from", "2026", "--to", "5",
        "--period", "2h 30m", "--limit", "7",
    )  # fmt: skip
    assert dict(project.asked[-1].url.params) == {
        "level": "ERROR", "message": "x", "from": "2026", "to": "5", "period": "2h 30m", "limit": "7"
    }  # fmt: skip


def test_follows_a_log_to_the_jobs_end(project: FakeProject, wainwright: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wainwright.client.jobs.FOLLOW_SECONDS", 0.0)
    lines(project)
    result = wainwright("jobs", "logs", new_job(project), "--follow")
    assert len(result.stdout.splitlines()) == 2
    assert next(iter(project.jobs.values())).status is JobStatus.COMPLETED


# templates


def test_keeps_templates(project: FakeProject, wainwright: Run, suite: Path, tmp_path: Path) -> None:
    schema, config = tmp_path / "schema.json", tmp_path / "config.json"
    schema.write_text('{"type": "object"}')
    config.write_text('{"blockAds": true}')
    result = wainwright(
        "templates", "create", suite, "--name", "a [b]", "--base-url", "https://shop.example", "--timeout", "60000",
        "--config", config, "--parameters", schema, "--output-schema", schema, "--retry", "2", "--json",
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    stored = json.loads(result.stdout)
    assert stored["bundleId"] in project.bundles
    assert stored["config"] == {"blockAds": True, "timeout": 60_000}
    assert stored["retry"] == {"maxAttempts": 2, "delayMs": 10_000, "backoffMultiplier": 2.0}
    assert "a [b]" in wainwright("templates", "list").stdout
    assert wainwright("templates", "update", "t1", suite, "--name", "new").exit_code == 0
    assert json.loads(wainwright("templates", "get", "t1", "--version", "2", "--json").stdout)["name"] == "new"
    assert project.asked[-1].url.params["version"] == "2"
    assert wainwright("templates", "delete", "t1").stdout == "t1 deleted\n"
    assert wainwright("templates", "list").stdout == "no templates\n"


def test_a_template_of_instructions_needs_no_tests(project: FakeProject, wainwright: Run, tmp_path: Path) -> None:
    (tmp_path / "do.txt").write_text("Look at the cart.")
    wainwright("templates", "create", "--name", "x", "--instructions", tmp_path / "do.txt")
    assert project.templates["t1"]["instructions"] == "Look at the cart."


def test_a_template_needs_one_thing_to_run(project: FakeProject, wainwright: Run) -> None:
    result = wainwright("templates", "create", "--name", "x")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "a template needs something to run" in result.stderr


def test_invokes_a_template_with_parameters(project: FakeProject, wainwright: Run) -> None:
    project.templates["t1"] = {"bundleId": BUNDLE}
    result = wainwright(
        "templates", "invoke", "t1", "--param", "currency=EUR", "--param", "count=3", "--label", "x", "--low-priority",
        "--no-wait",
    )  # fmt: skip
    (job_id,) = project.jobs
    assert (result.exit_code, result.stdout) == (0, f"{job_id}\n")
    sent = json.loads(project.asked[-1].content)
    assert sent == {"currency": "EUR", "count": 3, "label": "x", "lowPriority": True}


@pytest.mark.parametrize("wrong", ["currency", "=EUR", "label=y"])
def test_refuses_parameters_that_are_none(project: FakeProject, wainwright: Run, wrong: str) -> None:
    result = wainwright("templates", "invoke", "t1", "--label", "x", "--param", wrong, "--no-wait")
    assert (result.exit_code, result.stderr.startswith(f"error: --param {wrong.partition('=')[0]}")) == (2, True)


# run


def test_run_sends_everything_that_it_was_told(
    project: FakeProject, wainwright: Run, suite: Path, tmp_path: Path
) -> None:
    (tmp_path / "schema.json").write_text('{"type": "object"}')
    result = wainwright(
        "run", suite, "--no-wait", "--priority", "5", "--low-priority", "--retry", "3", "--param", "a=1", "--param", "b=x=y",
        "--output-schema", tmp_path / "schema.json", "--depends-on", "j1", "--depends-on", "j2", "--viewport", "800x600",
        "--locale", "en-GB", "--timezone", "Europe/Paris", "--user-agent", "ua", "--header", "X-A: b:c", "--wait-for",
        "10", "--block-ads", "--disable-images", "--reduced-motion", "--timeout", "5000", "--browser", "firefox",
        "--browser", "chromium", "--trace", "retain-on-failure", "--screenshot", "off", "--video", "on",
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    (sent,) = project.sent.values()
    config = sent["config"]
    assert (sent["priority"], sent["lowPriority"], sent["retry"]["maxAttempts"]) == (5, True, 3)
    assert (sent["params"], sent["outputSchema"]) == ({"a": 1, "b": "x=y"}, {"type": "object"})
    assert sent["dependsOn"] == ["j1", "j2"]
    assert config == {
        "timeout": 5000, "viewport": {"width": 800, "height": 600}, "waitFor": 10, "blockAds": True,
        "disableImages": True, "reducedMotion": True, "locale": "en-GB", "timezone": "Europe/Paris", "userAgent": "ua",
        "extraHeaders": {"X-A": "b:c"}, "browser": ["firefox", "chromium"],
        "trace": "retain-on-failure", "screenshot": "off", "video": "on",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--viewport", "big"), ("--viewport", "1x1"), ("--header", "no colon"), ("--timezone", "Mars/Olympus"),
        ("--locale", "?"), ("--wait-for", "-1"), ("--output-schema", "gone.json"), ("--base-url", "shop"),
        ("--browser", "opera"), ("--trace", "always"), ("--screenshot", "only-on-failure"), ("--video", "yes"),
    ],
)  # fmt: skip
def test_run_tells_a_fault_by_its_option(wainwright: Run, suite: Path, option: str, value: str) -> None:
    result = wainwright("run", suite, option, value)
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert result.stderr.startswith(f"error: {option}")


# The project


def test_shows_analytics(project: FakeProject, wainwright: Run) -> None:
    told = wainwright("analytics").stdout
    for text in (
        "3: 2 completed, 1 failed, 0 canceled",
        "66.7 %",
        "mean 1.5 s",
        "p95 2.0 s",
        "assertion 1",
        "t::a (2)",
    ):
        assert text in told
    answer = json.loads(wainwright("analytics", "--json", "--job", "a", "--job", "b", "--from", "1").stdout)
    assert answer["totalJobs"] == 3
    assert dict(project.asked[-1].url.params) == {"jobIds": "a,b", "from": "1"}


def test_shows_the_queue(project: FakeProject, wainwright: Run) -> None:
    job = new_job(project)
    told = wainwright("queue").stdout
    assert told.startswith("running 0 of 5, queued 1 of 50\n")
    assert job in told
    assert json.loads(wainwright("queue", "--json").stdout)["waiting"][0]["id"] == job


def test_shows_the_dashboard_once(project: FakeProject, wainwright: Run) -> None:
    new_job(project)
    result = wainwright("dashboard", "--once")
    assert result.exit_code == 0
    assert "pending" in result.stdout
    assert "success rate" in result.stdout


def test_changes_only_the_limits_that_are_given(project: FakeProject, wainwright: Run) -> None:
    wainwright("limits", "set", "--running", "7", "--max-failed", "9", "--archive")
    wainwright("limits", "set", "--queued", "8", "--job-days", "3")
    assert (project.limits.running, project.limits.queued) == (7, 8)
    kept = project.limits.retention
    assert (kept.job_days, kept.report_days, kept.max_failed, kept.archive) == (3, 30, 9, True)
    wainwright("limits", "set", "--max-failed", "0", "--no-archive")
    assert (project.limits.retention.max_failed, project.limits.retention.archive) == (None, False)
    assert "7" in wainwright("limits", "get").stdout
    assert json.loads(wainwright("limits", "get", "--json").stdout)["running"] == 7


def test_refuses_a_limit_out_of_bounds(project: FakeProject, wainwright: Run) -> None:
    result = wainwright("limits", "set", "--job-days", "0")
    assert (result.exit_code, result.stderr.startswith("error: --job-days: ")) == (2, True)


def test_administers_keys_through_the_api(project: FakeProject, wainwright: Run) -> None:
    created = wainwright("keys", "create", "--name", "ci", "--scope", "read")
    assert created.stdout == "ww_secret\n"
    assert "key k1 may read" in created.stderr
    assert "ci" in wainwright("keys", "list").stdout
    assert wainwright("keys", "revoke", "k1").stdout == "k1 revoked\n"
    (key,) = json.loads(wainwright("keys", "list", "--json").stdout)["keys"]
    assert (key["revoked"], key["scope"]) == (True, "read")


def test_a_project_goes_with_a_stage(project: FakeProject, wainwright: Run) -> None:
    result = wainwright("keys", "list", "--project", "other")
    assert (result.exit_code, result.stderr.startswith("error: --project needs --stage")) == (2, True)


def test_completes_states(wainwright: Run) -> None:
    from wainwright.cli.options import complete_state

    assert complete_state("ST") == ["stopping", "stopped"]
    assert complete_state("fin") == ["finished"]
