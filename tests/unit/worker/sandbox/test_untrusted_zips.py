"""Zip archives of strangers: what is damaged is refused, and memory stays within bounds, whatever they say of themselves."""

import io
import struct
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from wainwright.worker.sandbox import untrusted_zips
from wainwright.worker.sandbox.untrusted_zips import ZipUnusable, open_zip, read_member

MEGABYTE = 1_048_576


def zipped(content: bytes, method: int = zipfile.ZIP_DEFLATED, name: str = "a") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


def test_what_zipfile_writes_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(zipped(b"content"))

    for file in (tmp_path / "a.zip", io.BytesIO(zipped(b"content"))):
        with open_zip(file) as archive:
            assert read_member(archive, "a", 7) == b"content"


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_whose_pieces_have_no_bound_are_refused(method: int) -> None:
    with pytest.raises(ZipUnusable, match="another method"), open_zip(io.BytesIO(zipped(b"x", method))):
        pass


def test_a_member_that_says_that_it_is_small_is_not_unpacked_whole() -> None:
    size = 64 * MEGABYTE
    packed = zipped(bytes(size)).replace(struct.pack("<L", size), struct.pack("<L", 10))
    tracemalloc.start()
    try:
        with open_zip(io.BytesIO(packed)) as archive:
            with pytest.raises(zipfile.BadZipFile, match="CRC"):
                read_member(archive, "a", 20)
            taken = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert taken < 4 * MEGABYTE


def test_a_member_beyond_its_bound_is_refused() -> None:
    with pytest.raises(ZipUnusable, match="more than 6 bytes"), open_zip(io.BytesIO(zipped(b"content"))) as archive:
        read_member(archive, "a", 6)


@pytest.mark.parametrize("number", [3, 4])
def test_entries_are_counted_before_they_are_read(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    monkeypatch.setattr(untrusted_zips, "MAX_MEMBERS", 3)
    monkeypatch.setattr(untrusted_zips, "_CHUNK", 7)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for each in range(number):
            archive.writestr(str(each), b"")
    if number == 3:
        with open_zip(buffer) as archive:
            assert len(archive.namelist()) == 3
        return
    with pytest.raises(ZipUnusable, match="more than 3 members"), open_zip(buffer):
        pass


def _far_entry() -> bytes:
    packed = zipped(b"content")
    entry = packed.rindex(b"PK\x01\x02")
    return packed[: entry + 42] + b"\xff\xff\xff\x7f" + packed[entry + 46 :]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\x03\x04",
        zipped(b"content")[:-1],
        zipped(b"content", zipfile.ZIP_STORED).replace(b"content", b"CONTENT"),
        zipped(b"content")[:31] + b"\xff" * 5 + zipped(b"content")[36:],
        _far_entry(),
        b"PK\x05\x06" + b"\xff" * 18,
    ],
)
def test_a_damaged_archive_is_refused(content: bytes) -> None:
    def read_all() -> None:
        with open_zip(io.BytesIO(content)) as archive:
            for name in archive.namelist():
                read_member(archive, name, MEGABYTE)

    with pytest.raises(ZipUnusable):
        read_all()


def test_a_fault_of_the_disk_is_no_fault_of_the_archive(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), open_zip(tmp_path / "none.zip"):
        pass
