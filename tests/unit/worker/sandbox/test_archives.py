"""Archives of strangers: whatever is in them, nothing leaves the folder, and memory and time stay within bounds."""

import gzip
import io
import os
import tarfile
import tempfile
import tracemalloc
from collections.abc import Callable, Iterable
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wainwright.client.bundles import pack
from wainwright.worker.sandbox.archives import ArchiveUnusable, pack_archive, unpack_archive

MEGABYTE = 1_048_576
MEMORY = 8 * MEGABYTE
"""The most that unpacking takes, whatever an archive says; a few blocks and headers take far less."""

Member = tuple[str, bytes, str]
"""Name, kind, and what it leads to."""


def header(name: str, kind: bytes, size: int = 0, link: str = "") -> bytes:
    member = tarfile.TarInfo(name)
    member.type, member.size, member.linkname = kind, size, link
    return member.tobuf(tarfile.GNU_FORMAT)


def archived(members: Iterable[Member]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", format=tarfile.PAX_FORMAT, compresslevel=1) as archive:
        for name, kind, link in members:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, link
            member.size = 1 if kind == tarfile.REGTYPE else 0
            archive.addfile(member, io.BytesIO(b"x"))
    return buffer.getvalue()


def unpacked(content: bytes, folder: Path, *, max_files: int = 20_000, max_bytes: int = 1024 * MEGABYTE) -> None:
    archive = folder.with_suffix(".tar.gz")
    archive.write_bytes(content)
    folder.mkdir()
    unpack_archive(archive, folder, max_files=max_files, max_bytes=max_bytes)


# Nothing leaves the folder

DEEP = "d" * 247
LETTERS = "abcdefghijklmnop"


def longer_than_paths_may_be() -> list[Member]:
    """CVE-2025-4517: a chain of links is longer than PATH_MAX once it is resolved, which ends the check and not the kernel."""
    members: list[Member] = []
    path = ""
    for letter in LETTERS:
        members += [(f"{path}{DEEP}", tarfile.DIRTYPE, ""), (f"{path}{letter}", tarfile.SYMTYPE, DEEP)]
        path += f"{DEEP}/"
    chain = "/".join(LETTERS)
    members.append((f"{chain}/{'l' * 254}", tarfile.SYMTYPE, "../" * len(LETTERS)))
    members.append(("escape", tarfile.SYMTYPE, f"{chain}/{'l' * 254}/../outside"))
    return [*members, ("escape/stolen", tarfile.REGTYPE, "")]


WAYS_OUT: dict[str, list[Member]] = {
    "a chain of links beyond PATH_MAX": longer_than_paths_may_be(),
    "a link that leads out once another is there": [
        ("d/up", tarfile.SYMTYPE, "in/../.."),
        ("d/in", tarfile.SYMTYPE, "."),
        ("out", tarfile.SYMTYPE, "d/in/../../outside"),
    ],
    "a link in the place of a folder above a link": [
        ("a/b", tarfile.DIRTYPE, ""),
        ("a/b/out", tarfile.SYMTYPE, "../.."),
        ("x", tarfile.SYMTYPE, "a/b"),
        ("x/out", tarfile.SYMTYPE, "../outside"),
    ],
    "a file through a link": [("a", tarfile.SYMTYPE, "../outside"), ("a/stolen", tarfile.REGTYPE, "")],
    "a hard link to a link": [("a", tarfile.SYMTYPE, "b"), ("c", tarfile.LNKTYPE, "a"), ("b", tarfile.REGTYPE, "")],
}
PATHS = st.sampled_from(
    ["a", "b", "a/b", "a/c", "b/a", "./a/b/c", "d" * 250, "../outside", "a/../../outside", "/a", "."]
)
TARGETS = st.builds(
    lambda *parts: "".join(parts),
    *(st.sampled_from(["", "../", "../../"]), PATHS, st.sampled_from(["", "/..", "/../.."])),
    st.sampled_from(["", "/outside", "/a"]),
)
KINDS = st.sampled_from([tarfile.REGTYPE, tarfile.DIRTYPE, *[tarfile.SYMTYPE] * 4, tarfile.LNKTYPE, tarfile.FIFOTYPE])
MEMBERS = st.lists(st.tuples(PATHS, KINDS, TARGETS), max_size=8)


def assert_nothing_left(members: list[Member]) -> None:
    with tempfile.TemporaryDirectory() as place:
        root = Path(place).resolve()
        outside, folder = root / "outside", root / "bundle"
        outside.mkdir()
        (outside / "there").write_bytes(b"untouched")
        try:
            unpacked(archived(members), folder)
        except ArchiveUnusable:
            assert not list(folder.rglob("stolen"))
        assert {path.name for path in root.iterdir()} == {"outside", "bundle", "bundle.tar.gz"}
        assert [path.name for path in outside.iterdir()] == ["there"]
        for parent, folders, files in os.walk(folder):
            for path in (Path(parent, name) for name in (*folders, *files)):
                try:
                    real = Path(os.path.realpath(path, strict=True))
                except OSError:
                    continue  # to nothing, or in a circle
                assert real.is_relative_to(folder), f"{path.relative_to(folder)} leads to {real}"


def test_no_two_links_lead_out_together() -> None:
    ends = ["", "/..", "/../.."]
    targets = [f"{begin}{end}" for begin in (".", "a", "b/a", "../a") for end in ends]
    for paths in (("a", "b/a"), ("b/a", "a")):
        for pair in product(targets, repeat=2):
            assert_nothing_left([(path, tarfile.SYMTYPE, target) for path, target in zip(paths, pair, strict=True)])


@pytest.mark.parametrize("members", WAYS_OUT.values(), ids=WAYS_OUT)
def test_no_known_way_leads_out(members: list[Member]) -> None:
    assert_nothing_left(members)


@given(members=MEMBERS)
@settings(max_examples=100, deadline=None)
def test_nothing_leaves_the_folder_whatever_links_and_names_there_are(members: list[Member]) -> None:
    assert_nothing_left(members)


@pytest.mark.parametrize(
    ("member", "reason"),
    [
        pytest.param(("a" * 256, tarfile.REGTYPE, ""), "name .* 255 bytes", id="a long name"),
        pytest.param(("ä" * 128, tarfile.REGTYPE, ""), "name .* 255 bytes", id="a name that is long in bytes"),
        pytest.param(("abcdefgh/" * 200 + "a", tarfile.REGTYPE, ""), "path .* 1024 bytes", id="a long path"),
        pytest.param(("a/" * 500 + "a", tarfile.REGTYPE, ""), "100 folders", id="a path deeper than Python's stack"),
        pytest.param(("a", tarfile.SYMTYPE, "abcdefgh/" * 200), "path .* 1024 bytes", id="a link over a long path"),
        pytest.param(("a", tarfile.SYMTYPE, "b" * 256), "name .* 255 bytes", id="a link to a long name"),
        pytest.param(("a", tarfile.SYMTYPE, "/etc/passwd"), "leads out", id="a link to an absolute path"),
        pytest.param(("a", tarfile.SYMTYPE, ".."), "leads out", id="a link out"),
        pytest.param(("a/b", tarfile.SYMTYPE, "../c/../../d"), "only at the start", id="a link by a folder and back"),
        pytest.param(("a/../../b", tarfile.REGTYPE, ""), "leads out", id="a name that leads out"),
        pytest.param(("a", tarfile.LNKTYPE, "b"), "hard link", id="a hard link"),
        pytest.param(("a", tarfile.CHRTYPE, ""), "not a file", id="a device"),
        pytest.param(("a", tarfile.BLKTYPE, ""), "not a file", id="a disk"),
        pytest.param(("a", tarfile.FIFOTYPE, ""), "not a file", id="a pipe"),
        pytest.param(("a", tarfile.GNUTYPE_SPARSE, ""), "not a file", id="a file with holes"),
    ],
)
def test_refuses_before_anything_is_made_of_it_and_says_why(tmp_path: Path, member: Member, reason: str) -> None:
    with pytest.raises(ArchiveUnusable, match=reason):
        unpacked(archived([member]), tmp_path / "bundle")

    assert not (tmp_path / "bundle" / "a").is_symlink()
    assert not [path for path in (tmp_path / "bundle").rglob("*") if not path.is_dir()]


# Memory and time stay within bounds


def extension(kind: bytes, content: bytes) -> bytes:
    return header("././@LongLink", kind, len(content)) + content + bytes(-len(content) % 512)


def one_large(kind: bytes) -> Iterable[bytes]:
    yield header("long", kind, 64 * MEGABYTE)
    yield from (bytes(MEGABYTE) for _ in range(64))


def one_large_that_is_not_there(kind: bytes) -> Iterable[bytes]:
    yield header("long", kind, 8 * 1024 * MEGABYTE - 1)


def many_in_a_row(kind: bytes) -> Iterable[bytes]:
    yield from (extension(kind, b"a") for _ in range(1_500))


def many_that_are_kept(kind: bytes) -> Iterable[bytes]:
    for number in range(200):
        key = f"key{number}"
        record = f"={'v' * 60_000}\n"
        yield extension(kind, f"{len(key) + len(record) + 6} {key}{record}".encode())
        yield header(f"file{number}", tarfile.REGTYPE)


@pytest.mark.parametrize("kind", [b"L", b"K", b"x", b"g", b"X"])
@pytest.mark.parametrize("bomb", [one_large, one_large_that_is_not_there, many_in_a_row, many_that_are_kept])
def test_headers_take_no_memory(tmp_path: Path, bomb: Callable[[bytes], Iterable[bytes]], kind: bytes) -> None:
    archive = io.BytesIO()
    with gzip.GzipFile(fileobj=archive, mode="wb", compresslevel=1) as stream:
        for part in bomb(kind):
            stream.write(part)
    tracemalloc.start()
    try:
        unpacked(archive.getvalue(), tmp_path / "bundle")
    except ArchiveUnusable:
        pass
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < MEMORY


@pytest.mark.parametrize("kind", [b"L", b"K", b"x", b"g"])
def test_refuses_a_header_over_64_kib(tmp_path: Path, kind: bytes) -> None:
    with pytest.raises(ArchiveUnusable, match="65536 bytes"):
        unpacked(gzip.compress(extension(kind, b"a" * 65_537)), tmp_path / "bundle")


def test_counts_what_comes_out_of_the_compression_also_where_no_file_comes_of_it(tmp_path: Path) -> None:
    content = gzip.compress(b"".join(extension(b"g", b"12 a=bcdefg\n") for _ in range(200)), compresslevel=1)

    with pytest.raises(ArchiveUnusable, match="its headers included"):
        unpacked(content, tmp_path / "bundle", max_files=10, max_bytes=1_000)


def test_folders_that_names_bring_along_are_bounded(tmp_path: Path) -> None:
    members = [("/".join(str(number) for _ in range(90)), tarfile.REGTYPE, "") for number in range(10)]

    with pytest.raises(ArchiveUnusable, match="folders"):
        unpacked(archived(members), tmp_path / "bundle", max_files=10)


# What is legal stays legal


def test_what_the_client_packs_is_unpacked_as_it_was(tmp_path: Path) -> None:
    suite = tmp_path / "suite"
    long = "/".join(["päges" * 10] * 8)
    for name in ("tests/test_a.py", "run.sh", f"{long}/test_long.py"):
        (suite / name).parent.mkdir(parents=True, exist_ok=True)
        (suite / name).write_text(name)
    (suite / "run.sh").chmod(0o755)
    (suite / "linked.py").symlink_to("tests/test_a.py")
    bundle = pack([suite], tmp_path / "packed.tar.gz")

    unpacked(bundle.file.read_bytes(), tmp_path / "bundle")

    found = {path.relative_to(tmp_path / "bundle").as_posix() for path in (tmp_path / "bundle").rglob("*")}
    assert found >= {"tests/test_a.py", "run.sh", f"{long}/test_long.py", "linked.py"}
    assert os.access(tmp_path / "bundle" / "run.sh", os.X_OK)
    assert not (tmp_path / "bundle" / "linked.py").is_symlink()


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_archives_of_other_programs_are_unpacked(tmp_path: Path, form: int) -> None:
    folder = tmp_path / "suite"
    names = [f"{'long-name-' * 8}/{'long-name-' * 8}/test_a.py", "tests/a.py"]
    for name in names:
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text(name)
    (folder / "tests" / "up.py").symlink_to("../tests/a.py")
    (folder / "links").symlink_to("./tests/")
    if form != tarfile.USTAR_FORMAT:  # which has no long ones
        (folder / "long").symlink_to(names[0])
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", format=form, pax_headers={"comment": "of git"}) as archive:
        archive.add(folder, ".")

    unpacked(buffer.getvalue(), tmp_path / "bundle")

    assert [(tmp_path / "bundle" / name).read_text() for name in names] == names
    assert (tmp_path / "bundle" / "links" / "up.py").read_text() == "tests/a.py"
    assert form == tarfile.USTAR_FORMAT or (tmp_path / "bundle" / "long").readlink() == Path(names[0])


def test_an_environment_comes_back_as_it_was(tmp_path: Path) -> None:
    made = tmp_path / "made"
    (made / "package").mkdir(parents=True)
    (made / "package" / "a.py").write_text("a")
    (made / "package" / "b.py").hardlink_to(made / "package" / "a.py")
    (made / "bin").mkdir()
    (made / "bin" / "run").symlink_to("../package/a.py")
    (made / "package" / "a.py").chmod(0o755)
    os.utime(made / "package" / "a.py", (1_700_000_000, 1_700_000_000.75))
    pack_archive(made, tmp_path / "packed.tar.gz")

    unpacked((tmp_path / "packed.tar.gz").read_bytes(), tmp_path / "bundle")

    found = tmp_path / "bundle" / "package" / "a.py"
    assert found.stat().st_mode & 0o777 == 0o755
    assert found.stat().st_mtime == 1_700_000_000.75
    assert (tmp_path / "bundle" / "bin" / "run").readlink() == Path("../package/a.py")
    assert (tmp_path / "bundle" / "package" / "b.py").read_text() == "a"


def test_a_refusal_does_not_repeat_a_long_value(tmp_path: Path) -> None:
    record = b" mtime=" + b"x" * 60_000 + b"\n"
    content = b"%d" % (len(record) + 5) + record

    block = header("x", tarfile.XHDTYPE, len(content)) + content + bytes(-len(content) % 512)

    with pytest.raises(ArchiveUnusable) as refused:
        unpacked(gzip.compress(block + header("a", tarfile.REGTYPE) + bytes(1_024)), tmp_path / "bundle")

    assert "could not convert" in str(refused.value)
    assert len(str(refused.value)) <= 500
