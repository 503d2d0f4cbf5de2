"""The pytest runtime with real suites in real Chromium over a small site."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

import pytest

from tests.e2e.worker_runtime.suites import BROKEN_SITE, Run, SuiteFolder, processes_of
from wainwright.worker.runtimes.model import Collected, LogLine, Progress, Stop, TestEnded, TestStarted

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
    assert [progress.done for progress in mixed.of(Progress)] == list(range(7))


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


def test_passes_over_tests_that_already_have_an_outcome(suite: SuiteFolder) -> None:
    suite.write("test_two.py", "def test_one(): pass\ndef test_two(): pass\n")
    run = suite.run(deselect=frozenset({"test_two.py::test_one", "test_two.py::gone"}))
    assert [result.title for result in run.results] == ["test_two"]
    assert run.of(Collected)[0].deselected == ("test_two.py::test_one",)
    assert (run.end.reason, run.end.collected, run.end.deselected) == ("finished", 1, 1)


def test_nothing_left_to_run_differs_from_no_tests(suite: SuiteFolder) -> None:
    suite.write("test_one.py", "def test_one(): pass\n")
    run = suite.run(deselect=frozenset({"test_one.py::test_one"}))
    assert (run.end.reason, run.end.collected, run.end.deselected) == ("finished", 0, 1)


def test_an_empty_folder_has_no_tests(suite: SuiteFolder) -> None:
    run = suite.run()
    assert run.end.reason == "no_tests"
    assert "No test was found" in run.end.errors[0].message


def test_a_syntax_error_names_file_line_and_message(suite: SuiteFolder) -> None:
    suite.write("test_good.py", "def test_good(): pass\n")
    suite.write("pages/test_bad.py", "def test_bad():\n    return (\n\ndef test_x(): pass\n")
    run = suite.run()
    assert run.end.reason == "collection_error"
    [error] = run.end.errors
    assert (error.file, error.line) == ("pages/test_bad.py", 2)
    assert error.message == "SyntaxError: '(' was never closed"
    assert run.results == []


def test_a_conftest_that_cannot_be_loaded_is_a_collection_error(suite: SuiteFolder) -> None:
    suite.write("conftest.py", "import pytest\n\nimport no_such_module_anywhere\n")
    suite.write("test_good.py", "def test_good(): pass\n")
    run = suite.run()
    assert run.end.reason == "collection_error"
    assert (run.end.errors[0].file, run.end.errors[0].line) == ("conftest.py", 3)
    assert "no_such_module_anywhere" in run.end.errors[0].message


def test_an_import_error_in_a_test_file_names_its_line(suite: SuiteFolder) -> None:
    suite.write("test_bad.py", "VALUE = 1\nprint(undefined_name)\n")
    run = suite.run()
    assert run.end.reason == "collection_error"
    assert (run.end.errors[0].file, run.end.errors[0].line) == ("test_bad.py", 2)
    assert run.end.errors[0].message.startswith("NameError")


def test_an_option_that_pytest_does_not_know_is_a_usage_error(suite: SuiteFolder) -> None:
    suite.write("pytest.ini", "[pytest]\naddopts = --no-such-option\n")
    suite.write("test_good.py", "def test_good(): pass\n")
    run = suite.run()
    assert run.end.reason == "usage_error"
    assert "--no-such-option" in run.end.errors[0].message


def test_honours_the_suites_own_configuration_but_not_a_parents(suite: SuiteFolder) -> None:
    (suite.folder.parent / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    (suite.folder.parent / "conftest.py").write_text("raise RuntimeError('not of this suite')\n")
    suite.write("test_one.py", "def test_one(): pass\ndef check_two(): pass\n")
    assert [result.title for result in suite.run().results] == ["test_one"]
    suite.write("pyproject.toml", '[tool.pytest.ini_options]\npython_functions = ["check_*"]\n')
    assert [result.title for result in suite.run().results] == ["check_two"]


def test_the_child_sees_none_of_our_variables(suite: SuiteFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("WAINWRIGHT_API_KEY", "secret")
    monkeypatch.setenv("PYTEST_ADDOPTS", "--no-such-option")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    suite.write(
        "test_environment.py",
        """
        import os, pathlib, tempfile

        def test_environment():
            assert not [name for name in os.environ if name.startswith(("AWS_", "WAINWRIGHT_"))]
            assert "secret" not in str(dict(os.environ))
            assert os.environ["JOB_ID"] == "job-7"
            assert pathlib.Path.home() == pathlib.Path(os.environ["HOME"])
            assert tempfile.gettempdir() == os.environ["TMPDIR"]
            print(os.environ["HOME"], os.environ["TMPDIR"])
        """,
    )
    run = suite.run(env={"JOB_ID": "job-7"})
    assert run.results[0].outcome == "passed", run.results[0].errors
    for folder in run.results[0].stdout.split():
        assert not Path(folder).exists()


def test_tells_kinds_of_failure_apart(suite: SuiteFolder, site: str) -> None:
    suite.write(
        "test_kinds.py",
        f"""
        import pytest
        from playwright.sync_api import expect

        def test_expects(page):
            page.goto("/")
            expect(page.get_by_text("nothing like it")).to_be_visible(timeout=100)

        def test_waits(page):
            page.goto("/")
            page.get_by_text("nothing like it").click(timeout=100)

        def test_refused(page):
            page.goto("{BROKEN_SITE}")

        def test_breaks():
            raise KeyError("price")

        def test_softly(page):
            page.goto("/")
            expect.soft(page.get_by_text("one")).to_be_visible(timeout=100)
            expect.soft(page.get_by_text("two")).to_be_visible(timeout=100)

        @pytest.fixture
        def cart():
            yield
            raise RuntimeError("cannot empty the cart")

        def test_teardown(cart):
            pass
        """,
    )
    run = suite.run(base_url=site)
    kinds = {result.title: [error.kind for error in result.errors] for result in run.results}
    assert kinds == {
        "test_expects": ["assertion"],
        "test_waits": ["test_timeout"],
        "test_refused": ["navigation"],
        "test_breaks": ["script_error"],
        "test_softly": ["assertion", "assertion"],
        "test_teardown": ["script_error"],
    }
    assert run.result("test_teardown").errors[0].phase == "teardown"
    assert run.result("test_teardown").outcome == "failed"


def test_a_process_that_leaves_in_the_middle_has_crashed_whatever_its_exit_code(suite: SuiteFolder) -> None:
    suite.write("test_leaves.py", "import os\ndef test_a(): pass\ndef test_b(): os._exit(0)\ndef test_c(): pass\n")
    run = suite.run()
    assert (run.end.reason, run.end.exit_code) == ("crashed", 0)
    assert run.end.unfinished == ("test_leaves.py::test_b", "test_leaves.py::test_c")


def test_a_process_killed_from_outside_is_suspected_of_running_out_of_memory(suite: SuiteFolder) -> None:
    suite.write("test_dies.py", "import os, signal\ndef test_a(): os.kill(os.getpid(), signal.SIGKILL)\n")
    run = suite.run()
    assert (run.end.reason, run.end.signal) == ("out_of_memory", 9)


def test_a_suite_that_ends_the_session_itself_is_interrupted(suite: SuiteFolder) -> None:
    suite.write("test_exits.py", "import pytest\ndef test_a(): pytest.exit('enough')\ndef test_b(): pass\n")
    run = suite.run()
    assert run.end.reason == "interrupted"
    assert "enough" in run.end.errors[0].message
    assert len(run.end.unfinished) == 2


def test_leaves_no_process_behind_that_a_test_started(suite: SuiteFolder) -> None:
    suite.write(
        "test_daemon.py",
        """
        import subprocess, sys

        def test_starts_a_daemon():
            code = "import subprocess, sys; subprocess.Popen(['sleep', '600'], start_new_session=True)"
            subprocess.run([sys.executable, "-c", code], check=True)
        """,
    )
    run = suite.run()
    assert run.results[0].outcome == "passed"
    assert processes_of(suite.mark) == []


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
    assert [item.name for item in suite.run().results[0].attachments] == ["log"]


def test_an_error_of_the_listener_kills_the_suite(suite: SuiteFolder) -> None:
    suite.write("test_long.py", "import time\ndef test_long(): time.sleep(600)\n")

    def refuse(event: object) -> None:
        if isinstance(event, TestStarted):
            raise ConnectionError("the lease is gone")

    with pytest.raises(ConnectionError, match="the lease is gone"):
        suite.run(also=refuse)
    assert processes_of(suite.mark) == []


def test_says_how_to_get_a_browser_before_anything_is_started(suite: SuiteFolder) -> None:
    suite.write("test_one.py", "def test_one(): pass\n")
    run = suite.run(browser="webkit")
    assert run.end.reason == "browser_missing"
    assert "playwright install --with-deps webkit" in run.end.errors[0].message
    assert run.events == []


def test_a_stop_that_comes_before_the_suite_runs_nothing(suite: SuiteFolder) -> None:
    suite.write("test_one.py", "def test_one(): pass\n")
    stop = Stop()
    stop.stop()
    run = suite.run(stop=stop)
    assert (run.end.reason, run.results) == ("stopped", [])


def test_the_suites_own_options_do_not_override_what_the_job_decides(suite: SuiteFolder, site: str) -> None:
    suite.write("pytest.ini", "[pytest]\naddopts = --browser firefox --headed --tracing off -n 2 -v --tb=line\n")
    suite.write(
        "test_one.py", "def test_one(page, browser_name):\n    page.goto('/')\n    assert browser_name == 'chromium'\n"
    )
    run = suite.run(base_url=site)
    assert [(result.id, result.outcome) for result in run.results] == [("test_one.py::test_one[chromium]", "passed")]
    assert "trace" in {item.name for item in run.results[0].attachments}


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


def test_a_suite_that_overrides_the_launch_fixtures_still_gets_the_installed_browser(
    suite: SuiteFolder, site: str
) -> None:
    suite.write(
        "conftest.py",
        """
        import pytest

        @pytest.fixture(scope="session")
        def browser_type_launch_args():
            return {"args": ["--lang=fr"]}
        """,
    )
    suite.write(
        "test_one.py",
        """
        def test_one(page):
            page.goto("/")

        def test_own_context(browser, base_url):
            page = browser.new_page()
            page.goto(base_url + "/console.html")
            page.get_by_text("ready").wait_for()
            page.close()
        """,
    )
    run = suite.run(base_url=site)
    assert [result.outcome for result in run.results] == ["passed", "passed"], run.results
    assert "on fire" in run.log("test_own_context")


def test_an_expected_failure_is_a_skip_and_an_unexpected_pass_of_a_strict_one_a_failure(suite: SuiteFolder) -> None:
    suite.write(
        "test_x.py",
        """
        import pytest

        @pytest.mark.xfail(reason="known bug")
        def test_known():
            assert 0

        @pytest.mark.xfail(strict=True, reason="fixed meanwhile")
        def test_fixed():
            pass
        """,
    )
    run = suite.run()
    assert run.result("test_known").outcome == "skipped"
    assert ("expected failure", "known bug") in {(a.type, a.description) for a in run.result("test_known").annotations}
    assert run.result("test_fixed").outcome == "failed"
    assert "fixed meanwhile" in run.result("test_fixed").errors[0].message
