"""Plain Playwright scripts, and Playwright by hand in tests: run, reported and ended like any test."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

from tests.e2e.worker.clock import Clock
from tests.e2e.worker.suites import SuiteFolder, processes_of
from wainwright.worker.runners import supervised_run as supervised

pytestmark = pytest.mark.browser

SYNC = """
    import os, sys
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch()
        page = browser.new_page()
        page.goto(sys.argv[0] and os.environ["SHOP"])
        print("the title is", page.title())
        assert page.title() == os.environ["TITLE"]
        browser.close()
"""

ASYNC = """
    import asyncio, os, sys
    from pathlib import Path
    from playwright.async_api import async_playwright

    async def main():
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch()
            page = await browser.new_page()
            await page.goto(os.environ["SHOP"])
            Path(os.environ.get("MARK", os.devnull)).touch()
            {wait}
            sys.exit(3)

    asyncio.run(main())
"""


@pytest.mark.parametrize("name", ["check.py", "test_script.py"])
def test_a_script_that_comes_to_its_end_passes(suite: SuiteFolder, site: str, name: str) -> None:
    suite.write(name, SYNC)
    run = suite.run(env={"SHOP": site, "TITLE": "A shop"})
    assert (run.end.reason, run.end.exit_code) == ("finished", 0)
    [result] = run.results
    assert (result.id, result.outcome, result.stdout) == (
        f"{name}::{name.removesuffix('.py')}",
        "passed",
        "the title is A shop\n",
    )


def test_a_script_that_raises_fails_at_its_line(suite: SuiteFolder, site: str) -> None:
    suite.write("check.py", SYNC)
    run = suite.run(env={"SHOP": site, "TITLE": "Another shop"})
    [result] = run.results
    [error] = result.errors
    assert (result.outcome, error.kind, error.file, error.line) == ("failed", "assertion", "check.py", 10)


def test_a_script_that_leaves_with_an_exit_code_fails_with_it(suite: SuiteFolder, site: str) -> None:
    suite.write("check.py", ASYNC.format(wait="pass"))
    run = suite.run(env={"SHOP": site})
    [error] = run.results[0].errors
    assert "exit code 3" in error.message
    assert (error.kind, run.end.exit_code) == ("script_error", 1)


HOUR_MS = 3_600_000


class TimePasses:
    """A `StopRequest` that asks nothing, and puts the clock forward by an hour once there is a file of this name."""

    def __init__(self, clock: Clock, mark: Path) -> None:
        self._clock = clock
        self._mark = mark

    @property
    def mode(self) -> Literal["run", "stop", "cancel"]:
        if self._mark.exists():
            self._clock.put_forward(HOUR_MS / 1000)
        return "run"


@pytest.mark.parametrize(
    "wait",
    [
        "await page.get_by_text('nothing like it').wait_for(timeout=600_000)",
        "await asyncio.sleep(600)",
        "__import__('time').sleep(600)",
    ],
    ids=["browser", "event loop", "blocked event loop"],
)
def test_when_the_time_is_up_a_script_of_the_async_api_is_ended(
    suite: SuiteFolder, site: str, wait: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite.write("check.py", ASYNC.format(wait=wait))
    clock = Clock()
    monkeypatch.setattr(supervised, "time", clock)
    mark = tmp_path / "waiting"
    run = suite.run(timeout_ms=HOUR_MS, env={"SHOP": site, "MARK": str(mark)}, stop=TimePasses(clock, mark))
    assert run.end.reason == "timed_out"
    [result] = run.results
    assert (result.outcome, [error.kind for error in result.errors]) == ("failed", ["job_timeout"])
    assert (result.errors[0].file, result.errors[0].line) == ("check.py", 12)
    assert run.end.signal is None, "it ended by itself, and was not killed"
    assert processes_of(suite.mark) == []


BY_HAND = """
    import os
    from playwright.sync_api import sync_playwright

    def test_by_hand():
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch()
            page = browser.new_page()
            page.goto(os.environ["SHOP"] + "/console.html")
            page.get_by_text("ready").wait_for()
            browser.close()

    def test_after():
        assert True
"""


def test_playwright_by_hand_in_a_test_finds_the_browser_and_is_heard(suite: SuiteFolder, site: str) -> None:
    suite.write("test_by_hand.py", BY_HAND)
    run = suite.run(env={"SHOP": site})
    assert [result.outcome for result in run.results] == ["passed", "passed"]
    assert "the cart is on fire" in run.log("test_by_hand")
