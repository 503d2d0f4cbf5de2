"""Files that test code wrote, taken out of its reach, so that what was looked at is what leaves.

Test code may write in the folder for evidence at any time: between a look at a file and its upload it could put a link in the
file's place, or in that of a folder above, and have the worker publish any file that the worker may read. So a file is moved
into a folder of the worker's own first, by descriptors of folders that are no links, and looked at there.
"""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import ExitStack
from itertools import count
from pathlib import Path

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class UntrustedFiles:
    """Moves files from below `output` into a folder beside it, or in the one named.

    `owner` is the user id that they must belong to, if any: a second name of another's file is as good as a link to it.
    `reason` says why the last file could not be taken.
    """

    def __init__(self, output: Path, owner: int | None = None, beside: Path | None = None) -> None:
        self._output = output
        self._beside = beside or output.parent
        self._owner = owner
        self._kept: Path | None = None
        self.reason = ""
        self._numbers = count(1)

    def take(self, path: Path) -> tuple[Path, int] | None:
        """Return the file's new path, and its size in bytes; None if it is no regular file below our folder that may be read."""
        self.reason = "it is not a file of the tests in the folder for evidence"
        try:
            parts = path.relative_to(self._output).parts
        except ValueError:
            return None
        if not parts or ".." in parts:
            return None
        try:
            return self._move(parts)
        except FileNotFoundError:
            self.reason = "the file was deleted before it could be stored"
        except PermissionError:
            self.reason = "the worker may not read it: give its group read permission, as the umask of the tests does"
        except (OSError, ValueError):
            pass  # a link, a folder, or no name of a file at all
        return None

    def _move(self, parts: tuple[str, ...]) -> tuple[Path, int] | None:
        folder = self.new_folder()
        *above, name = parts
        with ExitStack() as opened:

            def open_at(path: Path | str, flags: int, within: int | None = None) -> int:
                descriptor = os.open(path, flags, dir_fd=within)
                opened.callback(os.close, descriptor)
                return descriptor

            source = open_at(self._output, _FOLDER)
            for part in above:
                source = open_at(part, _FOLDER, source)
            target = open_at(folder, _FOLDER)
            os.rename(name, name, src_dir_fd=source, dst_dir_fd=target)
            found = os.fstat(open_at(name, _FILE, target))
        theirs = self._owner is None or found.st_uid == self._owner
        return (folder / name, found.st_size) if stat.S_ISREG(found.st_mode) and theirs else None

    def new_folder(self) -> Path:
        """Make one more folder of the worker's own, empty."""
        if self._kept is None:
            self._kept = Path(tempfile.mkdtemp(prefix="kept-", dir=self._beside))
        folder = self._kept / str(next(self._numbers))
        folder.mkdir(mode=0o700)
        return folder
