"""``wainwright analytics tests`` and ``wainwright quarantine``, against a fake of a project."""

import json

import pytest

from tests.unit.cli.conftest import Run
from tests.unit.client.fake_project import FakeProject
from wainwright.domain.analytics import TestAnalytics

NAME = "test_cart.py::test_pays[chromium]"


def test_shows_how_flaky_tests_are(project: FakeProject, wainwright: Run) -> None:
    shown = wainwright("analytics", "tests", "--flaky", "--sort", "failure-rate", "--limit", "7")
    as_json = wainwright("analytics", "tests", "--json")

    assert shown.exit_code == 0, shown.stderr
    for told in ("test_pays", "quarantined", "50%", "25%", "PFKK"):
        assert told in shown.stdout
    assert dict(project.asked[0].url.params) == {"flaky": "true", "sortBy": "failureRate", "limit": "7"}
    assert json.loads(as_json.stdout)["tests"][0]["flakeRate"] == 0.5


@pytest.mark.parametrize("truncated", [False, True])
def test_says_where_not_all_files_were_looked_at(
    project: FakeProject, wainwright: Run, monkeypatch: pytest.MonkeyPatch, truncated: bool
) -> None:
    shown = TestAnalytics(tests=[], cursor=None, truncated=truncated)
    monkeypatch.setattr("wainwright.client.Client.analyze_tests", lambda *_arguments, **_named: shown)

    result = wainwright("analytics", "tests")

    assert result.exit_code == 0
    assert ("more files of tests than are shown" in result.stderr) is truncated


def test_adds_lists_and_removes_a_quarantine(project: FakeProject, wainwright: Run) -> None:
    added = wainwright("quarantine", "add", NAME, "--until", "2026-12-01", "--reason", "see #42")
    listed, as_json = wainwright("quarantine", "list"), wainwright("quarantine", "list", "--json")
    removed = wainwright("quarantine", "remove", NAME)
    again = wainwright("quarantine", "remove", NAME)

    assert added.stdout == f"{NAME} quarantined until 2026-12-01: see #42\n"
    assert "see #42" in listed.stdout
    assert json.loads(as_json.stdout)["quarantine"][0]["until"] == "2026-12-01"
    assert (removed.exit_code, project.quarantine) == (0, {})
    assert "not in quarantine" in again.stderr


def test_a_last_day_that_is_no_date_is_a_usage_error(project: FakeProject, wainwright: Run) -> None:
    result = wainwright("quarantine", "add", NAME, "--until", "tomorrow", "--reason", "x")

    assert (result.exit_code, result.stderr.startswith("error: --until tomorrow: this is not a date")) == (2, True)
    assert project.asked == []
