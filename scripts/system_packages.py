"""Installing what pip cannot: packages of the system, where this user may."""

from __future__ import annotations

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
    """Whether this is a Debian-like system and this user may install its packages without being asked."""
    return shutil.which("apt-get") is not None and _privilege() is not None


def install(*packages: str) -> bool:
    """Install Debian packages by name, after fetching the package lists. Returns whether that worked."""
    prefix = _privilege()
    if not may_install() or prefix is None:
        return False
    say(f"installing {', '.join(packages)} with apt-get")
    apt = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
    return run_quietly([*apt, "update"]) and run_quietly(
        [*apt, "install", "--yes", "--no-install-recommends", *packages]
    )
