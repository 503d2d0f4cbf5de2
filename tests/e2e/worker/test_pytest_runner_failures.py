"""How the pytest runner tells apart what goes wrong in a suite."""

from __future__ import annotations

import pytest

from tests.e2e.worker.suites import BROKEN_SITE, SuiteFolder

pytestmark = pytest.mark.browser


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
