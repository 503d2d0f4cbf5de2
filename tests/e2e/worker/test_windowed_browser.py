"""Where the system has a headless shell and a whole Chromium: who is given which."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import pytest

from tests.e2e.worker.suites import SuiteFolder
from wainwright.worker.sandbox.find_browser import Browser, find_browser

pytestmark = pytest.mark.browser


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file in which each start of one of two Chromiums on PATH is noted, a line each: ``headless`` or ``windowed``."""
    found = find_browser(package=tmp_path)  # as for a suite that has another Playwright: a path, whosever build it is
    assert isinstance(found, Browser)
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "no-builds-of-playwright"))
    notes, folder = tmp_path / "started", tmp_path / "bin"
    notes.touch()
    folder.mkdir()
    for name, word in (("chromium-headless-shell", "headless"), ("chromium", "windowed")):
        program = folder / name
        program.write_text(f'#!/bin/sh\necho {word} >> {shlex.quote(str(notes))}\nexec {found.executable} "$@"\n')
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return notes


def test_tests_of_pytest_get_the_shell_and_those_that_want_a_window_the_whole(
    suite: SuiteFolder, started: Path
) -> None:
    suite.write(
        "test_windows.py",
        """
        import contextlib
        from playwright.sync_api import Error

        def test_without(page):
            page.set_content("<p>here</p>")

        def test_with(browser_type):
            with contextlib.suppress(Error):  # there may be no display
                browser_type.launch(headless=False).close()
        """,
    )

    run = suite.run()

    assert [result.outcome for result in run.results] == ["passed", "passed"]
    assert started.read_text().split() == ["headless", "windowed"]


def test_tests_of_playwright_test_get_the_shell_and_those_that_ask_for_the_new_headless_mode_the_whole(
    ts_suite: SuiteFolder, started: Path
) -> None:
    ts_suite.write(
        "one.spec.ts",
        """
        import { chromium, test } from '@playwright/test';
        test('without', async ({ page }) => { await page.setContent('<p>here</p>'); });
        test('with', async () => { await (await chromium.launch({ channel: 'chromium' })).close(); });
        """,
    )

    run = ts_suite.run()

    assert [result.outcome for result in run.results] == ["passed", "passed"]
    assert started.read_text().split() == ["headless", "windowed"]
