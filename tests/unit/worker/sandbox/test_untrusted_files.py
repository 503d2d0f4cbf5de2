"""Evidence is taken out of the tests' reach before it is looked at."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from wainwright.worker.sandbox.untrusted_files import UntrustedFiles


@pytest.fixture
def output(tmp_path: Path) -> Path:
    folder = tmp_path / "output"
    (folder / "logs").mkdir(parents=True)
    (tmp_path / "secret.txt").write_text("of the worker")
    return folder


def test_moves_a_file_and_tells_its_size(output: Path) -> None:
    file = output / "logs" / "one.log"
    file.write_text("seen")
    taken = UntrustedFiles(output).take(file)

    assert taken is not None
    path, size = taken
    assert (path.name, size, path.read_text()) == ("one.log", 4, "seen")
    assert not file.exists()
    assert path.is_relative_to(output.parent)
    assert not path.is_relative_to(output)
    assert path.parent.parent.stat().st_mode & 0o077 == 0


def test_files_of_one_name_do_not_meet(output: Path) -> None:
    untrusted = UntrustedFiles(output)
    for content in ("first", "second"):
        (output / "trace.zip").write_text(content)
        taken = untrusted.take(output / "trace.zip")
        assert taken is not None
        assert taken[0].read_text() == content


@pytest.mark.parametrize("what", ["link", "folder-link", "outside", "way-out", "folder", "pipe", "nothing", "output"])
def test_takes_nothing_else_than_a_regular_file_below_its_folder(output: Path, what: str) -> None:
    secret = output.parent / "secret.txt"
    paths = {
        "link": output / "link.txt",
        "folder-link": output / "linked" / "secret.txt",
        "outside": secret,
        "way-out": output / "logs" / ".." / ".." / "secret.txt",
        "folder": output / "logs",
        "pipe": output / "pipe",
        "nothing": output / "nothing.txt",
        "output": output,
    }
    (output / "link.txt").symlink_to(secret)
    (output / "linked").symlink_to(output.parent)
    os.mkfifo(output / "pipe")

    assert UntrustedFiles(output).take(paths[what]) is None
    assert secret.read_text() == "of the worker"


def test_a_second_name_of_somebody_elses_file_is_not_taken(output: Path) -> None:
    (output / "hard.txt").hardlink_to(output.parent / "secret.txt")
    assert UntrustedFiles(output, owner=os.geteuid() + 1).take(output / "hard.txt") is None
