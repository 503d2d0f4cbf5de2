"""Who may read the data directory: its owner alone, whatever its mode was and whoever writes into it."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.local.conftest import eventually
from tests.local.templates import template
from wainwright.local.errors import LocalError
from wainwright.local.journal import Journal, RowChange
from wainwright.local.system import LocalSystem

OTHERS = 0o077


@pytest.fixture
def open_umask() -> Iterator[None]:
    """Run with an umask that hides nothing."""
    before = os.umask(0)
    yield
    os.umask(before)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@settings(deadline=None, max_examples=40)
@given(others=st.integers(0, 0o1077))
def test_an_empty_directory_of_any_mode_becomes_its_owners_alone(others: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        data_dir = Path(folder, "data")
        data_dir.mkdir()
        data_dir.chmod(0o700 | others)

        Journal(data_dir).close()

        assert not mode_of(data_dir) & OTHERS


@pytest.mark.parametrize("mode", [0o701, 0o710, 0o740, 0o750, 0o755, 0o770, 0o775, 0o2775])
def test_a_directory_that_others_could_read_is_closed_to_them_and_keeps_its_rows(tmp_path: Path, mode: int) -> None:
    journal = Journal(tmp_path)
    journal.write([RowChange("shop", "a", {"v": {"N": "1"}})])
    journal.close()
    tmp_path.chmod(mode)

    journal = Journal(tmp_path)

    assert not mode_of(tmp_path) & OTHERS
    assert list(journal.rows()) == [("shop", {"v": {"N": "1"}})]
    journal.close()


@pytest.mark.parametrize("mode", [0o702, 0o707, 0o722, 0o777, 0o1777])
def test_refuses_a_directory_with_files_that_anybody_may_have_put_there(tmp_path: Path, mode: int) -> None:
    Journal(tmp_path).close()
    tmp_path.chmod(mode)

    with pytest.raises(LocalError, match=rf"every user can write to .* run `chmod 700 {tmp_path}`"):
        Journal(tmp_path)

    tmp_path.chmod(0o700)
    Journal(tmp_path).close()


def test_refuses_a_directory_whose_mode_it_cannot_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    tmp_path.chmod(0o755)
    for chmod in (refuse, lambda *_, **__: None):  # of somebody else; on a file system without modes
        monkeypatch.setattr(os, "chmod", chmod)
        with pytest.raises(LocalError, match=r"other users can read the data directory .* choose"):
            Journal(tmp_path)
    assert not list(tmp_path.iterdir())


def test_leaves_a_directory_of_something_else_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    tmp_path.chmod(0o755)

    with pytest.raises(LocalError, match=r"thesis\.tex"):
        Journal(tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]
    assert mode_of(tmp_path) == 0o755


def test_whatever_a_system_writes_is_its_owners_alone(repository: Path, tmp_path: Path, open_umask: None) -> None:
    data_dir = tmp_path / "data"
    data_dir.mkdir(mode=0o755)
    # A folder that a worker makes before it has set its own umask is one that tests, which run as another user, pass through.
    command = (sys.executable, "-c", "import os; print(oct(os.umask(0)))")

    with LocalSystem(template(), repository, data_dir, api_port=0, worker_command=command):
        item = {"pk": {"S": "job"}, "sk": {"S": "1"}}
        boto3.client("dynamodb").put_item(TableName="Table", Item=item)
        boto3.client("s3").put_object(Bucket="bucket", Key="report", Body=b"x")
        boto3.client("ssm").put_parameter(Name="/a", Value="secret", Type="SecureString")
        boto3.client("ecs").run_task(taskDefinition="worker")
        logs = data_dir / "logs" / "workers"
        umask = eventually(lambda: "".join(log.read_text() for log in logs.glob("*.log")))

    written = list(data_dir.rglob("*"))
    assert {"journal.sqlite", "objects", "local.log", "secrets.json", "costs"} <= {path.name for path in written}
    assert [path for path in (data_dir, *written) if mode_of(path) & OTHERS] == []
    assert umask == "0o22\n"
    assert os.umask(0) == 0, "the process has its own umask back"
