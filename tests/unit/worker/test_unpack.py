"""Bundles: fetched, checked, unpacked within bounds."""

import gzip
import hashlib
import io
import tarfile
import zlib
from pathlib import Path

import pytest

from tests.support.builders import PROJECT
from tests.support.memory.services import MemoryArtifacts
from tests.support.system import System
from wainwright.contracts.bundles import pack_files
from wainwright.contracts.names import bundle_key
from wainwright.worker.run import unpack_bundle as unpack
from wainwright.worker.run.unpack_bundle import BundleUnusable, fetch_bundle
from wainwright.worker.sandbox.isolation import NOT_ISOLATED


@pytest.fixture
def artifacts() -> MemoryArtifacts:
    return System().artifacts


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "run" / "bundle"


def uploaded(artifacts: MemoryArtifacts, archive: bytes) -> str:
    digest = hashlib.sha256(archive).hexdigest()
    artifacts.put(bundle_key(PROJECT, digest), archive, "application/gzip")
    return digest


def packed(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for member, content in members:
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def entry(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, link
    return member


def fetch(artifacts: MemoryArtifacts, project: str, digest: str, folder: Path) -> None:
    fetch_bundle(artifacts, project, digest, folder, NOT_ISOLATED, lambda: None)


def files_below(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_unpacks_every_file_where_it_belongs(artifacts: MemoryArtifacts, folder: Path) -> None:
    files = {"test_a.py": b"a", "pages/data/ä ö.json": b"{}", "empty": b""}

    fetch(artifacts, PROJECT, uploaded(artifacts, pack_files(files)), folder)

    assert files_below(folder) == files


def test_leaves_no_archive_behind(artifacts: MemoryArtifacts, folder: Path) -> None:
    fetch(artifacts, PROJECT, uploaded(artifacts, pack_files({"a": b"a"})), folder)

    assert list(folder.parent.iterdir()) == [folder]


def test_tells_of_a_bundle_that_is_gone_and_what_to_do(artifacts: MemoryArtifacts, folder: Path) -> None:
    with pytest.raises(BundleUnusable, match="upload it again"):
        fetch(artifacts, PROJECT, "a" * 64, folder)


def test_takes_no_bundle_of_another_project(artifacts: MemoryArtifacts, folder: Path) -> None:
    digest = uploaded(artifacts, pack_files({"a": b"a"}))

    with pytest.raises(BundleUnusable):
        fetch(artifacts, "other", digest, folder)


def test_takes_no_other_content_than_was_announced(artifacts: MemoryArtifacts, folder: Path) -> None:
    artifacts.put(bundle_key(PROJECT, "a" * 64), pack_files({"a": b"a"}), "application/gzip")

    with pytest.raises(BundleUnusable, match="announced as"):
        fetch(artifacts, PROJECT, "a" * 64, folder)
    assert files_below(folder) == {}


def _corrupted() -> bytes:
    """A gzip stream that turns into nonsense within a file's content."""
    archive = gzip.decompress(packed((entry("a"), b"a" * 1_000_000)))
    stream = zlib.compressobj(wbits=31)
    return stream.compress(archive[:500_000]) + stream.flush(zlib.Z_SYNC_FLUSH) + b"\xff" * 100


def _with_pax_name(name: str) -> bytes:
    member = entry("a")
    member.pax_headers = {"path": name}
    return packed((member, b"a"))


@pytest.mark.parametrize(
    "archive",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"not an archive", id="no archive"),
        pytest.param(gzip.compress(b"not a tar"), id="gzip of something else"),
        pytest.param(pack_files({"a": b"a" * 100_000})[:-50], id="cut short"),
        pytest.param(_corrupted(), id="corrupted"),
        pytest.param(_with_pax_name("a\0b"), id="a name that no file can have"),
        pytest.param(packed((entry("a" * 300), b"a")), id="a name longer than any file's"),
        pytest.param(packed((entry("a"), b"a"), (entry("a/b"), b"b")), id="a folder in the place of a file"),
    ],
)
def test_refuses_what_cannot_be_unpacked(artifacts: MemoryArtifacts, folder: Path, archive: bytes) -> None:
    with pytest.raises(BundleUnusable, match="bundle"):
        fetch(artifacts, PROJECT, uploaded(artifacts, archive), folder)

    assert [path for path in folder.parent.iterdir() if path != folder] == []


@pytest.mark.parametrize(
    "member",
    [
        pytest.param(entry("../outside"), id="a way out"),
        pytest.param(entry("a/../../outside"), id="a long way out"),
        pytest.param(entry("link", tarfile.SYMTYPE, "/etc/passwd"), id="a link to an absolute path"),
        pytest.param(entry("link", tarfile.SYMTYPE, "../outside"), id="a link out"),
        pytest.param(entry("link", tarfile.LNKTYPE, "../outside"), id="a hard link out"),
        pytest.param(entry("device", tarfile.CHRTYPE), id="a device"),
        pytest.param(entry("pipe", tarfile.FIFOTYPE), id="a pipe"),
    ],
)
def test_lets_nothing_out_of_the_folder(artifacts: MemoryArtifacts, folder: Path, member: tarfile.TarInfo) -> None:
    folder.parent.mkdir()
    (folder.parent / "outside").write_bytes(b"untouched")
    archive = packed((member, b"" if member.type != tarfile.REGTYPE else b"x"))

    with pytest.raises(BundleUnusable):
        fetch(artifacts, PROJECT, uploaded(artifacts, archive), folder)

    assert (folder.parent / "outside").read_bytes() == b"untouched"
    assert files_below(folder) == {}


def test_an_absolute_name_is_taken_as_one_inside(artifacts: MemoryArtifacts, folder: Path) -> None:
    fetch(artifacts, PROJECT, uploaded(artifacts, packed((entry("/etc/wainwright"), b"x"))), folder)

    assert files_below(folder) == {"etc/wainwright": b"x"}


def test_a_link_within_the_bundle_is_kept(artifacts: MemoryArtifacts, folder: Path) -> None:
    archive = packed((entry("real.py"), b"x"), (entry("alias.py", tarfile.SYMTYPE, "real.py"), b""))

    fetch(artifacts, PROJECT, uploaded(artifacts, archive), folder)

    assert (folder / "alias.py").read_bytes() == b"x"


def test_refuses_what_unpacks_to_more_bytes_than_the_bound_before_it_fills_the_disk(
    artifacts: MemoryArtifacts, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpack, "MAX_UNPACKED_BYTES", 10_000)
    archive = packed((entry("a"), b"a" * 6_000), (entry("b"), b"b" * 6_000))

    with pytest.raises(BundleUnusable, match="10000 bytes"):
        fetch(artifacts, PROJECT, uploaded(artifacts, archive), folder)
    assert list(files_below(folder)) == ["a"]


def test_refuses_more_files_than_the_bound(
    artifacts: MemoryArtifacts, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpack, "MAX_BUNDLE_FILES", 2)

    with pytest.raises(BundleUnusable, match="2 files"):
        fetch(artifacts, PROJECT, uploaded(artifacts, pack_files(dict.fromkeys("abc", b"x"))), folder)
