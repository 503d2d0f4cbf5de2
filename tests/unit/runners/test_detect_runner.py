"""Which runner a suite is for."""

import json
from pathlib import Path

import pytest

from wainwright.worker.runners.detect_runner import detect_runner

PACKAGE = json.dumps({"devDependencies": {"@playwright/test": "^1.60"}})


@pytest.mark.parametrize(
    ("files", "runner"),
    [
        ({"test_a.py": ""}, "pytest"),
        ({"checks/a_test.py": ""}, "pytest"),
        ({"pytest.ini": "[pytest]\npython_files = check_*.py", "check_a.py": ""}, "pytest"),
        ({"playwright.config.ts": "", "tests/a.spec.ts": ""}, "playwright-test"),
        ({"playwright.config.mjs": "", "tests/test_helper.py": ""}, "playwright-test"),
        ({"package.json": PACKAGE, "checks.ts": ""}, "playwright-test"),
        ({"package.json": PACKAGE, "test_a.py": ""}, "pytest"),
        ({"package.json": "{", "tests/a.test.js": ""}, "playwright-test"),
        ({"package.json": "[]"}, "pytest"),
        ({"node_modules/x/a.spec.js": "", "a.py": ""}, "pytest"),
        ({"sub/playwright.config.ts": "", "test_a.py": ""}, "pytest"),
        ({}, "pytest"),
    ],
    ids=[
        "a Python test", "a Python test below", "a configuration of pytest", "a configuration of Playwright Test",
        "both, with a configuration of Playwright Test", "the package is named", "the package is named beside Python tests",
        "a spec file", "no package at all", "specs of a package", "a configuration that is not at the root", "nothing",
    ],
)  # fmt: skip
def test_is_told_by_the_files(tmp_path: Path, files: dict[str, str], runner: str) -> None:
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    assert detect_runner(tmp_path) == runner
