"""Bundles and cached environments: archives that anybody may have made."""

import gzip
import io
import os
import tarfile
from pathlib import Path

import pytest
from hypothesis import strategies as st

from tests.fuzz.nasties import mutations, texts
from tests.fuzz.targets import fuzz, scratch
from wainwright.worker.sandbox.archives import ArchiveUnusable, pack_archive, unpack_archive

MAX_FILES, MAX_BYTES = 40, 20_000
FORMATS = [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]
KINDS = [bytes([kind]) for kind in b"\x000123456789xgLKSDMNVAX\xff"]
PATHS = [
    "a",
    "b",
    "a/b",
    "a/b/c",
    "./a",
    "a/",
    "a//b",
    "/a",
    "..",
    "a/..",
    "a/../..",
    "l",
    "l/x",
    "l/../..",
    "\0",
    "é" * 130,
]
PATHS += ["d/" * 120 + "f", "n" * 256, "n" * 255, "p/" * 600]
paths = st.one_of(st.sampled_from(PATHS), texts)

names = st.text(st.sampled_from("ab é.😀"), min_size=1, max_size=12).filter(lambda name: name.strip(".") != "")
trees = st.recursive(
    st.binary(max_size=700), lambda inner: st.dictionaries(names, inner, max_size=4), max_leaves=8
).filter(lambda tree: isinstance(tree, dict))


def added(archive: tarfile.TarFile, tree: dict[str, object], above: str, target: str) -> None:
    for name, content in tree.items():
        member = tarfile.TarInfo(f"{above}{name}")
        if isinstance(content, dict):
            member.type, member.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(member)
            added(archive, content, f"{above}{name}/", target)
        else:
            assert isinstance(content, bytes)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
            link = tarfile.TarInfo(f"{above}{name}.link")
            link.type, link.linkname = tarfile.SYMTYPE, target or name
            archive.addfile(link)


def listed(folder: Path) -> dict[str, object]:
    return {
        path.relative_to(folder).as_posix(): str(path.readlink())
        if path.is_symlink()
        else path.is_dir() or path.read_bytes()
        for path in folder.rglob("*")
    }


@fuzz(tree=trees, form=st.sampled_from(FORMATS))
def test_what_tarfile_packs_is_unpacked_as_tarfile_unpacks_it(tree: dict[str, object], form: int) -> None:
    with scratch() as folder:
        archive, ours, theirs = folder / "a.tar.gz", folder / "ours", folder / "theirs"
        with tarfile.open(archive, "w:gz", format=form) as packed:
            added(packed, tree, "", "")
        ours.mkdir()
        unpack_archive(archive, ours, max_files=1_000, max_bytes=100_000)
        with tarfile.open(archive) as packed:
            packed.extractall(theirs, filter="tar")
        assert listed(ours) == (listed(theirs) if theirs.exists() else {})


@fuzz(tree=trees, quick=30)
def test_what_is_packed_here_is_unpacked_here(tree: dict[str, object]) -> None:
    with scratch() as folder:
        first, again, archive = folder / "first", folder / "again", folder / "a.tar.gz"
        made = io.BytesIO()
        with tarfile.open(fileobj=made, mode="w") as packed:
            added(packed, tree, "", "")
        archive.write_bytes(gzip.compress(made.getvalue(), 1))
        for each in (first, again):
            each.mkdir()
        unpack_archive(archive, first, max_files=1_000, max_bytes=100_000)
        pack_archive(first, archive)
        unpack_archive(archive, again, max_files=1_000, max_bytes=100_000)
        assert listed(again) == listed(first)


@st.composite
def pax_headers(draw: st.DrawFn) -> bytes:
    """Records that are whole, lie about their length, or are none."""
    found = b""
    for _ in range(draw(st.integers(0, 3))):
        key = draw(
            st.sampled_from([b"path", b"linkpath", b"size", b"mtime", b"GNU.sparse.major", b"hdrcharset", b"=", b""])
        )
        value = draw(
            st.one_of(
                st.sampled_from([b"1e999", b"nan", b"-1", b"9" * 5_000, b"0x10", b"1_0", b"", b" 7 ", b"\xd9\xa3"]),
                paths.map(lambda path: path.encode("utf-8", "surrogatepass")),
            )
        )
        record = b" " + key + b"=" + value + b"\n"
        length = len(record) + len(str(len(record) + 3))
        found += draw(st.sampled_from([b"%d" % length, b"%d" % length, b"0", b"-3", b"99999", b"", b"\xb2"])) + record
    return found


@st.composite
def tars(draw: st.DrawFn) -> bytes:
    """Headers and contents that need not fit each other, or anything."""
    stream = io.BytesIO()
    for _ in range(draw(st.integers(0, 8))):
        kind = draw(st.one_of(st.sampled_from([b"0", b"2", b"5", b"x", b"L", b"K", b"g"]), st.sampled_from(KINDS)))
        content = draw(pax_headers() if kind in b"xg" else st.binary(max_size=600))
        if kind in b"LK":
            content = draw(paths).encode("utf-8", "surrogatepass")
        name, link = (draw(paths).encode("utf-8", "surrogatepass")[:100] for _ in range(2))
        size = draw(st.sampled_from([len(content)] * 8 + [0, 1, 2**33, 8**11 - 1, 10**6]))
        header = bytearray(tarfile.TarInfo("x").tobuf(tarfile.GNU_FORMAT))
        header[0:100] = name.ljust(100, b"\0")
        header[124:136] = b"%011o\0" % size if size < 8**11 else b"\x80" + size.to_bytes(11, "big")
        header[136:148] = draw(
            st.sampled_from([b"%011o\0" % 5, b"\xff" * 12, b"\x80" + b"\xff" * 11, b"zzz".ljust(12)])
        )
        header[156:157] = kind
        header[157:257] = link.ljust(100, b"\0")
        header[148:156] = b" " * 8
        header[148:156] = b"%06o\0 " % sum(header)
        stream.write(bytes(header))
        stream.write(content + bytes(-len(content) % 512))
    stream.write(draw(st.sampled_from([bytes(1024), bytes(512), b"", b"x"])))
    whole = stream.getvalue()
    return draw(st.one_of(st.just(whole), st.just(whole), mutations(whole)))


def check_unpacked(content: bytes) -> None:
    with scratch() as root:
        archive, folder = root / "a.tar.gz", root / "outer" / "folder"
        folder.mkdir(parents=True)
        (root / "outer" / "mine").write_bytes(b"mine")
        archive.write_bytes(content)
        refusal = "none"
        try:
            unpack_archive(archive, folder, max_files=MAX_FILES, max_bytes=MAX_BYTES)
        except ArchiveUnusable as error:
            refusal = str(error)
        assert 0 < len(refusal) < 2_000, "it is shown to the user"
        assert {each.relative_to(root).as_posix() for each in (*root.iterdir(), *(root / "outer").iterdir())} == {
            "a.tar.gz", "outer", "outer/folder", "outer/mine",
        }  # fmt: skip
        assert (root / "outer" / "mine").read_bytes() == b"mine"
        inside = folder.resolve()
        found = [Path(parent, name) for parent, folders, files in os.walk(folder) for name in (*folders, *files)]
        for path in found:
            assert Path(os.path.realpath(path)).is_relative_to(inside)
        files = [path for path in found if path.is_file() and not path.is_symlink()]
        assert len(files) <= MAX_FILES
        assert sum(path.stat().st_size for path in files) <= MAX_BYTES
        assert not any(path.stat().st_mode & 0o7022 for path in files)


@fuzz(content=tars().map(lambda tar: gzip.compress(tar, 1)), quick=250)
def test_a_hostile_archive_stays_in_its_folder_and_within_its_bounds(content: bytes) -> None:
    check_unpacked(content)


_WHOLE = gzip.compress(tarfile.TarInfo("a").tobuf() + tarfile.TarInfo("b/c").tobuf() + bytes(1024))


@fuzz(
    content=st.one_of(mutations(_WHOLE), st.binary(max_size=60).map(lambda rest: b"\x1f\x8b\x08" + rest)),
    seeds=[
        {"content": b""},
        {"content": b"\x1f\x8b"},
        {"content": _WHOLE * 2},
        {"content": gzip.compress(bytes(10**7))},
    ],
    quick=100,
)
def test_damaged_compression_is_refused(content: bytes) -> None:
    check_unpacked(content)


@pytest.mark.parametrize("form", FORMATS)
def test_the_oracle_sees_a_difference(tmp_path: Path, form: int) -> None:
    for name, content in {"one": b"1", "two": b"2"}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_bytes(content + bytes([form]))
    assert listed(tmp_path / "one") != listed(tmp_path / "two")
