"""The browser that a suite runs in, found without starting anything."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

BrowserName = Literal["chromium", "firefox", "webkit"]

SHELL_NAME = "chromium-headless-shell"
"""The build of Chromium that has no window and starts in half the time: what Playwright, too, takes for headless tests."""
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
CHROMIUM_PLACES = (
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome",
    "/opt/google/chrome/chrome",
    "/snap/bin/chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
QUIET_FLAGS = ("--disable-background-networking", "--disable-component-update", "--disable-quic")
"""Keep Chromium from talking to anyone but the site under test; QUIC also escapes what Playwright can record."""

_HEADLESS_BUILD = {"chromium": "chromium-headless-shell", "firefox": "firefox", "webkit": "webkit"}
"""Builds that Playwright launches headless, by the names of its own browsers.json."""


@dataclass(frozen=True)
class Browser:
    """A browser to launch. `executable` is None for Playwright's own build, which Playwright finds by itself. Where it is one
    that cannot show a window, `windowed` is one that can, if there is any.
    """

    name: BrowserName
    executable: Path | None
    windowed: Path | None = None


@dataclass(frozen=True)
class BrowserMissing:
    """No browser of that name. `command` installs one; `message` is one line that says both."""

    name: BrowserName
    command: str
    message: str


def browsers_path(environ: Mapping[str, str]) -> Path:
    """Return Playwright's folder of browsers: PLAYWRIGHT_BROWSERS_PATH or its default in the user's cache folder."""
    if chosen := environ.get("PLAYWRIGHT_BROWSERS_PATH"):
        if chosen == "0":  # Playwright's word for "inside the package"
            return driver_package() / ".local-browsers"
        return Path(chosen)
    home = Path(environ.get("HOME") or Path.home())
    if sys.platform == "darwin":
        return home / "Library/Caches/ms-playwright"
    return Path(environ.get("XDG_CACHE_HOME") or home / ".cache") / "ms-playwright"


def find_browser(
    name: BrowserName = "chromium",
    environ: Mapping[str, str] | None = None,
    places: tuple[str, ...] = CHROMIUM_PLACES,
    package: Path | None = None,
) -> Browser | BrowserMissing:
    """Return Playwright's own build if installed, else, for Chromium, one on PATH or in a usual place, the headless shell first.
    Playwright patches Firefox and WebKit. `package` is the playwright-core whose builds count, if not the worker's own.
    """
    environ = os.environ if environ is None else environ
    own = _own_build(name, browsers_path(environ), package)
    if own is not None and (own / "INSTALLATION_COMPLETE").is_file():  # as Playwright marks each complete download
        return Browser(name, None)
    if name == "chromium":
        # Chromium speaks a protocol of its own: the worker's build serves a suite whose Playwright is of another version.
        if package is not None and (build := _own_build(name, browsers_path(environ), None)) is not None:
            for program in sorted(build.glob("*/*headless*shell*")):
                if _runs(program):
                    return Browser(name, program)
        windowed = next(filter(_runs, map(Path, (*_on_path(environ, *CHROMIUM_NAMES), *places))), None)
        for shell in map(Path, _on_path(environ, SHELL_NAME)):
            return Browser(name, shell, windowed)
        if windowed is not None:
            return Browser(name, windowed)
    command = f"{sys.executable} -m playwright install --with-deps {name}"
    return BrowserMissing(name, command, f"No {name} browser was found. Install one with: {command}")


def programs(browsers: Iterable[Browser]) -> dict[str, dict[str, str | None]]:
    """Return a test process's settings of its browsers: by name the program of each, and of that which can show a window where
    it is another; None where Playwright is to find its own.
    """
    found = list(browsers)
    return {
        "executables": {each.name: str(each.executable) if each.executable else None for each in found},
        "windowed": {each.name: str(each.windowed) if each.windowed else None for each in found},
    }


def driver_package() -> Path:
    """Return the playwright-core of the worker's own Playwright."""
    import playwright  # kept from module level: a caller that has no Playwright can still look for a system browser

    return Path(playwright.__file__).parent / "driver" / "package"


def revision_of(package: Path, name: str) -> str | None:
    """Return the revision of a program that a playwright-core wants to download; None if it names none."""
    try:
        listed = json.loads((package / "browsers.json").read_text(encoding="utf-8"))["browsers"]
    except (OSError, ValueError, KeyError):
        return None
    return next((str(each["revision"]) for each in listed if each["name"] == name), None)


def _own_build(name: BrowserName, folder: Path, package: Path | None) -> Path | None:
    """Return the folder of a Playwright's build of a browser, downloaded or not; None if it knows none of that name."""
    build = _HEADLESS_BUILD[name]
    try:
        revision = revision_of(package or driver_package(), build)
    except ImportError:
        return None
    return folder / f"{build.replace('-', '_')}-{revision}" if revision else None


def _on_path(environ: Mapping[str, str], *names: str) -> list[str]:
    found = (shutil.which(name, path=environ.get("PATH", os.defpath)) for name in names)
    return [path for path in found if path]


def _runs(program: Path) -> bool:
    return os.access(program, os.X_OK) and program.is_file()
