"""Fixtures for tests of every kind."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from wainwright.adapters.aws.clients import Clients


@pytest.fixture
def aws() -> Iterator[None]:
    """An empty AWS in this process."""
    from tests.support.aws import moto_aws

    with moto_aws():
        yield


@pytest.fixture(scope="session")
def aws_clients() -> "Clients":
    """Clients, made once because that is slow; they talk to whatever AWS the test has in this process."""
    from tests.support.aws import new_clients

    return new_clients()


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing wait between its tries."""
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    monkeypatch.setattr("random.uniform", lambda _least, _most: 0.0)


@pytest.fixture(scope="session")
def chromium() -> "Iterator[Browser]":
    """The one real Chromium of a test process, found as the worker finds it: Playwright cannot be started twice."""
    from playwright.sync_api import sync_playwright

    from wainwright.worker.sandbox.find_browser import QUIET_FLAGS, BrowserMissing, find_browser

    found = find_browser()
    if isinstance(found, BrowserMissing):
        pytest.fail(found.message)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found.executable, args=list(QUIET_FLAGS), chromium_sandbox=os.geteuid() != 0
        )
        yield browser
        browser.close()
