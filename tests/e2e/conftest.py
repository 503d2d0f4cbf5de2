"""What all end-to-end tests share: a real Chromium, and one local system for those that leave it alive."""

import os
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.e2e.whole.local_system import Up
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


@pytest.fixture(scope="session")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """A running system. Tests that kill something start their own."""
    folder = tmp_path_factory.mktemp("up")
    system = Up(folder / "data", folder / "up.log").start()
    yield system
    system.stop()


@pytest.fixture
def client(up: Up) -> Iterator[httpx.Client]:
    """Plain HTTP to the running system, with its key."""
    with up.client() as client:
        yield client
