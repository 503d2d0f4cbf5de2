"""Every Spool, in memory and on AWS."""

import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.builders import job_id
from tests.support.memory.spool import MemorySpool
from tests.support.outages import OutageArtifacts
from wainwright.adapters.clock import system_clock
from wainwright.adapters.disk_spool import DiskSpool
from wainwright.adapters.no_spool import NoSpool
from wainwright.contracts.names import report_key, viewer_key
from wainwright.domain.errors import TooLarge, Unavailable
from wainwright.ports.artifacts import ArtifactMissing
from wainwright.ports.spool import Spool, SpoolFull

MOST = 1_000
Make = Callable[[int], Spool]


@pytest.fixture(params=["memory", "disk"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    """Each implementation in turn, of a given size."""
    if request.param == "memory":
        return MemorySpool
    return lambda most: DiskSpool(tmp_path / "not" / "there" / "yet", most)


@pytest.fixture
def spool(make: Make) -> Spool:
    return make(MOST)


def key(job: int, path: str = "index.html") -> str:
    return report_key("shop", job_id(job), fence=1, path=path)


def test_an_empty_one_has_nothing(spool: Spool) -> None:
    assert spool.keys("") == []
    assert not spool.has(key(1))
    with pytest.raises(ArtifactMissing):
        spool.get(key(1))
    spool.delete(key(1))


def test_gives_back_content_and_type(spool: Spool, tmp_path: Path) -> None:
    (tmp_path / "trace").write_bytes(b"PK\x00\xff")
    spool.put(key(1), b"<html>", "text/html")
    spool.put_file(key(1, "data/1-1-trace ä.zip"), tmp_path / "trace", "application/zip")

    assert spool.get(key(1)) == (b"<html>", "text/html")
    assert spool.get(key(1, "data/1-1-trace ä.zip")) == (b"PK\x00\xff", "application/zip")
    assert spool.has(key(1))
    assert (tmp_path / "trace").exists()


def test_reads_no_more_than_asked(spool: Spool) -> None:
    spool.put(key(1), b"12345", "text/plain")

    assert spool.get(key(1), most=5) == (b"12345", "text/plain")
    with pytest.raises(TooLarge, match=r"5 bytes.* 4"):
        spool.get(key(1), most=4)


def test_names_what_it_has_below_a_prefix_in_the_order_in_which_it_came(spool: Spool) -> None:
    for each in (key(2), key(1, "data/1-1-b_%"), viewer_key("1", "complete"), key(1, "data/1-2-a")):
        spool.put(each, b"x", "text/plain")
    spool.put(key(2), b"y", "text/plain")  # anew: it comes last now

    assert spool.keys("") == [key(1, "data/1-1-b_%"), viewer_key("1", "complete"), key(1, "data/1-2-a"), key(2)]
    assert spool.keys(key(1, "data/1-1")) == [key(1, "data/1-1-b_%")]
    assert spool.keys("Reports/") == []
    assert spool.keys("%") == []


def test_what_is_deleted_is_gone(spool: Spool) -> None:
    spool.put(key(1), b"x", "text/plain")
    spool.delete(key(1))
    spool.delete(key(1))

    assert not spool.has(key(1))
    assert spool.keys("") == []


def test_uploads_what_it_has_and_keeps_it_until_told(spool: Spool) -> None:
    artifacts = OutageArtifacts(system_clock)
    spool.put(key(1), b"<html>", "text/html")

    spool.upload(key(1), artifacts)

    assert artifacts.get(key(1)) == (b"<html>", "text/html")
    assert spool.has(key(1))
    with pytest.raises(ArtifactMissing):
        spool.upload(key(2), artifacts)
    artifacts.refuse_all()
    with pytest.raises(Unavailable):
        spool.upload(key(1), artifacts)


def test_where_there_is_no_room_the_oldest_report_goes_as_a_whole(spool: Spool) -> None:
    for each in (key(1), key(2), key(1, "data/1-1-trace.zip")):
        spool.put(each, b"x" * 300, "text/plain")

    spool.put(key(3), b"x" * 300, "text/plain")

    assert spool.keys("") == [key(2), key(3)]


def test_the_report_that_is_being_kept_does_not_make_room_for_itself(spool: Spool) -> None:
    spool.put(key(1), b"x" * 600, "text/plain")
    spool.put(key(2), b"x" * 300, "text/plain")

    with pytest.raises(SpoolFull):
        spool.put(key(1, "data/1-1-video.webm"), b"x" * 500, "video/webm")

    assert set(spool.keys("")) >= {key(1)}
    assert spool.get(key(1))[0] == b"x" * 600


def test_takes_nothing_that_is_larger_than_itself_and_loses_nothing_by_it(spool: Spool, tmp_path: Path) -> None:
    spool.put(key(1), b"x", "text/plain")
    (tmp_path / "video").write_bytes(b"x" * (MOST + 1))

    with pytest.raises(SpoolFull):
        spool.put_file(key(2), tmp_path / "video", "video/webm")

    assert spool.keys("") == [key(1)]


def test_a_new_content_of_the_same_key_needs_no_room_beside_the_old(spool: Spool) -> None:
    spool.put(key(1), b"x" * 900, "text/plain")
    spool.put(key(1), b"y" * 900, "text/html")

    assert spool.get(key(1)) == (b"y" * 900, "text/html")


def test_nobody_has_room_where_there_is_no_disk(tmp_path: Path) -> None:
    none = NoSpool()
    (tmp_path / "a").write_bytes(b"x")

    with pytest.raises(SpoolFull):
        none.put(key(1), b"", "text/plain")
    with pytest.raises(SpoolFull):
        none.put_file(key(1), tmp_path / "a", "text/plain")
    with pytest.raises(ArtifactMissing):
        none.get(key(1))
    with pytest.raises(ArtifactMissing):
        none.upload(key(1), OutageArtifacts(system_clock))
    none.delete(key(1))
    assert (none.keys(""), none.has(key(1))) == ([], False)


class TestOnDisk:
    def test_another_process_sees_it_and_a_restart_too(self, tmp_path: Path) -> None:
        DiskSpool(tmp_path, MOST).put(key(1), b"<html>", "text/html")

        assert DiskSpool(tmp_path, MOST).get(key(1)) == (b"<html>", "text/html")

    def test_looking_makes_no_directory(self, tmp_path: Path) -> None:
        spool = DiskSpool(tmp_path / "spool", MOST)

        assert (spool.keys(""), spool.has(key(1))) == ([], False)
        spool.delete(key(1))
        assert not (tmp_path / "spool").exists()

    def test_only_its_owner_may_read_it(self, tmp_path: Path) -> None:
        DiskSpool(tmp_path / "spool", MOST).put(key(1), b"x", "text/plain")

        assert (tmp_path / "spool").stat().st_mode & 0o077 == 0

    def test_many_at_once_lose_nothing_and_stay_within_the_bound(self, tmp_path: Path) -> None:
        def keep(number: int) -> None:
            own = DiskSpool(tmp_path, 20_000)
            for part in range(10):
                own.put(key(number, f"data/1-{part}-x"), bytes([number]) * 100, "text/plain")

        threads = [threading.Thread(target=keep, args=(number,)) for number in range(1, 9)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        spool = DiskSpool(tmp_path, 20_000)
        assert len(spool.keys("")) == 80
        assert spool.get(key(8, "data/1-9-x"))[0] == b"\x08" * 100

    def test_files_go_with_what_they_held(self, tmp_path: Path) -> None:
        spool = DiskSpool(tmp_path, MOST)
        spool.put(key(1), b"x" * 900, "text/plain")
        spool.put(key(1), b"y" * 900, "text/plain")
        spool.put(key(2), b"z" * 900, "text/plain")
        assert [file.read_bytes()[:1] for file in tmp_path.glob("*.content")] == [b"z"]

        spool.delete(key(2))
        assert list(tmp_path.glob("*.content")) == []

    def test_what_a_process_left_that_died_while_it_wrote_is_removed(self, tmp_path: Path) -> None:
        DiskSpool(tmp_path, MOST).put(key(1), b"x", "text/plain")
        old, new = tmp_path / "dead.content", tmp_path / "alive.content"
        for file in (old, new):
            file.write_bytes(b"half")
        os.utime(old, (1, 1))

        DiskSpool(tmp_path, MOST).put(key(2), b"x", "text/plain")

        assert not old.exists()
        assert new.exists()
        assert len(list(tmp_path.glob("*.content"))) == 3

    def test_a_full_disk_is_no_room(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(_path: Path, _content: bytes) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(Path, "write_bytes", full)

        with pytest.raises(SpoolFull, match="full"):
            DiskSpool(tmp_path, MOST).put(key(1), b"x", "text/plain")

    def test_a_disk_that_is_broken_is_not_taken_for_a_full_one(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(_path: Path, _content: bytes) -> int:
            raise OSError(errno.EIO, "Input/output error")

        monkeypatch.setattr(Path, "write_bytes", broken)

        with pytest.raises(OSError, match="Input/output"):
            DiskSpool(tmp_path, MOST).put(key(1), b"x", "text/plain")
        assert DiskSpool(tmp_path, MOST).keys("") == []
