"""The pytest configuration that a suite has of its own, and the plugins that it needs; read without running anything."""

from __future__ import annotations

import configparser
import importlib.util
import os
import re
import tomllib
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from wainwright.worker.sandbox.environment import python_packages
from wainwright.worker.sandbox.spares import OPTIONAL_PLUGINS

CONFIGURATIONS = {
    "pytest.toml": None,
    ".pytest.toml": None,
    "pytest.ini": None,
    ".pytest.ini": None,
    "pyproject.toml": "pytest",
    "tox.ini": "pytest",
    "setup.cfg": "tool:pytest",
}
"""Files, by pytest's own order of precedence -> the section that makes them pytest's; None: any content does."""
MAX_SCANNED = 500
"""Files that are read to tell a suite's style; 64 KiB of each."""
SCANNED_SUFFIXES = frozenset({".py", ".toml", ".ini", ".cfg", ".txt"})


def own_configuration(folder: Path) -> Path | None:
    """Return the pytest configuration in the folder itself; never one of a parent folder."""
    for name, section in CONFIGURATIONS.items():
        path = folder / name
        if path.is_file() and (section is None or _has_section(path, section)):
            return path
    return None


def _has_section(path: Path, section: str) -> bool:
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".toml":
            tool = tomllib.loads(text).get("tool", {})
            return isinstance(tool, dict) and isinstance(tool.get(section), dict)
        parser = configparser.ConfigParser(interpolation=None, strict=False)
        parser.read_string(text)
    except (tomllib.TOMLDecodeError, configparser.Error, UnicodeDecodeError):
        return True  # let pytest say what is wrong with it
    return parser.has_section(section)


@dataclass(frozen=True)
class SuiteStyle:
    """The pytest plugins that a suite needs, as far as its files tell."""

    asynchronous: bool
    blocked_plugins: tuple[str, ...]


def suite_style(folder: Path, dependencies: Path | None = None) -> SuiteStyle:
    """Read the suite's files, bounded, without running them.

    A suite is written for pytest-playwright-asyncio, which cannot be loaded together with pytest-playwright, if its
    requirements name that, else if its files import Playwright's async API and none the sync one. Of the plugins that
    merely happen to be installed beside the worker, those that no file mentions are not loaded; a suite with too many
    files to tell gets all.
    """
    contents = {path: _head(path) for path in _scanned(folder)}
    requirements = [content for path, content in contents.items() if "requirements" in path.name]
    named = any(
        re.search(r"^\s*pytest[-_.]playwright[-_.]asyncio\b", text, re.MULTILINE | re.IGNORECASE)
        for text in requirements
    )
    sources = [content for path, content in contents.items() if path.suffix == ".py"]
    sync_api, async_api = (any(f"playwright.{api}_api" in text for text in sources) for api in ("sync", "async"))
    packages = python_packages(dependencies)
    if packages is not None and (packages / "pytest_playwright_asyncio").is_dir():
        asynchronous = True  # the suite asked for it, in whatever file
    else:
        is_installed = importlib.util.find_spec("pytest_playwright_asyncio") is not None
        asynchronous = (named or (async_api and not sync_api)) and is_installed
    unmentioned = [
        plugin
        for plugin, word in OPTIONAL_PLUGINS.items()
        if len(contents) < MAX_SCANNED and not any(word in text for text in contents.values())
    ]
    if asynchronous and "asyncio" in unmentioned:
        unmentioned.remove("asyncio")
    return SuiteStyle(asynchronous, ("playwright" if asynchronous else "playwright-asyncio", *unmentioned))


def _scanned(folder: Path) -> list[Path]:
    found = (Path(parent, name) for parent, _, names in os.walk(folder) for name in sorted(names))
    return list(islice((path for path in found if path.suffix in SCANNED_SUFFIXES and path.is_file()), MAX_SCANNED))


def _head(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(64 * 1024).decode("utf-8", "replace")
