"""Installed environments on disk: each made once, used by many jobs at a time, dropped when it was not used for long.

`<root>/<project>/<digest>/` is an environment. `<digest>.lock` is locked shared while it is used, exclusively while it is made
or removed. Locks are the kernel's (flock), so a process that dies leaves none behind. Until it is whole, an environment that is
being made has another name: `<digest>.<random>.part`.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from wainwright.worker.dependencies.installer import measure_folder

MADE = "environment.json"
"""Written last; its time of change is when the environment was last used."""

POLL_SECONDS = 0.1


class EnvironmentCache:
    """The environments below one folder, for each project its own: none can put something into another's.
    `max_bytes` are kept in all, and each environment for `max_days` after its last use."""

    def __init__(self, root: Path, max_bytes: int = 5 * 1024**3, max_days: int = 14) -> None:
        self._root = root
        self._max_bytes = max_bytes
        self._max_days = max_days

    @contextmanager
    def use(
        self,
        project: str,
        digest: str,
        make: Callable[[Path], None],
        *,
        waiting: Callable[[], None],
        found: Callable[[], None],
    ) -> Iterator[Path]:
        """Yield the environment of a digest, made by ``make`` (which fills a folder) if it is not there; it stays until the end.

        ``waiting`` is called again and again while another process makes it, and may raise; ``found`` is called where nothing
        had to be made. If ``make`` raises, nothing is kept.
        """
        folder = self._folder(project) / digest
        made = False
        while True:
            with self._locked(folder, fcntl.LOCK_SH, waiting):
                if (folder / MADE).is_file():
                    os.utime(folder / MADE)
                    # Pruning leaves alone what is in use, and so this one, which may be over the bound by itself.
                    (self.prune if made else found)()
                    yield folder
                    return
            with self._locked(folder, fcntl.LOCK_EX, waiting):
                if not (folder / MADE).is_file():
                    self._make(folder, make)
                    made = True

    def prune(self) -> None:
        """Remove what was not used for long, the longest first while all is too much, and what others left half done."""
        now = time.time()
        kept = 0
        # The latest use first: what is beyond the bound are those that were not used for longest.
        for used, folder, size in sorted(self._environments(), reverse=True):
            kept += size
            if kept > self._max_bytes or now - used > self._max_days * 86_400:
                self._remove(folder, [folder])
        for part in self._root.glob("*/*.part"):
            folder = part.with_name(part.name.partition(".")[0])
            self._remove(folder, list(part.parent.glob(f"{folder.name}.*.part")))

    def _folder(self, project: str) -> Path:
        folder = self._root / hashlib.sha256(project.encode()).hexdigest()[:16]
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _make(self, folder: Path, make: Callable[[Path], None]) -> None:
        for left in folder.parent.glob(f"{folder.name}.*.part"):
            remove_tree(left)  # by one that died, since the lock is ours
        part = folder.with_name(f"{folder.name}.{uuid.uuid4().hex[:8]}.part")
        part.mkdir()
        try:
            make(part)
            size, files = measure_folder(part)
            (part / MADE).write_text(json.dumps({"bytes": size, "files": files}), encoding="utf-8")
            part.rename(folder)
        finally:
            if part.exists():
                remove_tree(part)

    def _environments(self) -> Iterator[tuple[float, Path, int]]:
        for made in self._root.glob(f"*/*/{MADE}"):
            try:
                yield made.stat().st_mtime, made.parent, int(json.loads(made.read_text(encoding="utf-8"))["bytes"])
            except (OSError, ValueError, KeyError, TypeError):
                continue  # another process has just removed it

    def _remove(self, folder: Path, what: list[Path]) -> None:
        """Remove paths of an environment, unless it is in use or being made."""
        lock = _try_lock(folder.with_suffix(".lock"), fcntl.LOCK_EX)
        if lock is None:
            return
        try:
            for each in what:
                remove_tree(each)
            if not folder.exists():
                folder.with_suffix(".lock").unlink(missing_ok=True)
        finally:
            os.close(lock)

    @contextmanager
    def _locked(self, folder: Path, kind: int, waiting: Callable[[], None]) -> Iterator[None]:
        while (lock := _try_lock(folder.with_suffix(".lock"), kind)) is None:
            waiting()
            time.sleep(POLL_SECONDS)
        try:
            yield
        finally:
            os.close(lock)


def _try_lock(path: Path, kind: int) -> int | None:
    """Return a descriptor that holds the lock, or None while others have it, or the file has just been removed."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(lock), os.stat(path)):  # noqa: PTH116 - beside fstat
            return lock
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(lock)
    return None


def remove_tree(folder: Path) -> None:
    """Remove a folder, also where packages made theirs read-only."""
    for parent, folders, _ in os.walk(folder):
        for name in folders:
            path = Path(parent, name)
            if not path.is_symlink():
                path.chmod(0o700)
    shutil.rmtree(folder)
