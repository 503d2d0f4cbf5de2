"""A small site and an empty suite for the tests of the browser worker's runner and reports."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.worker.suites import SuiteFolder, serve, site_folder
from tests.support.playwright_test import installed_playwright_test


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base URL of a small site."""
    with serve(site_folder(tmp_path_factory.mktemp("site"))) as url:
        yield url


@pytest.fixture
def suite(tmp_path: Path) -> SuiteFolder:
    """An empty suite."""
    return SuiteFolder(tmp_path)


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """An installed Playwright Test."""
    return installed_playwright_test()


@pytest.fixture
def ts_suite(suite: SuiteFolder, node_modules: Path) -> SuiteFolder:
    """An empty suite with Playwright Test installed."""
    (suite.folder / "node_modules").symlink_to(node_modules)
    suite.write("package.json", '{ "private": true, "devDependencies": { "@playwright/test": "*" } }')
    return suite
