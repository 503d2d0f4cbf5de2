"""A real Chromium for tests that look at pages."""

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from wainwright.worker.runtimes.browsers import BrowserMissing, find_browser

QUIET = ["--disable-background-networking", "--disable-component-update", "--disable-quic"]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Chromium, found as the worker finds it."""
    found = find_browser()
    if isinstance(found, BrowserMissing):
        pytest.fail(found.message)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found.executable, args=QUIET, chromium_sandbox=os.geteuid() != 0
        )
        yield browser
        browser.close()
