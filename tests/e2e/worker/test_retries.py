"""Tests that are run again when they fail, those in quarantine, and what is remembered of both; run for real."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from tests.e2e.worker.lanes_of_a_job import LanesOfAJob
from tests.e2e.worker.one_worker import PROJECT, OneWorker
from tests.e2e.worker.suites import SuiteFolder
from wainwright.adapters.clock import system_clock
from wainwright.domain.jobs import JobDetail
from wainwright.domain.quarantine import Quarantine
from wainwright.domain.states import JobStatus
from wainwright.domain.tests import Tally
from wainwright.worker.runners.suite import TestEnded

pytestmark = pytest.mark.e2e

FLICKERS = """
    import pathlib
    import pytest

    @pytest.fixture(scope="module")
    def broken_at_first():
        mark = pathlib.Path({folder!r}, "begun")
        if not mark.exists():
            mark.touch()
            raise RuntimeError("not yet")

    def test_flickers():
        mark = pathlib.Path({folder!r}, "tried")
        tries = len(mark.read_text()) if mark.exists() else 0
        mark.write_text("x" * (tries + 1))
        assert tries == 2

    def test_has_a_fixture_that_breaks_once(broken_at_first):
        pass

    def test_fails():
        assert 1 == 2

    def test_passes():
        pass
"""


def flickers(folder: Path) -> dict[str, str]:
    return {"test_it.py": FLICKERS.format(folder=str(folder))}


def retries(number: int) -> JobDetail:
    return JobDetail(config={"testRetries": number})


def quarantine(job: OneWorker, test_id: str, days: int = 1) -> None:
    now = system_clock()
    until = (now + timedelta(days=days)).date()
    job.quarantine.put(PROJECT, Quarantine(test_id=test_id, until=until, reason="flickers", added_at=now))


def test_a_further_attempt_knows_nothing_of_what_the_one_before_put_into_its_class(suite: SuiteFolder) -> None:
    suite.write(
        "test_class.py",
        "class TestCart:\n"
        "    def test_fills(self):\n"
        "        assert not hasattr(self, 'filled'), 'seen before'\n"
        "        self.filled = True\n"
        "        assert False, 'fails'\n",
    )

    run = suite.run(test_retries=1)

    said = [event.result.errors[0].message for event in run.events if isinstance(event, TestEnded)]
    assert len(said) == 2
    assert [("fails" in message, "seen before" in message) for message in said] == [(True, False)] * 2


def test_what_passes_when_run_again_is_flaky_and_completes_the_job(tmp_path: Path) -> None:
    job = OneWorker(tmp_path, flickers(tmp_path), retries(2))
    quarantine(job, "test_it.py::test_fails")

    outcome = job.run()

    assert outcome is not None
    assert outcome.failure is None
    assert (outcome.status, outcome.tests) == (
        JobStatus.COMPLETED, Tally(total=4, passed=1, flaky=2, quarantined=1),
    )  # fmt: skip
    assert set(outcome.flaky_tests) == {
        "test_it.py::test_flickers", "test_it.py::test_has_a_fixture_that_breaks_once",
    }  # fmt: skip
    results = {test["title"]: test for test in json.loads(job.report("results.json"))["tests"]}
    assert {title: (test["outcome"], test["attempts"]) for title, test in results.items()} == {
        "test_flickers": ("flaky", 3),
        "test_has_a_fixture_that_breaks_once": ("flaky", 2),
        "test_fails": ("quarantined", 3),
        "test_passes": ("passed", 1),
    }
    logs = [item for item in results["test_flickers"]["attachments"] if item["name"] == "log"]
    assert len({item["href"] for item in logs}) == 3
    assert job.lines("ERROR") == []
    known = job.history.files(PROJECT, ["test_it.py"])["test_it.py"]
    assert {test_id.partition("::")[2]: stats.last for test_id, stats in known.items()} == {
        "test_flickers": "K", "test_has_a_fixture_that_breaks_once": "K", "test_fails": "F", "test_passes": "P",
    }  # fmt: skip


def test_a_test_that_fails_every_time_fails_the_job(tmp_path: Path) -> None:
    job = OneWorker(tmp_path, flickers(tmp_path), retries(1))

    outcome = job.run()

    assert outcome is not None
    assert (outcome.status, outcome.tests) == (JobStatus.FAILED, Tally(total=4, passed=1, failed=2, flaky=1))


def test_a_quarantine_that_is_over_counts_no_more(tmp_path: Path) -> None:
    job = OneWorker(tmp_path, {"test_it.py": "def test_fails():\n    assert 1 == 2\n"})
    quarantine(job, "test_it.py::test_fails", days=-1)

    outcome = job.run()

    assert outcome is not None
    assert (outcome.status, outcome.tests) == (JobStatus.FAILED, Tally(total=1, failed=1))


def test_every_lane_runs_its_tests_again_and_knows_the_quarantine(tmp_path: Path) -> None:
    tests = """
        import pathlib
        import pytest

        @pytest.mark.parametrize("n", range(6))
        def test_flickers(n):
            mark = pathlib.Path({folder!r}, f"tried-{{n}}")
            tried = mark.exists()
            mark.touch()
            assert tried

        def test_fails():
            assert 1 == 2
    """
    job = LanesOfAJob(tmp_path, {"test_it.py": tests.format(folder=str(tmp_path))}, 2, detail=retries(1))
    quarantine(job, "test_it.py::test_fails")

    outcome = job.run()

    assert outcome is not None
    assert outcome.failure is None
    assert (outcome.status, outcome.tests) == (JobStatus.COMPLETED, Tally(total=7, flaky=6, quarantined=1))


def test_only_the_last_attempt_counts_for_the_suites_own_maxfail(suite: SuiteFolder, tmp_path: Path) -> None:
    suite.write("pytest.ini", "[pytest]\naddopts = --maxfail=1\n")
    suite.write("test_it.py", FLICKERS.format(folder=str(tmp_path)))

    run = suite.run(test_retries=2)

    assert [(each.result.title, each.result.retry, each.again) for each in run.of(TestEnded)] == [
        ("test_flickers", 0, True), ("test_flickers", 1, True), ("test_flickers", 2, False),
        ("test_has_a_fixture_that_breaks_once", 0, True), ("test_has_a_fixture_that_breaks_once", 1, False),
        ("test_fails", 0, True), ("test_fails", 1, True), ("test_fails", 2, False),
    ]  # fmt: skip


@pytest.mark.browser
def test_playwright_test_takes_the_jobs_retries_for_its_own(ts_suite: SuiteFolder) -> None:
    ts_suite.write("playwright.config.ts", "export default { testDir: './tests', retries: 0 };\n")
    ts_suite.write(
        "tests/it.spec.ts",
        """
        import { expect, test } from '@playwright/test';
        test('flickers', async ({}, testInfo) => { expect(testInfo.retry).toBe(1); });
        """,
    )

    run = ts_suite.run(test_retries=1)

    assert [(each.result.retry, each.result.outcome, each.again) for each in run.of(TestEnded)] == [
        (0, "failed", True), (1, "passed", False),
    ]  # fmt: skip
    assert (run.end.exit_code, run.end.unfinished) == (0, ())


@pytest.mark.browser
def test_each_attempt_keeps_a_trace_of_its_own(suite: SuiteFolder, site: str) -> None:
    suite.write(
        "test_it.py",
        """
        tries = []

        def test_flickers(page):
            page.goto("/")
            tries.append(1)
            assert len(tries) == 2
        """,
    )

    run = suite.run(base_url=site, test_retries=1)

    traces = [item.path for each in run.of(TestEnded) for item in each.result.attachments if item.name == "trace"]
    assert len(set(traces)) == 2
    assert all(path is not None and path.is_file() for path in traces)
