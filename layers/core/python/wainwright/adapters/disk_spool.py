"""A spool that is a directory on a worker's disk."""

import errno
import shutil
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wainwright.contracts.names import key_group
from wainwright.domain.errors import TooLarge
from wainwright.ports.artifacts import ArtifactMissing, Artifacts
from wainwright.ports.spool import SpoolFull

_INDEX = "spool.sqlite"
_CONTENT = ".content"
_SCHEMA = """CREATE TABLE IF NOT EXISTS objects (
    arrived INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, belongs TEXT NOT NULL, type TEXT NOT NULL,
    size INTEGER NOT NULL, file TEXT NOT NULL
)"""
_USED = "SELECT coalesce(sum(size), 0) FROM objects"
_FORGET = "DELETE FROM objects WHERE key = ? RETURNING file"
_FORGET_OLDEST = """DELETE FROM objects
    WHERE belongs = (SELECT belongs FROM objects WHERE belongs <> ? ORDER BY arrived LIMIT 1) RETURNING file"""
_LOCK_SECONDS = 30.0
"""For another process that writes the index."""

_ABANDONED_SECONDS = 3_600.0
"""A content that nothing in the index names for so long was left by a process that died while it wrote."""


@dataclass
class DiskSpool:
    """:class:`~wainwright.ports.spool.Spool` in one directory, which several processes may share.

    Each object is a file; an SQLite file knows which. When a new object would take the whole beyond ``max_bytes``, reports
    go, the oldest first and each as a whole, but never that of the new object itself.
    """

    directory: Path
    max_bytes: int
    _tidied: bool = field(default=False, init=False)

    def put(self, key: str, content: bytes, content_type: str) -> None:
        self._keep(key, content_type, len(content), lambda target: target.write_bytes(content))

    def put_file(self, key: str, file: Path, content_type: str) -> None:
        self._keep(key, content_type, file.stat().st_size, lambda target: shutil.copyfile(file, target))

    def get(self, key: str, *, most: int | None = None) -> tuple[bytes, str]:
        path, content_type, size = self._find(key)
        if most is not None and size > most:
            raise TooLarge(f"{key} has {size} bytes, more than {most}")
        try:
            return path.read_bytes(), content_type
        except FileNotFoundError as error:
            raise ArtifactMissing(key) from error

    def has(self, key: str) -> bool:
        return bool(self._rows("SELECT 1 FROM objects WHERE key = ?", key))

    def keys(self, prefix: str) -> list[str]:
        query = "SELECT key FROM objects WHERE substr(key, 1, length(?1)) = ?1 ORDER BY arrived"
        return [key for (key,) in self._rows(query, prefix)]

    def upload(self, key: str, artifacts: Artifacts) -> None:
        path, content_type, _ = self._find(key)
        try:
            artifacts.put_file(key, path, content_type)
        except FileNotFoundError as error:
            raise ArtifactMissing(key) from error

    def delete(self, key: str) -> None:
        self._remove(self._rows(_FORGET, key))

    def _find(self, key: str) -> tuple[Path, str, int]:
        found = self._rows("SELECT file, type, size FROM objects WHERE key = ?", key)
        if not found:
            raise ArtifactMissing(key)
        file, content_type, size = found[0]
        return self.directory / file, content_type, size

    def _rows(self, query: str, value: str) -> list[Any]:
        if not (self.directory / _INDEX).is_file():
            return []
        with self._index() as index:
            return index.execute(query, (value,)).fetchall()

    def _keep(self, key: str, content_type: str, size: int, write: Callable[[Path], object]) -> None:
        try:
            self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._tidy()
            path = self.directory / f"{uuid.uuid4().hex}{_CONTENT}"
            try:
                if size <= self.max_bytes:
                    write(path)
                gone = self._enter(key, content_type, size, path.name)
            except BaseException:
                path.unlink(missing_ok=True)
                raise
        except (OSError, sqlite3.OperationalError) as error:
            if not _is_full(error):
                raise
            raise SpoolFull(f"the disk of {self.directory} is full") from error
        self._remove(gone)

    def _enter(self, key: str, content_type: str, size: int, file: str) -> list[tuple[str]]:
        """Add the object to the index, in place of older ones if need be; returns the files of those."""
        own = key_group(key)
        with self._index() as index:
            index.execute("BEGIN IMMEDIATE")
            gone = index.execute(_FORGET, (key,)).fetchall()
            while (used := index.execute(_USED).fetchone()[0] + size) > self.max_bytes:
                oldest = index.execute(_FORGET_OLDEST, (own,)).fetchall()
                if not oldest:
                    raise SpoolFull(f"{self.directory} would have {used} bytes, more than {self.max_bytes}")
                gone += oldest
            index.execute(
                "INSERT INTO objects (key, belongs, type, size, file) VALUES (?, ?, ?, ?, ?)",
                (key, own, content_type, size, file),
            )
        return gone

    def _remove(self, files: list[tuple[str]]) -> None:
        for (file,) in files:
            (self.directory / file).unlink(missing_ok=True)

    def _tidy(self) -> None:
        """Remove what processes left that died while they wrote; once for each process."""
        if self._tidied:
            return
        with self._index() as index:
            known = {file for (file,) in index.execute("SELECT file FROM objects")}
        for path in self.directory.glob(f"*{_CONTENT}"):
            try:
                if path.name not in known and time.time() - path.stat().st_mtime > _ABANDONED_SECONDS:
                    path.unlink()
            except FileNotFoundError:
                continue  # another process was here
        self._tidied = True

    @contextmanager
    def _index(self) -> Iterator[sqlite3.Connection]:
        """Yield the index, in a transaction that ends with the block; made when it is not there."""
        with closing(sqlite3.connect(self.directory / _INDEX, timeout=_LOCK_SECONDS)) as index:
            index.execute(_SCHEMA)
            with index:
                yield index


def _is_full(error: Exception) -> bool:
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
