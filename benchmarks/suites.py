"""Suites of short browser tests, and how they are run directly: with the same browser and flags that a worker gives them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from benchmarks.playwright_test import EXAMPLE, MANIFESTS, Rival
from benchmarks.processes import PROC, WORKER, await_rest, count
from benchmarks.systems import System
from wainwright.worker.sandbox.find_browser import QUIET_FLAGS, BrowserMissing, find_browser
from wainwright.worker.sandbox.spares import OPTIONAL_PLUGINS

EVIDENCE = {"trace": "on", "screenshot": "off", "video": "off"}
"""Of a job's ``config``: what both sides keep. A worker would keep screenshots too, which ``pytest`` by itself does not."""

RUN_SECONDS = 600

NO_OTHERS = tuple(option for plugin in ("playwright-asyncio", *OPTIONAL_PLUGINS) for option in ("-p", f"no:{plugin}"))
"""Options of pytest: plugins that merely happen to be installed here are left out, as a worker leaves them out."""

_PAGE = "<button onclick='this.nextElementSibling.textContent = `clicked`'>Press {number}</button><output>-</output>"

_PYTHON = """\
import re

import pytest
from playwright.sync_api import Page, expect


@pytest.mark.parametrize("number", range({tests}), ids=str)
def test_press(page: Page, number: int) -> None:
    page.set_content({page!r}.format(number=number))
    page.get_by_role("button", name=f"Press {{number}}", exact=True).click()
    expect(page.get_by_role("status")).to_have_text(re.compile("clicked"))
"""

_TYPESCRIPT = """\
import {{ expect, test }} from '@playwright/test';

for (let number = 0; number < {tests}; number++) {{
  test(`press ${{number}}`, async ({{ page }}) => {{
    await page.setContent({page}.replace('{{number}}', String(number)));
    await page.getByRole('button', {{ name: `Press ${{number}}`, exact: true }}).click();
    await expect(page.getByRole('status')).toHaveText(/clicked/);
  }});
}}
"""

_CONFIGURATION = """\
import {{ defineConfig }} from '@playwright/test';

export default defineConfig({{
  fullyParallel: true,
  workers: {workers},
  reporter: 'line',
  use: {{ trace: 'on'{use} }},
}});
"""

_CONFTEST = """\
import pytest


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    return {{**browser_type_launch_args, **{options!r}}}
"""


_MEETING = """\
import os, pathlib, time
import pytest

FOLDER = pathlib.Path({folder!r})


@pytest.mark.parametrize("number", range(4 * {workers}), ids=str)
def test_meets(number):
    (FOLDER / str(os.getpid())).touch()
    deadline = time.monotonic() + 60
    while len(os.listdir(FOLDER)) < {workers} and time.monotonic() < deadline:
        time.sleep(0.05)
"""


def meet(system: System, folder: Path, workers: int) -> None:
    """Have so many workers there: by a job whose tests, in a file that no other job has, wait for each other."""
    meeting = Path(tempfile.mkdtemp(prefix="meeting-", dir=folder))
    meeting.chmod(0o777)  # tests may have a user of their own
    content = _MEETING.format(folder=str(meeting), workers=workers)
    system.run(scripts=[{"name": "test_meeting.py", "content": content}], parallelism=workers)


def warmed(system: System, folder: Path, workers: int) -> None:
    """Wait until so many workers are there, each with its spare, and at rest. Those that have gone, as workers do after a
    minute without work, are called back first.
    """
    if PROC.is_dir() and count(system.pid, WORKER) < workers:
        meet(system, folder, workers)
    await_rest(system, workers)


def python_suite(tests: int) -> str:
    """A test file of so many tests."""
    return _PYTHON.format(tests=tests, page=_PAGE)


def write_typescript_suite(folder: Path, tests: int, *, workers: int, use: str = "") -> None:
    """The same for Playwright Test, with its configuration, package.json and lock; ``use`` are further options."""
    folder.mkdir(parents=True)
    (folder / "press.spec.ts").write_text(_TYPESCRIPT.format(tests=tests, page=json.dumps(_PAGE)))
    (folder / "playwright.config.ts").write_text(_CONFIGURATION.format(workers=workers, use=use))
    for name in MANIFESTS:
        shutil.copyfile(EXAMPLE / name, folder / name)


class DirectPytest:
    """A folder with a Python suite, for ``pytest`` as anybody would start it."""

    def __init__(self, folder: Path, script: str) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        (folder / "test_script.py").write_text(script)
        (folder / "conftest.py").write_text(_CONFTEST.format(options=_launch_options("chromium_sandbox")))
        (folder / "pytest.ini").write_text("[pytest]\n")
        self._command = [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *NO_OTHERS, "-c", str(folder / "pytest.ini")),
            *("--rootdir", str(folder), "--browser", "chromium", "--tracing", EVIDENCE["trace"]),
            *("--output", str(folder / "results"), str(folder)),
        ]  # fmt: skip

    def run(self, *options: str, variables: Mapping[str, str] | None = None) -> None:
        """Run it; it has to pass."""
        _run("pytest", [*self._command, *options], self.folder, variables)


class DirectPlaywrightTest:
    """A folder with a TypeScript suite, for ``playwright test``."""

    def __init__(self, folder: Path, tests: int, rival: Rival) -> None:
        options = json.dumps(_launch_options("chromiumSandbox", "executablePath"))
        write_typescript_suite(folder, tests, workers=1, use=f", launchOptions: {options}")
        rival.lend(folder)
        self.folder = folder
        self._rival = rival

    def run(self, *options: str) -> None:
        """Run it; it has to pass."""
        _run("playwright test", self._rival.command(*options), self.folder, {"CI": "1"})


def _launch_options(sandbox: str, executable: str = "executable_path") -> dict[str, object]:
    """Options of a launch that a worker adds."""
    browser = find_browser()
    if isinstance(browser, BrowserMissing):
        raise SystemExit(browser.message)
    options: dict[str, object] = {"args": [*QUIET_FLAGS], sandbox: False}
    return options | ({executable: str(browser.executable)} if browser.executable else {})


def _run(name: str, command: list[str], folder: Path, variables: Mapping[str, str] | None) -> None:
    # Workers keep compiled files, whatever this process was told.
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        command, cwd=folder, env=inherited | dict(variables or {}), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, check=False, timeout=RUN_SECONDS,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"{name} failed, so that there is nothing to compare with:\n{done.stdout[-4_000:]}")
