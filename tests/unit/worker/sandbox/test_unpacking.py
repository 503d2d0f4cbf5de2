"""Archives unpacked in a process of its own: killed, bounded by the kernel, and its faults told."""

import os
import signal
import tarfile
from pathlib import Path

import pytest

from wainwright.contracts.bundles import pack_files
from wainwright.worker.sandbox import unpacking
from wainwright.worker.sandbox.archives import ArchiveUnusable
from wainwright.worker.sandbox.unpacking import Unpacker

LINUX_ONLY = pytest.mark.skipif(not Path("/proc").is_dir(), reason="macOS has no bound on address space")


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


class Endless:
    """An archive that never ends: a pipe that nobody writes to."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "endless.tar.gz"
        os.mkfifo(self.path)
        self._held = os.open(self.path, os.O_RDWR)

    def close(self) -> None:
        os.close(self._held)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "archive.tar.gz"
    path.write_bytes(pack_files({"a/b.py": b"b" * 10_000}))
    return path


def test_unpacks_and_ends(archive: Path, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()

    with Unpacker() as unpacker:
        unpacker.unpack(archive, folder, max_files=100, max_bytes=1_000_000, waiting=lambda: None)
        pid = unpacker.pid

    assert (folder / "a/b.py").read_bytes() == b"b" * 10_000
    assert not is_there(pid)


def test_one_that_gets_no_archive_ends() -> None:
    with Unpacker() as unpacker:
        pid = unpacker.pid

    assert not is_there(pid)


def test_ends_when_the_worker_asks_for_it(tmp_path: Path) -> None:
    class Canceled(Exception):
        pass

    def waiting() -> None:
        raise Canceled

    endless = Endless(tmp_path)
    try:
        with pytest.raises(Canceled), Unpacker() as unpacker:
            unpacker.unpack(endless.path, tmp_path, max_files=1, max_bytes=1, waiting=waiting)
    finally:
        endless.close()
    assert not is_there(unpacker.pid)


def test_has_nothing_of_the_workers_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "key-of-the-worker")
    with Unpacker() as unpacker:
        environment = Path(f"/proc/{unpacker.pid}/environ")
        if environment.exists():
            assert environment.read_bytes() == b""


@LINUX_ONLY
def test_memory_is_bounded_by_the_kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "MEMORY_BYTES", 1_048_576)  # less than it has already
    archive = tmp_path / "links.tar.gz"
    with tarfile.open(archive, "w:gz", compresslevel=1) as packed:
        for number in range(5_000):  # links are kept in memory until the end
            link = tarfile.TarInfo(f"{number}")
            link.type, link.linkname = tarfile.SYMTYPE, "/".join(["d" * 200] * 5)
            packed.addfile(link)
    folder = tmp_path / "folder"
    folder.mkdir()

    with pytest.raises(ArchiveUnusable, match="more than 1 MiB of memory"), Unpacker() as unpacker:
        unpacker.unpack(archive, folder, max_files=100_000, max_bytes=1_000_000, waiting=lambda: None)


@LINUX_ONLY
def test_every_bound_is_the_kernels(tmp_path: Path) -> None:
    """Read while it waits for the archive's first byte."""
    endless = Endless(tmp_path)
    seen: list[dict[str, str]] = []

    def waiting() -> None:
        lines = Path(f"/proc/{unpacker.pid}/limits").read_text().splitlines()[1:]
        seen.append({line[:26].strip(): line[26:].split()[0] for line in lines})
        status = Path(f"/proc/{unpacker.pid}/status").read_text()
        seen[-1]["no_new_privs"] = status.partition("NoNewPrivs:")[2].split()[0]
        if seen[-1]["Max address space"] != "unlimited":
            raise TimeoutError

    try:
        with pytest.raises(TimeoutError), Unpacker() as unpacker:
            unpacker.unpack(endless.path, tmp_path, max_files=1, max_bytes=4_096, waiting=waiting)
    finally:
        endless.close()
    bounds = seen[-1]
    assert bounds["Max address space"] == str(unpacking.MEMORY_BYTES)
    assert bounds["Max cpu time"] == str(unpacking.CPU_SECONDS)
    assert bounds["Max file size"] == "4096"
    assert bounds["Max open files"] == str(unpacking.OPEN_FILES)
    assert bounds["Max processes"] == "0"
    assert bounds["Max core file size"] == "0"
    assert bounds["no_new_privs"] == "1"


def test_the_worker_is_asked_as_long_as_it_takes(archive: Path, tmp_path: Path) -> None:
    slow, folder, asked = tmp_path / "slow.tar.gz", tmp_path / "folder", []
    folder.mkdir()
    os.mkfifo(slow)

    def waiting() -> None:
        asked.append(1)
        if len(asked) == 3:
            slow.write_bytes(archive.read_bytes())

    with Unpacker() as unpacker:
        unpacker.unpack(slow, folder, max_files=100, max_bytes=1_000_000, waiting=waiting)

    assert len(asked) >= 3
    assert (folder / "a/b.py").exists()


@pytest.mark.parametrize("killer", [signal.SIGKILL, signal.SIGXCPU])
def test_one_that_the_kernel_killed_is_a_fault_of_the_archive(tmp_path: Path, killer: signal.Signals) -> None:
    endless = Endless(tmp_path)
    try:
        with Unpacker() as unpacker:

            def waiting() -> None:
                os.kill(unpacker.pid, killer)

            with pytest.raises(ArchiveUnusable, match="CPU time"):
                unpacker.unpack(endless.path, tmp_path, max_files=1, max_bytes=1, waiting=waiting)
    finally:
        endless.close()


def test_a_fault_of_our_own_is_none_of_the_archive(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "_PATHS", ("/nowhere",))

    with pytest.raises(RuntimeError, match="No module named"), Unpacker() as unpacker:
        unpacker.unpack(archive, archive.parent, max_files=1, max_bytes=1, waiting=lambda: None)
