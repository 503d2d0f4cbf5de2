"""Installing what pip cannot: packages of the system, where this user may."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache

OUTPUT_LINES_SHOWN = 15


class StepFailed(Exception):
    """A step of the set-up failed; the message is one line that says what to do next."""


def say(message: str) -> None:
    """Print one line of progress to standard error, which leaves standard output to the command that follows."""
    print(f"==> {message}", file=sys.stderr, flush=True)


def run_quietly(command: Sequence[str], environment: Mapping[str, str] | None = None) -> bool:
    """Run a command; show the end of its output only if it fails.

    Returns whether it exited 0.
    """
    done = subprocess.run(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        for line in done.stdout.splitlines()[-OUTPUT_LINES_SHOWN:]:
            print(f"    {line}", file=sys.stderr)
    return done.returncode == 0


@cache
def _privilege() -> tuple[str, ...] | None:
    """Return the prefix that runs a command as root without asking for a password, or None if there is none."""
    if os.geteuid() == 0:
        return ()
    sudo = shutil.which("sudo")
    if sudo and subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode == 0:
        return (sudo, "-n")
    return None


def may_install() -> bool:
    """Return True if this is a Debian-like system and this user may install its packages without being asked."""
    return shutil.which("apt-get") is not None and _privilege() is not None


def install(*packages: str) -> bool:
    """Install Debian packages by name, after fetching the package lists. Returns whether that worked."""
    return _apt_get("update") and _install(packages)


def install_first(*packages: str) -> bool:
    """Install the first of these packages that this system's lists have, after fetching them. Returns whether that worked."""
    if not _apt_get("update"):
        return False
    return _install([next(filter(_is_listed, packages), packages[-1])])


def _is_listed(package: str) -> bool:
    return subprocess.run(["apt-cache", "show", package], capture_output=True, check=False).returncode == 0


def _install(packages: Sequence[str]) -> bool:
    say(f"installing {', '.join(packages)} with apt-get")
    return _apt_get("install", "--yes", "--no-install-recommends", *packages)


def _apt_get(*arguments: str) -> bool:
    prefix = _privilege()
    if not may_install() or prefix is None:
        return False
    return run_quietly([*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", *arguments])
