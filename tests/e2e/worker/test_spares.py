"""A suite in a spare is the same suite, only sooner; and nothing of one suite is in the next."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.e2e.worker.suites import Run, SuiteFolder, descendants
from wainwright.worker.runners.pytest.pytest_run import can_use_spare
from wainwright.worker.runners.suite import Collected, JobLog, SuiteRequest
from wainwright.worker.sandbox.find_browser import Browser, BrowserName
from wainwright.worker.sandbox.isolation import NOT_ISOLATED
from wainwright.worker.sandbox.spares import Spare, Spares


class Counting(Spares):
    """Spares that keep count of those that were taken, by the process ids of their supervisors."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, NOT_ISOLATED, 600)
        self.taken: list[int] = []

    def take(self) -> Spare | None:
        spare = super().take()
        if spare is not None:
            self.taken.append(spare.process.pid)
        return spare


@pytest.fixture
def spares(tmp_path: Path) -> Iterator[Counting]:
    folder = tmp_path / "spares"
    folder.mkdir()
    found = Counting(folder)
    yield found
    found.close()
    assert list(folder.iterdir()) == []


@pytest.fixture
def suite(tmp_path: Path) -> SuiteFolder:
    return SuiteFolder(tmp_path)


def passed(run: Run) -> list[str]:
    """The titles of all tests, which must have passed."""
    assert [(each.title, each.errors) for each in run.results if each.outcome != "passed"] == []
    assert run.end.reason == "finished"
    return [each.title for each in run.results]


def ready(spares: Spares) -> Spare:
    """A spare that waits for a suite."""
    spares.start()
    spare = spares.waiting
    assert spare is not None
    assert spare.await_ready()
    return spare


PAGE = """
    import os

    def test_page(page):
        page.set_content("<h1>Shop</h1>")
        assert page.locator("h1").text_content() == "Shop"
        assert page.context.cookies() == []
        page.context.add_cookies([{"name": "seen", "value": "1", "url": "http://127.0.0.1/"}])
"""


def test_a_spare_is_used_once_and_the_next_suite_sees_nothing_of_it(suite: SuiteFolder, spares: Counting) -> None:
    suite.write(
        "test_state.py",
        """
        import builtins, os, sys
        from pathlib import Path

        def test_state(page):
            assert not hasattr(builtins, "left_behind")
            assert "LEFT_BEHIND" not in os.environ
            assert not (Path.home() / "left").exists()
            assert not (Path(os.environ["TMPDIR"]) / "left").exists()
            assert len(page.context.browser.contexts) == 1
            assert page.context.cookies() == []
            builtins.left_behind = True
            os.environ["LEFT_BEHIND"] = "1"
            (Path.home() / "left").write_text("1")
            (Path(os.environ["TMPDIR"]) / "left").write_text("1")
            page.context.add_cookies([{"name": "left", "value": "1", "url": "http://127.0.0.1/"}])
            print("process", os.getpid())
        """,
    )
    spares.start()
    runs = [suite.run(spares=spares)]
    spares.tend()
    runs.append(suite.run(spares=spares))

    assert [passed(run) for run in runs] == [["test_state"]] * 2
    assert len(set(spares.taken)) == 2
    assert len({run.result("test_state").stdout for run in runs}) == 2


def test_the_first_browser_of_the_suite_is_the_one_that_was_ready(suite: SuiteFolder, spares: Counting) -> None:
    suite.write(
        "test_same.py",
        """
        import time
        from pathlib import Path

        def started_at(pid):
            ticks = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
            return ticks / 100

        def test_same(browser, job):
            session = browser.new_browser_cdp_session()
            processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
            [pid] = [each["id"] for each in processes if each["type"] == "browser"]
            assert started_at(pid) < job.params["begun"]

        def test_another(browser_type):
            other = browser_type.launch()
            assert other.contexts == []
            other.close()
        """,
    )
    ready(spares)
    uptime = float(Path("/proc/uptime").read_text().split()[0])
    run = suite.run(spares=spares, job=job_with(begun=uptime))

    assert sorted(passed(run)) == ["test_another", "test_same"]
    assert len(spares.taken) == 1


def test_plugins_are_imported_ahead_as_pytest_would_and_nothing_of_that_stays(
    suite: SuiteFolder, spares: Counting
) -> None:
    suite.write(
        "test_plugins.py",
        """
        import sys
        import pytest_playwright.pytest_playwright as plugin
        import wainwright_child.plugin as ours
        from _pytest.assertion.rewrite import AssertionRewritingHook

        def test_plugins(request, browser):
            [hook] = [each for each in sys.meta_path if isinstance(each, AssertionRewritingHook)]
            assert __loader__ is hook
            for module in (plugin, ours):
                assert isinstance(module.__loader__, AssertionRewritingHook)
                assert module.__loader__ is not hook
                assert request.config.pluginmanager.is_registered(module)
            assert "schema" "thesis" not in sys.modules
        """,
    )
    spares.start()
    assert passed(suite.run(spares=spares)) == ["test_plugins"]
    assert len(spares.taken) == 1


def test_collects_the_suites_garbage_and_looks_at_nothing_older(suite: SuiteFolder, spares: Counting) -> None:
    suite.write(
        "test_garbage.py",
        """
        import gc, weakref

        class Cycle:
            def __init__(self):
                self.me = self

        def test_garbage():
            assert gc.isenabled()
            assert gc.get_freeze_count() > len(gc.get_objects())
            gone = weakref.ref(Cycle())
            gc.collect()
            assert gone() is None
        """,
    )
    spares.start()
    assert passed(suite.run(spares=spares)) == ["test_garbage"]
    assert len(spares.taken) == 1


def test_of_what_a_browser_was_warmed_with_nothing_is_left(spares: Counting) -> None:
    assert not ready(spares).place.traces.exists()


def job_with(**params: object) -> dict[str, object]:
    return {"id": "job-1", "label": None, "url": None, "params": params, "attempt": 1, "previous": {}}


def test_environment_folder_and_secrets_are_those_of_the_suite(suite: SuiteFolder, spares: Counting) -> None:
    suite.write("helper.py", "VALUE = 7\n")
    suite.write(
        "test_around.py",
        """
        import os, sys
        from pathlib import Path

        def test_around(request):
            import helper
            assert helper.VALUE == 7
            assert Path.cwd() == Path(__file__).parent == request.config.rootpath
            assert os.environ["SHOP_PASSWORD"] == "correct horse"
            assert os.environ["TEST_MARK"]
            assert not any(name.startswith(("AWS_", "ECS_")) for name in os.environ)
            assert sys.path[0] in (str(Path.cwd()), "")
            assert sys.argv[0].endswith("__main__.py")
        """,
    )
    spares.start()
    assert passed(suite.run(spares=spares, secrets={"SHOP_PASSWORD": "correct horse"})) == ["test_around"]
    assert len(spares.taken) == 1


@pytest.mark.thorough
def test_a_suite_that_makes_warnings_errors_finds_none(suite: SuiteFolder, spares: Counting) -> None:
    suite.write("pytest.ini", "[pytest]\nfilterwarnings =\n  error\n  ignore::pytest.PytestRemovedIn10Warning\n")
    suite.write("test_page.py", PAGE)
    spares.start()
    assert passed(suite.run(spares=spares)) == ["test_page"]
    assert len(spares.taken) == 1


@pytest.mark.thorough
def test_event_loops_of_the_suites_own_run_as_without_a_spare(suite: SuiteFolder, spares: Counting) -> None:
    suite.write(
        "test_loops.py",
        """
        import asyncio
        from playwright.sync_api import sync_playwright

        async def double(number):
            await asyncio.sleep(0)
            return 2 * number

        def test_before():
            assert asyncio.run(double(3)) == 6

        def test_browser_in_between():
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch()
                page = browser.new_page()
                page.set_content("<title>Shop</title>")
                assert page.title() == "Shop"

        def test_after():
            assert asyncio.run(double(4)) == 8

        def test_another_playwright():
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch()
                assert browser.new_page().title() == ""
        """,
    )
    spares.start()
    assert len(passed(suite.run(spares=spares))) == 4
    assert len(spares.taken) == 1


@pytest.mark.thorough
def test_options_of_the_suites_own_get_a_browser_of_their_own(suite: SuiteFolder, spares: Counting) -> None:
    suite.write(
        "conftest.py",
        """
        import pytest

        @pytest.fixture(scope="session")
        def browser_type_launch_args(browser_type_launch_args):
            return {**browser_type_launch_args, "args": ["--user-agent=Shopper"]}
        """,
    )
    suite.write("test_agent.py", "def test_agent(page): assert page.evaluate('navigator.userAgent') == 'Shopper'\n")
    spares.start()
    assert passed(suite.run(spares=spares)) == ["test_agent"]
    assert len(spares.taken) == 1


@pytest.mark.thorough
def test_the_jobs_config_reaches_the_browser_that_was_ready(suite: SuiteFolder, spares: Counting) -> None:
    suite.write(
        "test_config.py",
        """
        def test_config(page):
            assert page.viewport_size == {"width": 500, "height": 400}
            assert page.evaluate("navigator.language") == "fr-FR"
        """,
    )
    config = {"viewport": {"width": 500, "height": 400}, "locale": "fr-FR"}
    spares.start()
    assert passed(suite.run(spares=spares, config=config)) == ["test_config"]
    assert len(spares.taken) == 1


@pytest.mark.parametrize("which", ["suite-process", "browser"])
@pytest.mark.thorough
def test_what_dies_while_it_waits_costs_a_cold_start_and_nothing_else(
    suite: SuiteFolder, spares: Counting, which: str
) -> None:
    suite.write("test_page.py", PAGE)
    spare = ready(spares)
    wanted = b"wainwright_child.spare" if which == "suite-process" else b"chrom"
    for pid in descendants(spare.process.pid):
        command = Path(f"/proc/{pid}/cmdline")
        if command.exists() and wanted in command.read_bytes() and b"cli.js" not in command.read_bytes():
            os.kill(pid, signal.SIGKILL)
    if which == "suite-process":
        until = time.monotonic() + 30
        while spare.usable and time.monotonic() < until:
            time.sleep(0.05)
    assert passed(suite.run(spares=spares)) == ["test_page"]


def test_a_spare_that_dies_when_it_is_given_a_suite_is_replaced_by_a_cold_start(
    suite: SuiteFolder, spares: Counting
) -> None:
    suite.write("test_page.py", PAGE)
    spare = ready(spares)
    give = spare.give

    def killed(*arguments: object) -> None:
        for pid in descendants(spare.process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        give(*arguments)  # type: ignore[arg-type]

    spare.give = killed  # type: ignore[method-assign,assignment]
    run = suite.run(spares=spares)

    assert passed(run) == ["test_page"]
    assert len(run.of(Collected)) == 1


@pytest.mark.parametrize("why", ["time-zone", "packages-of-its-own"])
@pytest.mark.thorough
def test_a_suite_that_a_spare_does_not_fit_leaves_it_for_the_next(
    suite: SuiteFolder, spares: Counting, tmp_path: Path, why: str
) -> None:
    (tmp_path / "environment" / "python").mkdir(parents=True)
    suite.write("test_it.py", "def test_it(): pass\n")
    spares.start()
    if why == "time-zone":
        run = suite.run(spares=spares, env={"TZ": "Asia/Tokyo"})
    else:
        run = suite.run(spares=spares, dependencies=tmp_path / "environment")

    assert passed(run) == ["test_it"]
    assert spares.taken == []


@pytest.mark.parametrize(
    ("names", "asynchronous", "variables", "expected"),
    [
        (["chromium"], False, {}, True),
        (["chromium"], False, {"SHOP_PASSWORD": "correct horse"}, True),
        (["chromium"], True, {}, False),
        (["firefox"], False, {}, False),
        (["chromium", "firefox"], False, {}, False),
        (["chromium"], False, {"HTTPS_PROXY": "http://proxy"}, False),
        (["chromium"], False, {"LD_PRELOAD": "/bundle/evil.so"}, False),
        (["chromium"], False, {"PWDEBUG": "1"}, False),
    ],
)
def test_a_spare_fits_what_needs_nothing_from_the_start(
    suite: SuiteFolder, names: list[BrowserName], asynchronous: bool, variables: dict[str, str], expected: bool
) -> None:
    browsers = [Browser(name, None) for name in names]
    request = SuiteRequest(suite.folder, suite.output, env=variables)
    assert can_use_spare(request, browsers, asynchronous=asynchronous) is expected


def test_a_spare_that_is_too_old_is_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "spares"
    folder.mkdir()
    spares = Spares(folder, NOT_ISOLATED, 0.001)
    spares.start()
    first = spares.waiting
    spares.tend()
    try:
        assert first is not None
        assert spares.waiting is not first
        assert first.process.ended
    finally:
        spares.close()


@pytest.mark.thorough
def test_what_a_suite_prints_and_logs_in_a_spare_is_reported(suite: SuiteFolder, spares: Counting) -> None:
    suite.write("test_print.py", "def test_print(job):\n    print('hello')\n    job.log_info('from the test')\n")
    spares.start()
    run = suite.run(spares=spares, job=job_with())

    assert run.result("test_print").stdout == "hello\n"
    assert [line.message for line in run.of(JobLog)] == ["from the test"]
