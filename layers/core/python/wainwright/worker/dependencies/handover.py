"""Handover of environments between the process user, the worker, and the next suite.

An installer runs as test code does, so what it made belongs to the process user: the worker keeps a copy of its own. A suite
with a process user is given a view: folders of its own, in which it may write as it is used to, with the worker's files linked
into them, which it may read. So nothing that a job does to its environment reaches the next one.
"""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

from wainwright.worker.sandbox.isolation import Isolation

_FILE, _PROGRAM, _FOLDER = 0o644, 0o755, 0o755
"""Modes of what is kept. The folders above it decide who may get at it at all."""


def take_over(made: Path, kept: Path, isolation: Isolation) -> None:
    """Fill an empty folder with what an installer made, which is gone or of no use afterwards."""
    for entry in list(made.iterdir()):
        if isolation.user is None:
            shutil.move(entry, kept / entry.name)
        elif entry.is_dir() and not entry.is_symlink():
            shutil.copytree(entry, kept / entry.name, symlinks=True)
        else:
            shutil.copy2(entry, kept / entry.name, follow_symlinks=False)
    if isolation.user is not None:
        _set_modes(kept)


def make_view(kept: Path, folder: Path, isolation: Isolation) -> Path:
    """Return the environment as a suite may use it: itself without a process user, else a view, made in ``folder``."""
    if isolation.user is None:
        return kept
    folder.mkdir()
    isolation.lend(folder)
    for parent, folders, files in os.walk(kept):
        target = folder / Path(parent).relative_to(kept)
        for name in folders:
            if Path(parent, name).is_symlink():
                _link(Path(parent, name), target / name)
            else:
                (target / name).mkdir()
                isolation.lend(target / name)
        for name in files:
            _link(Path(parent, name), target / name)
    return folder


def _link(source: Path, target: Path) -> None:
    if source.is_symlink():
        target.symlink_to(source.readlink())
        return
    try:
        target.hardlink_to(source)
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.EPERM, errno.EMLINK):
            raise
        shutil.copy2(source, target)  # kept on another disk


def _set_modes(folder: Path) -> None:
    for parent, folders, files in os.walk(folder):
        for path in (Path(parent, name) for name in (*folders, *files)):
            if not path.is_symlink():
                program = path.stat().st_mode & 0o100
                path.chmod(_FOLDER if path.is_dir() else _PROGRAM if program else _FILE)
