"""Choice of the process user on this machine, made once, when a worker starts."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from wainwright.worker.sandbox.find_browser import BrowserMissing, browsers_path, find_browser
from wainwright.worker.sandbox.isolation import ProcessUser
from wainwright.worker.sandbox.process import CHILD_PATH

ACCOUNT = "tester"
"""The account that the worker's image makes for tests."""
FIRST_UID = 0x7000_0000
"""Without such an account: a user of the worker's own, this number plus the worker's process id. Above what Linux
distributions, containers (up to 0x6FFF_FFFF) and name services hand out, so no other has it.
"""
PROBE_SECONDS = 60
_PROBE = """\
import importlib.util, os, sys
for name in ("pytest", "playwright"):
    if importlib.util.find_spec(name) is None:
        sys.exit(f"the package {name}")
for path in sys.argv[1:]:
    if not os.access(path, os.R_OK | os.X_OK):
        sys.exit(path)
"""


class UserUnusable(Exception):
    """Test code cannot run as the user who was asked for; the message says why."""


@dataclass(frozen=True)
class ChosenUser:
    """The process user, None for the worker's own user, and ``why``, in one line."""

    user: ProcessUser | None
    why: str


def choose_user(wanted: str | None, work_dir: Path) -> ChosenUser:
    """Choose the process user; the worker joins that user's group, and lets it through `work_dir`.

    `wanted`, the setting, is a name or a number: the worker's own means that there is to be no other. Without it, a worker
    that may become another user does, and any other runs test code as itself. Raises UserUnusable if `wanted` cannot be.
    """
    user = _candidate(wanted)
    if isinstance(user, ProcessUser):
        if user.uid == os.geteuid():
            return ChosenUser(None, f"as the worker itself, because of WAINWRIGHT_TEST_USER={wanted}")
        obstacle = _find_obstacle(user, work_dir)
        if obstacle is None:
            return ChosenUser(user, f"as {user.name} ({user.uid})")
    else:
        obstacle = user
    if wanted is not None:
        raise UserUnusable(f"WAINWRIGHT_TEST_USER={wanted}: {obstacle}")
    return ChosenUser(None, f"as the worker itself: {obstacle}")


def _candidate(wanted: str | None) -> ProcessUser | str:
    """Return the user that it should be, or why it can be no other than the worker's own."""
    named = _named(wanted) if wanted is not None else None
    if wanted is not None and named is None:
        return "there is no such account"
    if named is not None and named.uid == os.geteuid():
        return named
    if not sys.platform.startswith("linux"):
        return "running them as another user is supported only on Linux"
    if os.geteuid() != 0:
        return "only root can become another user"
    own = FIRST_UID + os.getpid()
    return named or _named(ACCOUNT) or ProcessUser(own, own, ACCOUNT)


def _named(wanted: str) -> ProcessUser | None:
    """Return the user of a name, or of a number, which need not have an account."""
    try:
        entry = pwd.getpwuid(int(wanted)) if wanted.isdigit() else pwd.getpwnam(wanted)
    except KeyError:
        return ProcessUser(int(wanted), int(wanted), ACCOUNT) if wanted.isdigit() else None
    return ProcessUser(entry.pw_uid, entry.pw_gid, entry.pw_name)


def _find_obstacle(user: ProcessUser, work_dir: Path) -> str | None:
    """Join the user's group and look for what is needed as that user; return why test code cannot run so, if it cannot."""
    try:
        if user.gid not in os.getgroups():
            os.setgroups([*os.getgroups(), user.gid])
        os.chown(work_dir, -1, user.gid)
        work_dir.chmod(0o710)
        probe = subprocess.run(
            [sys.executable, "-I", "-c", _PROBE, *map(str, _needed_paths())],
            user=user.uid, group=user.gid, extra_groups=[], cwd="/", env={}, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=PROBE_SECONDS, check=False,
        )  # fmt: skip
    except PermissionError as error:
        if error.filename is None:
            return "the worker may not become another user"
        return f"{user.name} ({user.uid}) cannot run {error.filename}"
    except (OSError, subprocess.SubprocessError) as error:
        return f"{type(error).__name__}: {error}"
    if probe.returncode == 0:
        return None
    said = probe.stderr.strip().splitlines()
    return f"{user.name} ({user.uid}) cannot read {said[-1] if said else sys.executable}"


def _needed_paths() -> Iterable[Path]:
    """Yield what test code needs besides the interpreter and its packages."""
    yield from (CHILD_PATH, Path(sys.prefix))
    browser = find_browser()
    if not isinstance(browser, BrowserMissing):
        yield browser.executable or browsers_path(os.environ)
