"""What of a suite the pytest runner runs: its tests, its own configuration, and what cannot be run at all."""

from __future__ import annotations

import pytest

from tests.e2e.worker.suites import SuiteFolder
from wainwright.worker.runners.suite import Collected

pytestmark = pytest.mark.browser


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


def test_says_how_to_get_a_browser_before_anything_is_started(suite: SuiteFolder) -> None:
    suite.write("test_one.py", "def test_one(): pass\n")
    run = suite.run(browsers=("webkit",))
    assert run.end.reason == "browser_missing"
    assert "playwright install --with-deps webkit" in run.end.errors[0].message
    assert run.events == []


def test_the_suites_own_options_do_not_override_what_the_job_decides(suite: SuiteFolder, site: str) -> None:
    suite.write("pytest.ini", "[pytest]\naddopts = --browser firefox --headed --tracing off -n 2 -v --tb=line\n")
    suite.write(
        "test_one.py", "def test_one(page, browser_name):\n    page.goto('/')\n    assert browser_name == 'chromium'\n"
    )
    run = suite.run(base_url=site)
    assert [(result.id, result.outcome) for result in run.results] == [("test_one.py::test_one[chromium]", "passed")]
    assert "trace" in {item.name for item in run.results[0].attachments}


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
