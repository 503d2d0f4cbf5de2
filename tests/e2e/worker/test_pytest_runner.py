"""The pytest runner with real suites in real Chromium over a small site."""

from __future__ import annotations

import struct
import zipfile

import pytest

from tests.e2e.worker.suites import Run, SuiteFolder
from wainwright.worker.runners.suite import Collected, LogLine, TestEnded, TestStarted

pytestmark = pytest.mark.browser

MIXED = """
    import pytest
    from playwright.sync_api import expect

    def test_passes(page):
        page.goto("/")
        expect(page.get_by_role("heading")).to_have_text("Shop")

    def test_fails(page):
        page.goto("/")
        assert page.title() == "Another title"

    @pytest.mark.skip(reason="not sold any more")
    def test_skips(page):
        page.goto("/")

    @pytest.mark.parametrize("word", ["one", "two words"])
    def test_prints(word):
        print("looking for", word)

    class TestCart:
        def test_says_so_on_the_console(self, page):
            page.goto("/console.html")
            expect(page.locator("body")).to_have_text("ready")
"""


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory, site: str) -> Run:
    folder = SuiteFolder(tmp_path_factory.mktemp("mixed"))
    folder.write("test_shop.py", MIXED)
    return folder.run(base_url=site)


def test_reports_every_test_with_its_outcome(mixed: Run) -> None:
    assert {result.title: result.outcome for result in mixed.results} == {
        "test_passes": "passed",
        "test_fails": "failed",
        "test_skips": "skipped",
        "test_prints[one]": "passed",
        "test_prints[two words]": "passed",
        "test_says_so_on_the_console": "passed",
    }
    assert mixed.end.reason == "finished"
    assert mixed.end.exit_code == 1
    assert (mixed.end.collected, mixed.end.unfinished, mixed.end.dropped) == (6, (), 0)


def test_names_tests_by_node_id_file_line_and_classes(mixed: Run) -> None:
    [collected] = mixed.of(Collected)
    [case] = [case for case in collected.tests if case.title == "test_says_so_on_the_console"]
    assert case.id == "test_shop.py::TestCart::test_says_so_on_the_console[chromium]"
    assert (case.file, case.line, case.path) == ("test_shop.py", 22, ("TestCart",))


def test_events_arrive_in_the_order_in_which_things_happen(mixed: Run) -> None:
    order = [
        (type(e).__name__, e.id if isinstance(e, TestStarted) else e.result.id)
        for e in mixed.events
        if isinstance(e, TestStarted | TestEnded)
    ]
    assert order == [(kind, result.id) for result in mixed.results for kind in ("TestStarted", "TestEnded")]


def test_a_failure_names_message_place_and_kind(mixed: Run) -> None:
    [error] = mixed.result("test_fails").errors
    assert "assert 'A shop' == 'Another title'" in error.message
    assert (error.file, error.line, error.kind, error.phase) == ("test_shop.py", 11, "assertion", "call")
    assert ">       assert page.title()" in error.stack


def test_a_skip_says_why(mixed: Run) -> None:
    assert ("skipped", "not sold any more") in {(a.type, a.description) for a in mixed.result("test_skips").annotations}


def test_each_browser_test_leaves_a_valid_trace_and_screenshot(mixed: Run) -> None:
    for title in ("test_passes", "test_fails", "test_says_so_on_the_console"):
        files = {item.name: item.path for item in mixed.result(title).attachments}
        assert files["trace"] is not None
        assert files["screenshot"] is not None
        with zipfile.ZipFile(files["trace"]) as trace:
            assert trace.testzip() is None
            assert "trace.trace" in trace.namelist()
        header = files["screenshot"].read_bytes()[:24]
        assert header[:8] == b"\x89PNG\r\n\x1a\n"
        assert struct.unpack(">II", header[16:]) == (1280, 720)


def test_the_files_of_a_test_were_complete_when_its_event_came(mixed: Run) -> None:
    assert mixed.incomplete == []


def test_a_test_without_a_page_leaves_a_log_alone(mixed: Run) -> None:
    assert [item.name for item in mixed.result("test_prints[one]").attachments] == ["log"]


def test_the_log_of_a_test_holds_console_page_errors_and_failed_requests_of_that_test_alone(mixed: Run) -> None:
    log = mixed.log("test_says_so_on_the_console")
    assert "console.error: the cart is on fire" in log
    assert "page error: broken on purpose" in log
    assert "request failed: GET http://127.0.0.1:1/" in log
    assert "on fire" not in mixed.log("test_passes")


def test_what_a_test_prints_is_kept_and_passed_on_with_its_id(mixed: Run) -> None:
    result = mixed.result("test_prints[two words]")
    assert result.stdout == "looking for two words\n"
    assert LogLine("INFO", "looking for two words", result.id) in mixed.events


def test_steps_are_phases_with_the_calls_made_in_them(mixed: Run) -> None:
    setup, call, teardown = mixed.result("test_passes").steps
    assert (setup.title, call.title, teardown.title) == ("Setup", "Test", "Teardown")
    [goto] = [step for step in call.steps if "goto" in step.title.lower()]
    assert (goto.file, goto.line, goto.category) == ("test_shop.py", 6, "api")
    assert 0 < goto.duration_ms <= call.duration_ms


def test_events_arrive_while_the_suite_still_runs(suite: SuiteFolder) -> None:
    suite.write(
        "test_waits.py",
        """
        import pathlib, time

        def test_first():
            pass

        def test_second():
            deadline = time.monotonic() + 60
            while not pathlib.Path("go").exists():
                assert time.monotonic() < deadline
                time.sleep(0.01)
        """,
    )

    def go_on(event: object) -> None:
        if isinstance(event, TestEnded) and event.result.title == "test_first":
            (suite.folder / "go").touch()

    run = suite.run(also=go_on)
    assert [result.outcome for result in run.results] == ["passed", "passed"]


def test_refuses_attachments_that_are_links_out_of_the_output_folder(suite: SuiteFolder) -> None:
    suite.write(
        "conftest.py",
        """
        import os, pathlib, pytest

        @pytest.hookimpl(hookwrapper=True)
        def pytest_runtest_makereport(item, call):
            outcome = yield
            report = outcome.get_result()
            if report.when == "teardown":
                link = pathlib.Path(item.config.getoption("--output"), "link.zip")
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to("/etc/passwd")
                report.user_properties += [("playwright_trace", str(link)), ("playwright_video", "/etc/hostname")]
        """,
    )
    suite.write("test_one.py", "def test_one(): pass\n")
    attached = {item.name: item for item in suite.run().results[0].attachments}
    assert [name for name, item in attached.items() if item.path] == ["log"]
    reason = "it is not a file of the tests in the folder for evidence"
    assert {name: item.lack for name, item in attached.items() if item.lack} == {"trace": reason, "video": reason}


def test_keeps_evidence_of_failures_alone_when_asked_to(suite: SuiteFolder, site: str) -> None:
    suite.write(
        "test_two.py",
        """
        def test_good(page):
            page.goto("/")

        def test_bad(page):
            page.goto("/")
            assert False
        """,
    )
    run = suite.run(base_url=site, trace="retain-on-failure", screenshot="retain-on-failure")
    assert {item.name for item in run.result("test_good").attachments} == {"log"}
    assert {item.name for item in run.result("test_bad").attachments} == {"log", "trace", "screenshot"}
