"""The journal, over restarts."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from wainwright.local.errors import LocalError
from wainwright.local.journal import Journal, RowChange, StoredObject

# Writes rows and objects for ever, and says each one's number once it has been acknowledged.
WRITER = """
import sys
from pathlib import Path
from wainwright.local.journal import Journal, RowChange, StoredObject
journal = Journal(Path(sys.argv[1]))
for number in range(1_000_000):
    journal.write([RowChange("shop", str(number), {"pk": {"N": str(number)}})], [("shop", number, "{}")])
    journal.put_object(StoredObject("bucket", str(number), journal.new_file(b"x" * number), {}))
    print(number, flush=True)
"""


def test_keeps_every_acknowledged_write_over_kill_9(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path / "data")], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    acknowledged = -1
    for line in process.stdout:
        acknowledged = int(line)
        if acknowledged == 300:
            os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()

    journal = Journal(tmp_path / "data")
    assert {int(item["pk"]["N"]) for _, item in journal.rows()} >= set(range(acknowledged + 1))
    assert [sequence for sequence, _ in journal.records("shop")][: acknowledged + 1] == list(range(acknowledged + 1))
    contents = {int(each.name): each.path.read_bytes() for each in journal.objects()}
    assert all(contents[number] == b"x" * number for number in range(acknowledged + 1))
    journal.close()


def test_deletes_and_replaces(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.write([RowChange("shop", "a", {"v": {"N": "1"}}), RowChange("shop", "b", {"v": {"N": "2"}})])
    journal.write([RowChange("shop", "a", {"v": {"N": "3"}}), RowChange("shop", "b", None)])
    journal.put_object(StoredObject("bucket", "a", journal.new_file(b"old"), {}))
    journal.put_object(StoredObject("bucket", "a", journal.new_file(b"new"), {"k": 1}))
    journal.put_object(StoredObject("bucket", "b", journal.new_file(b"gone"), {}))
    journal.delete_object("bucket", "b")
    journal.close()

    journal = Journal(tmp_path)
    assert list(journal.rows()) == [("shop", {"v": {"N": "3"}})]
    assert [(each.name, each.path.read_bytes(), each.meta) for each in journal.objects()] == [("a", b"new", {"k": 1})]
    assert len(list((tmp_path / "objects").iterdir())) == 1, "replaced files are removed at the next start"
    journal.close()


def test_forgets_stream_records_up_to_a_point(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.write([], [("shop", number, f'"{number}"') for number in range(5)])
    journal.forget_records("shop", 2)
    assert journal.records("shop") == [(3, '"3"'), (4, '"4"')]
    journal.close()


def test_refuses_a_data_directory_that_is_in_use(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    with pytest.raises(LocalError, match=rf"in use by another server \(process {os.getpid()}\)"):
        Journal(tmp_path)
    journal.close()
    Journal(tmp_path).close()


def test_refuses_a_data_directory_of_another_format(tmp_path: Path) -> None:
    Journal(tmp_path).close()
    database = sqlite3.connect(tmp_path / "journal.sqlite")
    database.execute("PRAGMA user_version = 999")
    database.close()
    with pytest.raises(LocalError, match="its format is 999, this version reads 1") as refusal:
        Journal(tmp_path)
    assert str(tmp_path) in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_refuses_a_broken_journal(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite").write_bytes(b"not a database at all, but long enough to be read as one" * 20)
    with pytest.raises(LocalError, match="cannot be read"):
        Journal(tmp_path)


def test_refuses_a_directory_of_something_else(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(LocalError, match=r"thesis\.tex"):
        Journal(tmp_path)
    assert (tmp_path / "thesis.tex").exists()


def test_explains_a_directory_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LocalError, match="cannot write to the data directory"):
        Journal(tmp_path / "file" / "data")
