"""Isolation of test code, by process user and bounds, from the worker, from other jobs and from the machine.

The worker is root, or may be less: on Fargate it keeps of root's capabilities only those to become another user and to end
other users' processes. It may not override permissions, nor give files away. So what both have to get at belongs to a group
that the worker has joined and the tests run in: folders are lent with the mode 2770, which hands the group on to all that is
made in them, and both work with the umask 007.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from wainwright.worker.sandbox.bounds import SuiteBounds

UMASK = 0o007
"""Of the worker and of test code: files are their owner's and the group's."""

_REMOVE_TREE = """\
import os, shutil, sys
def remove_tree(folder):
    os.chmod(folder, 0o770)
    for parent, folders, _ in os.walk(folder):
        for name in folders:
            if not os.path.islink(os.path.join(parent, name)):
                os.chmod(os.path.join(parent, name), 0o770)
    shutil.rmtree(folder, ignore_errors=True)
"""
_REMOVE = f"{_REMOVE_TREE}for folder in sys.argv[1:]: remove_tree(folder)"
_CLEAR = f"""{_REMOVE_TREE}
for process in filter(str.isdigit, os.listdir("/proc")):
    try:
        if int(process) != os.getpid() and os.stat("/proc/" + process).st_uid == os.getuid():
            sys.exit()
    except FileNotFoundError:
        pass
for path in sys.argv[1:]:
    try:
        os.unlink(path)
    except IsADirectoryError:
        remove_tree(path)
    except OSError:
        pass
"""
"""Run as the process user: nothing is removed while another process of that user runs, which may be another worker's suite."""
REMOVE_SECONDS = 60
MAX_FOLDERS = 1_000
"""On one command line."""


@dataclass(frozen=True)
class ProcessUser:
    """The user that test code runs as. The worker has joined the group ``gid``."""

    uid: int
    gid: int
    name: str


@dataclass(frozen=True)
class Isolation:
    """Process user and bounds of a suite. Without a user it runs as the worker itself does, and folders are left as they are."""

    user: ProcessUser | None = None
    bounds: SuiteBounds = field(default_factory=SuiteBounds)

    @property
    def user_names(self) -> dict[str, str]:
        """Variables for programs that ask who they are, where the user may have no account."""
        return {"USER": self.user.name, "LOGNAME": self.user.name} if self.user else {}

    def lend(self, folder: Path) -> None:
        """Let test code read and write the folder, and both sides whatever either makes in it from now on."""
        self._give(folder, 0o2770)

    def show(self, folder: Path) -> None:
        """Let test code read the folder, and whatever the worker makes in it from now on."""
        self._give(folder, 0o2750)

    def let_through(self, folder: Path) -> None:
        """Let test code go through the folder to what it knows the name of."""
        self._give(folder, 0o710)

    def _give(self, folder: Path, mode: int) -> None:
        if self.user is None:
            return
        # By a descriptor, and of no link: it may lie where test code could have put one.
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            os.fchown(opened, -1, self.user.gid)
            os.fchmod(opened, mode)
        finally:
            os.close(opened)

    def show_file(self, path: Path) -> None:
        """Let test code read a file of the worker's, in a folder that it may go through."""
        if self.user is not None:
            os.chown(path, -1, self.user.gid)
            path.chmod(0o640)

    def lend_tree(self, folder: Path) -> None:
        """Lend a folder with all that is in it. Nothing of a suite may run yet."""
        if self.user is None:
            return
        self.lend(folder)
        for parent, folders, files in os.walk(folder):
            for name in folders:
                if not (path := Path(parent, name)).is_symlink():
                    self.lend(path)
            for name in files:
                self._lend_file(Path(parent, name))

    def _lend_file(self, path: Path) -> None:
        if self.user is None or path.is_symlink():
            return
        mode = stat.S_IMODE(path.stat().st_mode)
        os.chown(path, -1, self.user.gid)
        path.chmod(mode | 0o060 | (0o010 if mode & 0o100 else 0))

    def remove(self, *folders: Path) -> None:
        """Remove folders with what test code left in them, as far as that can be done: it must not fail a finished suite."""
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
        left = [folder for folder in folders if folder.exists()]
        if not left or self.user is None:
            return
        # What the tests made for themselves alone, only they can remove, for a worker that may not override permissions.
        theirs = [path for folder in left for path in self._made_folders(folder)]
        if self._run_as_user(_REMOVE, theirs):  # else it is removed with the worker
            for folder in left:
                shutil.rmtree(folder, ignore_errors=True)

    def clear_shared(self, places: Iterable[Path] | None = None) -> None:
        """Remove what test code left where anybody may write, once nothing of it runs any more, so that the next job's does not
        find it. Does nothing without a process user: the files are not told apart then."""
        if self.user is None:
            return
        # The program itself looks for processes of the user: /proc may hide them from others.
        left = [str(path) for place in places or find_shared() for path in _entries(place) if self._is_made(path)]
        for at in range(0, len(left), MAX_FOLDERS):
            self._run_as_user(_CLEAR, left[at : at + MAX_FOLDERS])

    def _run_as_user(self, program: str, arguments: Sequence[str]) -> bool:
        """Run a program as the process user; False where it did not end in time."""
        if self.user is None:
            return False
        try:
            subprocess.run(
                [sys.executable, "-I", "-S", "-c", program, *arguments],
                user=self.user.uid, group=self.user.gid, extra_groups=[], umask=UMASK, cwd="/", env={},
                timeout=REMOVE_SECONDS, check=False, stdin=subprocess.DEVNULL, capture_output=True,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return False
        return True

    def _made_folders(self, folder: Path) -> list[str]:
        """Return the topmost folders that test code made."""
        found: list[str] = []
        for parent, names, _ in os.walk(folder):
            theirs = {name for name in names if self._is_made(Path(parent, name))}
            found += [os.path.join(parent, name) for name in sorted(theirs)]  # noqa: PTH118
            names[:] = [name for name in names if name not in theirs]
        return found[:MAX_FOLDERS]

    def _is_made(self, folder: Path) -> bool:
        try:
            return self.user is not None and folder.lstat().st_uid == self.user.uid
        except OSError:
            return False


def find_shared() -> list[Path]:
    """Return the folders of this machine in which anybody may write, and not only in the suite's own."""
    below = [path for folder in ("/", "/var", "/dev", "/run") for path in _entries(Path(folder))]
    return [path for path in below if _may_anybody_write(path)]


def _may_anybody_write(path: Path) -> bool:
    try:
        mode = path.lstat().st_mode
    except OSError:
        return False
    return stat.S_ISDIR(mode) and bool(mode & stat.S_IWOTH)


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []  # not on this platform


def write_anew(path: Path, content: bytes) -> None:
    """Write a file where test code may have been before: not into what a link of its own names."""
    path.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, 0o666), "wb") as file:
        file.write(content)


NOT_ISOLATED = Isolation()
"""The worker's own user, without bounds."""
