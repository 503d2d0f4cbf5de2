"""Sees to it that Playwright runs and a Chromium starts: one installed, else Playwright's, else the system's package.

Run by `make` with .venv/bin/python; run from the root of the checkout.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from scripts.system_packages import install, install_first, may_install, run_quietly, say
from wainwright.worker.sandbox.find_browser import CHROMIUM_NAMES, CHROMIUM_PLACES, SHELL_NAME

ROOT = Path(__file__).resolve().parent.parent
STAMP = ROOT / ".venv" / ".stamp-browser"
PACKAGES = ("chromium-headless-shell", "chromium")
START_SECONDS = 30
DOWNLOAD_SECONDS = 600
ADVICE = (
    "no Chromium could be found or installed; install one (Debian: sudo apt-get install chromium, "
    "macOS: brew install --cask chromium, elsewhere: .venv/bin/playwright install --with-deps chromium) "
    "and run make again."
)
DRIVER_ADVICE = (
    "Playwright's driver does not start, as shown above; install the library that it lacks "
    "(Debian, Ubuntu: sudo apt-get install libatomic1) and run make again."
)
PLAYWRIGHT = (sys.executable, "-m", "playwright")


def driver_runs() -> bool:
    """Return True if Playwright's own Node.js runs; where this user may, the library that a bare Debian lacks is installed."""
    version = [*PLAYWRIGHT, "--version"]
    if subprocess.run(version, capture_output=True, check=False).returncode == 0:
        return True
    if may_install():
        install("libatomic1")
    return run_quietly(version)


def starts(browser: Path) -> bool:
    """Return True if this executable is a browser whose libraries are all there: `--version` loads them."""
    try:
        done = subprocess.run([browser, "--version"], capture_output=True, timeout=START_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def installed() -> Iterator[Path]:
    """Yield the places where a Chromium or Chrome of the system is installed."""
    commands = (shutil.which(name) for name in (SHELL_NAME, *CHROMIUM_NAMES))
    yield from (Path(place) for place in (*commands, *CHROMIUM_PLACES) if place and Path(place).exists())


def playwrights_own() -> Iterator[Path]:
    """Yield the place of Playwright's own Chromium, if it has been downloaded."""
    ask = "from playwright.sync_api import sync_playwright as s\nwith s() as p: print(p.chromium.executable_path)"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=False)
    path = Path(done.stdout.strip())
    if done.returncode == 0 and path.is_file():
        yield path


def usable() -> Path | None:
    """Return the first browser that starts, or None."""
    for candidates in (installed, playwrights_own):
        for browser in candidates():
            if starts(browser):
                return browser
    return None


def download() -> bool:
    """Download Playwright's own Chromium."""
    say("no Chromium found; downloading Playwright's")
    playwright = [*PLAYWRIGHT, "install", "chromium"]
    limit = shutil.which("timeout")
    bounded = [limit, str(DOWNLOAD_SECONDS), *playwright] if limit else playwright
    done = subprocess.run(bounded, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        lines = f"{done.stdout}\n{done.stderr}".splitlines()
        reason = next((line for line in lines if line.startswith("Error:")), f"exit code {done.returncode}")
        say(f"the download failed ({reason})")
    return done.returncode == 0


def install_libraries() -> bool:
    """Install the system libraries that Playwright's Chromium needs, where this user may."""
    if not may_install() or not any(playwrights_own()):
        return False
    say("installing the system libraries that Chromium needs")
    return run_quietly([*PLAYWRIGHT, "install-deps", "chromium"])


def install_package() -> bool:
    """Install the system's Chromium: the headless shell where there is such a package, since it starts in half the time."""
    return may_install() and install_first(*PACKAGES)


STEPS = (download, install_libraries, install_package)


def ensure(find: Callable[[], Path | None] = usable, steps: Sequence[Callable[[], bool]] = STEPS) -> Path | None:
    """Return a browser that starts, taking one step after the other until there is one; None if there is none."""
    browser = find()
    for step in steps:
        if browser is not None:
            break
        if step():
            browser = find()
    return browser


def main() -> int:
    """Find or install a browser and remember it; return the exit code."""
    os.chdir(ROOT)
    if STAMP.is_file() and Path(STAMP.read_text(encoding="utf-8")).is_file():
        return 0
    if not driver_runs():
        print(f"error: {DRIVER_ADVICE}", file=sys.stderr)
        return 1
    browser = ensure()
    if browser is None:
        print(f"error: {ADVICE}", file=sys.stderr)
        return 1
    say(f"the browser is {browser}")
    STAMP.write_text(str(browser), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
