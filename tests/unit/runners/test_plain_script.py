"""Telling a plain Playwright script from a suite."""

from __future__ import annotations

from pathlib import Path

import pytest

from wainwright.worker.runners.pytest.plain_script import find_script

SCRIPT = "from playwright.sync_api import sync_playwright\nwith sync_playwright() as p:\n    p.chromium.launch()\n"


@pytest.mark.parametrize("name", ["check.py", "test_script.py", "jobs/check.py"])
@pytest.mark.parametrize(
    "content",
    [
        SCRIPT,
        "import asyncio\nfrom playwright.async_api import async_playwright\nasync def main(): ...\nasyncio.run(main())\n",
        "import playwright.sync_api\ndef run(): ...\nif __name__ == '__main__':\n    run()\n",
    ],
    ids=["with", "call", "main"],
)
def test_the_only_file_is_a_script_if_it_has_no_test(tmp_path: Path, name: str, content: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)
    assert find_script(tmp_path) == path


@pytest.mark.parametrize(
    "content",
    [
        SCRIPT + "def test_a(): ...\n",
        SCRIPT + "class TestShop: ...\n",
        SCRIPT + "import unittest\nclass Shop(unittest.TestCase): ...\n",
        "print('no browser')\n",
        "from playwright.sync_api import Page\nTITLE = 'Shop'\ndef check_login(page: Page): ...\n",
        "from playwright import (\n",
        "",
    ],
    ids=["test", "class", "unittest", "no playwright", "runs nothing", "no Python", "empty"],
)
def test_everything_else_is_left_to_pytest(tmp_path: Path, content: str) -> None:
    (tmp_path / "check.py").write_text(content)
    assert find_script(tmp_path) is None


@pytest.mark.parametrize("other", ["helpers.py", "conftest.py", "pytest.ini"])
def test_a_script_with_company_is_a_suite(tmp_path: Path, other: str) -> None:
    (tmp_path / "check.py").write_text(SCRIPT)
    (tmp_path / other).write_text("[pytest]\n" if other.endswith("ini") else "")
    assert find_script(tmp_path) is None
