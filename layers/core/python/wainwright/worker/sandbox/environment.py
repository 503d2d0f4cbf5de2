"""What surrounds the test process: its environment, its private folders, and which pytest configuration is the
suite's own.
"""

from __future__ import annotations

import configparser
import importlib.util
import os
import re
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from wainwright.worker.runners.video_encoder import browsers_with_ffmpeg
from wainwright.worker.sandbox.find_browser import browsers_path, driver_package
from wainwright.worker.sandbox.isolation import NOT_ISOLATED, Isolation

PASSED_ON = frozenset(
    {"PATH", "LANG", "LANGUAGE", "TZ", "PLAYWRIGHT_NODEJS_PATH", "FONTCONFIG_PATH", "FONTCONFIG_FILE"}
)
"""Variables of ours that the tests may see, besides LC_*. Everything else, credentials above all, stays here."""
MAX_TEMP_PATH = 60
"""Longest usable TMPDIR: Chromium puts a socket some 45 characters below it, and a socket's path may have 107
(sun_path).
"""
MAX_SCANNED = 500
"""Files looked at to tell a suite's style; 64 KiB of each."""
SCANNED_SUFFIXES = frozenset({".py", ".toml", ".ini", ".cfg", ".txt"})
OPTIONAL_PLUGINS = {
    "schemathesis": "schemathesis",
    "hypothesispytest": "hypothesis",
    "typeguard": "typeguard",
    "anyio": "anyio",
    "asyncio": "asyncio",
}
"""Entry point of a pytest plugin -> the word by which a suite that uses it is known. Loading all of them takes 2 s
and more.
"""


@dataclass(frozen=True)
class Surroundings:
    """Private folders of one run, removed after it. Home and temporary folder are made by whom the tests run as."""

    root: Path
    home: Path
    temporary: Path

    @property
    def traces(self) -> Path:
        """Where Playwright records, in a folder for each browser. Whoever records first makes it."""
        return self.home.parent / "traces"


@contextmanager
def surroundings(output: Path, isolation: Isolation = NOT_ISOLATED) -> Iterator[Surroundings]:
    """A fresh home and temporary folder beside `output`; the temporary one in the system's where the path would be
    too long.
    """
    place, folders = make_surroundings(output.parent, isolation)
    try:
        yield place
    finally:
        # A test may have left folders without write permission: what cannot be removed must not turn a finished suite
        # into a failure.
        isolation.remove(*folders)


def make_surroundings(folder: Path, isolation: Isolation) -> tuple[Surroundings, tuple[Path, ...]]:
    """Make them in `folder`; also returns what is to be removed in the end."""
    root = Path(tempfile.mkdtemp(prefix="run-", dir=folder))
    isolation.show(root)
    private = root / "own"
    private.mkdir()
    isolation.lend(private)
    temporary, made = private / "tmp", [root]
    if len(str(temporary)) > MAX_TEMP_PATH:
        elsewhere = Path(tempfile.mkdtemp(prefix="ww-"))
        isolation.lend(elsewhere)
        temporary, made = elsewhere / "tmp", [root, elsewhere]
    place = Surroundings(root, private / "home", temporary)
    if isolation.user is None:
        for each in (place.home, place.temporary):
            each.mkdir()
    return place, tuple(made)


def child_environment(
    extra: Mapping[str, str],
    place: Surroundings,
    import_path: Path,
    environ: Mapping[str, str] | None = None,
    dependencies: Path | None = None,
    driver: Path | None = None,
) -> dict[str, str]:
    """The child's whole environment: an allow-list of ours, its own folders, and what the caller adds (which wins).

    The Python packages in `dependencies` come before the worker's own, so that the suite's versions win. `driver` is the
    playwright-core of a suite that has one of its own.
    """
    environ = os.environ if environ is None else environ
    passed = {name: value for name, value in environ.items() if name in PASSED_ON or name.startswith("LC_")}
    packages = python_packages(dependencies)
    programs = [str(packages / "bin")] if packages else []
    return {
        **passed,
        "PATH": os.pathsep.join([*programs, passed.get("PATH", os.defpath)]),
        "HOME": str(place.home),
        "TMPDIR": str(place.temporary),
        "PLAYWRIGHT_BROWSERS_PATH": str(_browsers(place, environ, driver or own_playwright(dependencies))),
        "PLAYWRIGHT_SKIP_BROWSER_GC": "1",  # the shared browser folder is not the tests' to tidy
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": os.pathsep.join([str(import_path), *([str(packages)] if packages else [])]),
        **extra,
    }


def _browsers(place: Surroundings, environ: Mapping[str, str], driver: Path | None) -> Path:
    browsers = browsers_path(environ)
    try:
        return browsers_with_ffmpeg(browsers, place.root, driver or driver_package(), environ)
    except ImportError:  # no Playwright at all: the suite tests no browser
        return browsers


def python_packages(dependencies: Path | None) -> Path | None:
    """The folder of an installed environment that holds Python packages, if it has one."""
    folder = dependencies / "python" if dependencies else None
    return folder if folder and folder.is_dir() else None


def own_playwright(dependencies: Path | None) -> Path | None:
    """The playwright-core of the Playwright that an installed environment has of its own."""
    packages = python_packages(dependencies)
    core = packages / "playwright" / "driver" / "package" if packages else None
    return core if core and core.is_dir() else None


def own_configuration(folder: Path) -> Path | None:
    """The pytest configuration in the folder itself, by pytest's own order of precedence; never one of a parent
    folder.
    """
    for name in ("pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini"):
        if (folder / name).is_file():
            return folder / name
    for name, has in (("pyproject.toml", _in_pyproject), ("tox.ini", _in_tox), ("setup.cfg", _in_setup)):
        if (folder / name).is_file() and has(folder / name):
            return folder / name
    return None


def _in_pyproject(path: Path) -> bool:
    try:
        tool = tomllib.loads(path.read_text(encoding="utf-8")).get("tool", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return True  # let pytest say what is wrong with it
    return isinstance(tool, dict) and isinstance(tool.get("pytest"), dict)


def _in_tox(path: Path) -> bool:
    return _has_section(path, "pytest")


def _in_setup(path: Path) -> bool:
    return _has_section(path, "tool:pytest")


def _has_section(path: Path, section: str) -> bool:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
    except (configparser.Error, UnicodeDecodeError):
        return True  # let pytest say what is wrong with it
    return parser.has_section(section)


@dataclass(frozen=True)
class SuiteStyle:
    """Which pytest plugins a suite needs, as far as its files tell."""

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
        asynchronous = (named or (async_api and not sync_api)) and _is_installed("pytest_playwright_asyncio")
    unmentioned = [
        plugin
        for plugin, word in OPTIONAL_PLUGINS.items()
        if len(contents) < MAX_SCANNED and not any(word in text for text in contents.values())
    ]
    if asynchronous and "asyncio" in unmentioned:
        unmentioned.remove("asyncio")
    return SuiteStyle(asynchronous, ("playwright" if asynchronous else "playwright-asyncio", *unmentioned))


def _is_installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def _scanned(folder: Path) -> list[Path]:
    found = (Path(parent, name) for parent, _, names in os.walk(folder) for name in sorted(names))
    return list(islice((path for path in found if path.suffix in SCANNED_SUFFIXES and path.is_file()), MAX_SCANNED))


def _head(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(64 * 1024).decode("utf-8", "replace")
