"""As whom test code runs, and within which bounds: what keeps it from the worker, from other jobs and from the machine.

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

UMASK = 0o007
"""Of the worker and of test code: files are their owner's and the group's."""

_REMOVE = """\
import os, shutil, sys
for folder in sys.argv[1:]:
    os.chmod(folder, 0o770)
    for parent, folders, _ in os.walk(folder):
        for name in folders:
            if not os.path.islink(os.path.join(parent, name)):
                os.chmod(os.path.join(parent, name), 0o770)
    shutil.rmtree(folder, ignore_errors=True)
"""
_CLEAR = """\
import os, shutil, sys
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
        os.chmod(path, 0o770)
        for parent, folders, _ in os.walk(path):
            for name in folders:
                if not os.path.islink(os.path.join(parent, name)):
                    os.chmod(os.path.join(parent, name), 0o770)
        shutil.rmtree(path, ignore_errors=True)
    except OSError:
        pass
"""
"""As whom the tests ran: nothing is removed while another process of that user runs, which may be another worker's suite."""
SHARED = (Path("/tmp"), Path("/var/tmp"), Path("/dev/shm"))  # noqa: S108 - what others may leave there is what this is about
"""Folders in which anybody may write, in place of the temporary folder that a suite has of its own."""
REMOVE_SECONDS = 60
MOST_FOLDERS = 1_000
"""On one command line."""


@dataclass(frozen=True)
class TestUser:
    """Whom test code runs as. The worker has joined the group ``gid``."""

    __test__ = False

    uid: int
    gid: int
    name: str


@dataclass(frozen=True)
class SuiteBounds:
    """The most that all processes of one suite may take together, or each of them where it says so; None: unbounded.

    ``memory_bytes`` counts what is not backed by files; ``processes`` counts threads as well; ``cpu_seconds`` and
    ``open_files`` are those of each process, ``file_bytes`` those of each file; ``disk_bytes`` is what lies in the bundle's
    folder, in the evidence, in the home and in the temporary folder.
    """

    memory_bytes: int | None = None
    cpu_seconds: int | None = None
    processes: int | None = None
    open_files: int | None = None
    file_bytes: int | None = None
    disk_bytes: int | None = None


SETTINGS = {
    "memory": "WAINWRIGHT_TEST_MEMORY_BYTES",
    "cpu": "WAINWRIGHT_TEST_CPU_SECONDS",
    "processes": "WAINWRIGHT_TEST_PROCESSES",
    "disk": "WAINWRIGHT_TEST_DISK_BYTES",
}
"""Bounds by which a suite can be ended -> the settings that they come from."""


@dataclass(frozen=True)
class Isolation:
    """How a suite is set apart. Without a user it runs as the worker itself does, and folders are left as they are."""

    user: TestUser | None = None
    bounds: SuiteBounds = field(default_factory=SuiteBounds)

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
        theirs = [path for folder in left for path in self._theirs(folder)]
        if self._as_them(_REMOVE, theirs):  # else it goes with the worker
            for folder in left:
                shutil.rmtree(folder, ignore_errors=True)

    def clear_shared(self, places: Iterable[Path] = SHARED) -> None:
        """Remove what test code left where anybody may write, so that the next job's does not find it. To be called when
        nothing of it runs any more; does nothing where it runs as the worker itself, whose files cannot be told from its.
        """
        if self.user is None:
            return
        # Whether a process of theirs looks is for them to find: /proc may hide it from others.
        left = [str(path) for place in places for path in _entries(place) if self._made(path)]
        if left:
            self._as_them(_CLEAR, left[:MOST_FOLDERS])

    def _as_them(self, program: str, arguments: Sequence[str]) -> bool:
        """Run a program as whom the tests run as; False where it did not end in time."""
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

    def _theirs(self, folder: Path) -> list[str]:
        """The topmost folders that test code made."""
        found: list[str] = []
        for parent, names, _ in os.walk(folder):
            theirs = {name for name in names if self._made(Path(parent, name))}
            found += [os.path.join(parent, name) for name in sorted(theirs)]  # noqa: PTH118
            names[:] = [name for name in names if name not in theirs]
        return found[:MOST_FOLDERS]

    def _made(self, folder: Path) -> bool:
        try:
            return self.user is not None and folder.lstat().st_uid == self.user.uid
        except OSError:
            return False


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
"""As the worker itself, without bounds."""
