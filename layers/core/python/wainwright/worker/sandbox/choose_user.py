"""Whom test code runs as on this machine: found out once, when a worker starts."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from wainwright.worker.sandbox.find_browser import BrowserMissing, browsers_path, find_browser
from wainwright.worker.sandbox.isolation import TestUser
from wainwright.worker.sandbox.process import CHILD_PATH

ACCOUNT = "tester"
"""The account that the worker's image makes for tests."""

FIRST_UID = 0x7000_0000
"""Where there is no such account: a user of the worker's own, this number plus the worker's process id. Above what Linux
distributions, containers (up to 0x6FFF_FFFF) and name services hand out, so it is nobody else's.
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
class Chosen:
    """Whom test code runs as: None for the worker's own user, and ``why``, in one line."""

    user: TestUser | None
    why: str


def choose_user(wanted: str | None, work_dir: Path) -> Chosen:
    """Whom test code runs as; the worker joins that user's group, and lets it through ``work_dir``.

    ``wanted`` is a name or a number, as the setting says it: the worker's own means that there is to be no other. Without it,
    a worker that may become another user does, and any other runs test code as itself.

    Raises:
        UserUnusable: somebody was asked for whom it cannot be run as.
    """
    user = _candidate(wanted)
    if isinstance(user, TestUser):
        if user.uid == os.geteuid():
            return Chosen(None, f"as the worker itself, which is what WAINWRIGHT_TEST_USER={wanted} asks for")
        refused = _try(user, work_dir)
        if refused is None:
            return Chosen(user, f"as {user.name} ({user.uid})")
    else:
        refused = user
    if wanted is not None:
        raise UserUnusable(f"WAINWRIGHT_TEST_USER={wanted}: {refused}")
    return Chosen(None, f"as the worker itself: {refused}")


def _candidate(wanted: str | None) -> TestUser | str:
    """Whom it should be, or why it can be nobody else."""
    named = _named(wanted) if wanted is not None else None
    if wanted is not None and named is None:
        return "there is no such account"
    if named is not None and named.uid == os.geteuid():
        return named
    if not sys.platform.startswith("linux"):
        return "running them as another user is for Linux alone"
    if os.geteuid() != 0:
        return "only root can become another user"
    own = FIRST_UID + os.getpid()
    return named or _named(ACCOUNT) or TestUser(own, own, ACCOUNT)


def _named(wanted: str) -> TestUser | None:
    """The user of a name, or of a number, which need not have an account."""
    entry = _account(int(wanted) if wanted.isdigit() else wanted)
    if entry is not None:
        return TestUser(entry.pw_uid, entry.pw_gid, entry.pw_name)
    return TestUser(int(wanted), int(wanted), ACCOUNT) if wanted.isdigit() else None


def _account(who: str | int) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(who) if isinstance(who, str) else pwd.getpwuid(who)
    except KeyError:
        return None


def _try(user: TestUser, work_dir: Path) -> str | None:
    """Join the user's group and look at what is needed with the user's eyes; None if all is there, else why not."""
    try:
        if user.gid not in os.getgroups():
            os.setgroups([*os.getgroups(), user.gid])
        os.chown(work_dir, -1, user.gid)
        work_dir.chmod(0o710)
        probe = subprocess.run(
            [sys.executable, "-I", "-c", _PROBE, *map(str, _needed(work_dir))],
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
    said: Sequence[str] = probe.stderr.strip().splitlines()
    return f"{user.name} ({user.uid}) cannot read {said[-1] if said else sys.executable}"


def _needed(work_dir: Path) -> Iterable[Path]:
    """What test code needs besides the interpreter and its packages."""
    yield from (CHILD_PATH, Path(sys.prefix))
    browser = find_browser()
    if isinstance(browser, BrowserMissing):
        return
    yield browser.executable or browsers_path(os.environ)
