"""Detects the runner that a suite is for by the files of its bundle."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Literal

from wainwright.worker.runners.pytest.suite_style import own_configuration

Runner = Literal["pytest", "playwright-test"]

PLAYWRIGHT_CONFIGS = tuple(f"playwright.config.{ending}" for ending in ("ts", "js", "mts", "mjs", "cts", "cjs"))
"""Names of a Playwright Test configuration, in the order in which Playwright Test looks for them."""
PACKAGE = "@playwright/test"
MAX_FILES = 20_000
"""Files whose names are looked at: as many as a bundle may have."""
_PYTHON_TEST = re.compile(r"^(test_.*|.*_test)\.py$")
_SCRIPT_TEST = re.compile(r"\.(spec|test)\.[cm]?[jt]sx?$")
_NEVER = frozenset({"node_modules", ".venv", "__pycache__", ".git"})


def find_playwright_config(folder: Path) -> Path | None:
    """The suite's Playwright Test configuration; None if it has none of its own."""
    return next((folder / name for name in PLAYWRIGHT_CONFIGS if (folder / name).is_file()), None)


def detect_runner(folder: Path) -> Runner:
    """Playwright Test for a suite with its configuration; else pytest for one with Python tests or pytest's configuration;
    else Playwright Test for one that names its package or has spec files; else pytest, which says that there are no tests.
    """
    if find_playwright_config(folder) is not None:
        return "playwright-test"
    names = list(islice(_names(folder), MAX_FILES))
    if own_configuration(folder) is not None or any(_PYTHON_TEST.match(name) for name in names):
        return "pytest"
    if _names_package(folder / "package.json") or any(_SCRIPT_TEST.search(name) for name in names):
        return "playwright-test"
    return "pytest"


def _names(folder: Path) -> Iterator[str]:
    for _, folders, files in os.walk(folder):
        folders[:] = sorted(set(folders) - _NEVER)
        yield from files


def _names_package(path: Path) -> bool:
    try:
        package = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    kinds = ("dependencies", "devDependencies", "peerDependencies", "optionalDependencies")
    return isinstance(package, dict) and any(PACKAGE in (package.get(kind) or {}) for kind in kinds)
