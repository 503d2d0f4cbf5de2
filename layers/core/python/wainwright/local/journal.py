"""Rows, stream records and objects on disk, written before the answer is given, so that they outlive a restart.

Rows and the index of objects are in one SQLite file (write-ahead log); the content of each object is a file of its own,
so that a report of many megabytes costs no database page and is read only when asked for. A `kill -9` after the answer
loses nothing: SQLite's log and the files are with the operating system by then. (A power cut may lose the last moments.)
"""

import contextlib
import fcntl
import json
import os
import sqlite3
import threading
import time
import uuid
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wainwright.local.errors import LocalError

FORMAT = 1
"""Raised whenever what is written below can no longer be read by an older version."""
_APPLICATION_ID = 0x57414E57
_KEPT_AFTER_REPLACEMENT_SECONDS = 60
_OTHERS = 0o077
"""Mode bits of anybody but the owner."""
_SCHEMA = """
CREATE TABLE rows (table_name TEXT, row_key TEXT, item TEXT NOT NULL, PRIMARY KEY (table_name, row_key)) WITHOUT ROWID;
CREATE TABLE records (table_name TEXT, sequence INTEGER, record TEXT NOT NULL, PRIMARY KEY (table_name, sequence))
    WITHOUT ROWID;
CREATE TABLE objects (bucket TEXT, name TEXT, file TEXT NOT NULL, meta TEXT NOT NULL, PRIMARY KEY (bucket, name))
    WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class RowChange:
    """The new state of one row: `item` is DynamoDB's JSON, or None when the row is gone."""

    table: str
    key: str
    item: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One object of a bucket: where its content is, and what its headers were."""

    bucket: str
    name: str
    path: Path
    meta: dict[str, Any]


class Journal:
    """The data directory of one local system; held by one process at a time."""

    def __init__(self, data_dir: Path) -> None:
        """Open, creating what is missing.

        Raises:
            LocalError: the directory cannot be written or kept from others, is held by another server, or is not ours to use.
        """
        self.data_dir = data_dir
        self._lock_file = _take_lock(data_dir)
        self._mutex = threading.Lock()
        self._replaced: deque[tuple[float, Path]] = deque()
        try:
            self._database = self._open(data_dir / "journal.sqlite")
            self._objects = data_dir / "objects"
            self._objects.mkdir(exist_ok=True)
            self._remove_unindexed_files()
        except BaseException:
            self._lock_file.close()
            raise

    @property
    def logs(self) -> Path:
        """Folder of logs; created on first use."""
        path = self.data_dir / "logs"
        path.mkdir(exist_ok=True)
        return path

    @property
    def spool(self) -> Path:
        """Folder of report files that workers could not upload; created by the first that keeps one."""
        return self.data_dir / "spool"

    @property
    def costs(self) -> Path:
        """Folder of what the meter counted; created by the meter."""
        return self.data_dir / "costs"

    def close(self) -> None:
        """Fold the log into the file and let another server use the directory."""
        with self._mutex:
            self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._database.close()
        self._lock_file.close()

    def write(self, rows: Sequence[RowChange], records: Iterable[tuple[str, int, str]] = ()) -> None:
        """Record row changes and the stream records they made, all or nothing."""
        kept = [(row.table, row.key, json.dumps(row.item)) for row in rows if row.item is not None]
        gone = [(row.table, row.key) for row in rows if row.item is None]
        with self._mutex, self._database:
            self._database.executemany("INSERT OR REPLACE INTO rows VALUES (?, ?, ?)", kept)
            self._database.executemany("DELETE FROM rows WHERE table_name = ? AND row_key = ?", gone)
            self._database.executemany("INSERT INTO records VALUES (?, ?, ?)", records)

    def rows(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every row as (table, item)."""
        with self._mutex:
            stored = self._database.execute("SELECT table_name, item FROM rows").fetchall()
        for table, item in stored:
            yield table, json.loads(item)

    def records(self, table: str) -> list[tuple[int, str]]:
        """The stream records of a table that no reader has passed yet, oldest first, as (sequence, JSON)."""
        with self._mutex:
            return self._database.execute(
                "SELECT sequence, record FROM records WHERE table_name = ? ORDER BY sequence", (table,)
            ).fetchall()

    def forget_records(self, table: str, up_to: int) -> None:
        """Drop the stream records of a table up to and including one sequence number."""
        with self._mutex, self._database:
            self._database.execute("DELETE FROM records WHERE table_name = ? AND sequence <= ?", (table, up_to))

    def new_file(self, content: bytes) -> Path:
        """Write the content of an object; it counts once `put_object` has indexed it."""
        path = self._objects / uuid.uuid4().hex
        path.write_bytes(content)
        return path

    def put_object(self, stored: StoredObject) -> None:
        """Index an object, in place of the one of the same name."""
        with self._mutex, self._database:
            self._retire(stored.bucket, stored.name)
            self._database.execute(
                "INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?)",
                (stored.bucket, stored.name, stored.path.name, json.dumps(stored.meta)),
            )

    def delete_object(self, bucket: str, name: str) -> None:
        """Forget an object."""
        with self._mutex, self._database:
            self._retire(bucket, name)
            self._database.execute("DELETE FROM objects WHERE bucket = ? AND name = ?", (bucket, name))

    def objects(self) -> list[StoredObject]:
        """Every object."""
        with self._mutex:
            stored = self._database.execute("SELECT bucket, name, file, meta FROM objects").fetchall()
        return [
            StoredObject(bucket, name, self._objects / file, json.loads(meta)) for bucket, name, file, meta in stored
        ]

    def _retire(self, bucket: str, name: str) -> None:
        """Remove a replaced object's file later, for a reader may have it still."""
        for (file,) in self._database.execute(
            "SELECT file FROM objects WHERE bucket = ? AND name = ?", (bucket, name)
        ).fetchall():
            self._replaced.append((time.monotonic(), self._objects / file))
        while self._replaced and self._replaced[0][0] < time.monotonic() - _KEPT_AFTER_REPLACEMENT_SECONDS:
            self._replaced.popleft()[1].unlink(missing_ok=True)

    def _remove_unindexed_files(self) -> None:
        indexed = {file for (file,) in self._database.execute("SELECT file FROM objects").fetchall()}
        for path in self._objects.iterdir():
            if path.name not in indexed:
                path.unlink()

    def _open(self, path: Path) -> sqlite3.Connection:
        advice = f"start with another data directory, or remove {self.data_dir} to start again (it has your jobs and reports)"
        known = path.exists()
        try:
            database = sqlite3.connect(path, check_same_thread=False)
            if known:
                written_by = database.execute("PRAGMA application_id").fetchone()[0]
                version = database.execute("PRAGMA user_version").fetchone()[0]
                if (written_by, version) != (_APPLICATION_ID, FORMAT):
                    database.close()
                    raise LocalError(
                        f"the data directory {self.data_dir} was written by another version of Wainwright "
                        f"(its format is {version}, this version reads {FORMAT}): {advice}"
                    )
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = NORMAL")
            if not known:
                database.executescript(
                    f"BEGIN; {_SCHEMA} PRAGMA application_id = {_APPLICATION_ID}; PRAGMA user_version = {FORMAT}; COMMIT;"
                )
        except sqlite3.Error as error:
            raise LocalError(f"the data directory {self.data_dir} cannot be read ({error}): {advice}") from error
        return database


def _make_directory(data_dir: Path) -> None:
    """Create the directory, or take over one that is there, so that its owner alone gets at what is in it."""
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    if found := _foreign_entry(data_dir):  # before anything of it is changed
        raise LocalError(f"{data_dir} holds {found!r}, which is not Wainwright's: choose an empty data directory")
    mode = data_dir.stat().st_mode
    if mode & 0o002 and any(data_dir.iterdir()):
        raise LocalError(
            f"every user can write to the data directory {data_dir}, so its files may be somebody else's: choose another, "
            f"or check them and run `chmod 700 {data_dir}`"
        )
    if mode & _OTHERS:
        with contextlib.suppress(PermissionError):  # of another user; what came of it is checked
            data_dir.chmod(0o700)
        if data_dir.stat().st_mode & _OTHERS:
            raise LocalError(
                f"other users can read the data directory {data_dir}, and its mode cannot be changed: choose one of your own"
            )


def _foreign_entry(data_dir: Path) -> str | None:
    """Name of an entry that is not ours; None if there is none, or if the directory has been in use before."""
    if (data_dir / "journal.sqlite").exists():
        return None
    journal = {"journal.sqlite-wal", "journal.sqlite-shm"}
    ours = {"lock", "objects", "logs", "cache", "costs", "spool", "secrets.json", *journal}
    return next((entry.name for entry in data_dir.iterdir() if entry.name not in ours), None)


def _take_lock(data_dir: Path) -> Any:
    """Create the directory, and hold its lock file for the life of the returned file object."""
    try:
        _make_directory(data_dir)
        file = (data_dir / "lock").open("a+")
    except OSError as error:
        raise LocalError(
            f"cannot write to the data directory {data_dir} ({error.strerror}): choose one that you may write to"
        ) from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.seek(0)
        holder = file.read().strip() or "unknown"
        file.close()
        raise LocalError(
            f"the data directory {data_dir} is in use by another server (process {holder}): "
            "stop that one, or choose another data directory"
        ) from error
    with contextlib.suppress(OSError):  # the holder's number is only for the message above
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
    return file
