"""Archives of folders, unpacked within bounds, whoever wrote them.

The reader is our own. ``tarfile`` reads each header whole, keeps all of them, and calls itself for one header after another; its
filters resolve links, which a path longer than PATH_MAX defeats (CVE-2025-4517). Here nothing is resolved: all links are made
last, in folders that are none, and `..` is only at the start of what they lead to. So none leads out, whatever it meets.
"""

import gzip
import os
import tarfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from wainwright.domain.cuts import cut_end

MAX_HEADER_BYTES = 65_536
"""Of one header that extends another: a long name, or a PAX header."""
MAX_NAME_BYTES = 255
MAX_PATH_BYTES = 1_024
"""Of a path in the archive: as much as the platform with the shortest paths can open."""
MAX_DEPTH = 100
"""Names in a path: the standard library calls itself for each folder when it walks through them."""
MAX_LINK_BYTES = 32 * 1024**2
"""Of all links together, which are kept in memory until the end."""
FOLDERS_PER_FILE = 4
"""The most folders, for each file that may be there: a name brings its folders along."""
MAX_REASON = 500
"""Characters of what the standard library says of a damaged archive: it quotes what it cannot read."""
HEADERS_PER_FILE = 8_192
"""Bytes of headers and padding that each file may have besides its content."""

_CHUNK = 65_536
_ENCODING = "utf-8", "surrogateescape"
_EXTENSIONS = {
    tarfile.GNUTYPE_LONGNAME: "path",
    tarfile.GNUTYPE_LONGLINK: "linkpath",
    tarfile.XHDTYPE: "",
    tarfile.XGLTYPE: "",
}
"""Types of the headers that extend another, and what each gives if it gives one value."""


class ArchiveUnusable(Exception):
    """The archive cannot be unpacked; the message says why."""


def pack_archive(folder: Path, archive: Path) -> None:
    """Pack what is in a folder. Time counts more than size: level 1 packs three times as fast as the default."""

    def without_hard_links(member: tarfile.TarInfo) -> tarfile.TarInfo:
        if member.islnk():
            member.type, member.linkname = tarfile.REGTYPE, ""
            member.size = (folder / member.name).stat().st_size
        return member

    with tarfile.open(archive, "w:gz", compresslevel=1) as packed:
        packed.add(folder, arcname=".", filter=without_hard_links)


def unpack_archive(archive: Path, folder: Path, *, max_files: int, max_bytes: int, for_group: bool = False) -> None:
    """Unpack a gzipped tar into an empty folder. Raises ArchiveUnusable if it is none, leads outside, or is beyond the bounds.

    With ``for_group`` the group may do with the files what their owner may. Callers in the worker go by
    :mod:`wainwright.worker.sandbox.unpacking`, which does this in a process of its own.
    """
    try:
        with gzip.open(archive) as stream:
            members = _Members(stream, max_bytes + max_files * HEADERS_PER_FILE)
            _Unpacking(folder, max_files, max_bytes, for_group).run(members)
    except (tarfile.TarError, zlib.error, EOFError, OSError, ValueError, OverflowError) as error:
        raise ArchiveUnusable(cut_end(str(error), MAX_REASON)) from error


@dataclass(frozen=True)
class _Member:
    """One member of an archive, as its headers say."""

    path: str
    kind: bytes
    target: str
    size: int
    mode: int
    mtime: float


class _Members:
    """Reads a tar's members in order, `max_bytes` at most, and keeps no more than a chunk or a header of it in memory."""

    def __init__(self, stream: gzip.GzipFile, max_bytes: int) -> None:
        self._stream = stream
        self._max_bytes = max_bytes
        self._count = 0

    def __iter__(self) -> Iterator[_Member]:
        """Yield each member. The caller copies the content of a file before it goes on."""
        given: dict[str, str] = {}
        while (header := self._header()) is not None:
            if header.type in _EXTENSIONS:
                given |= self._extension(header)
                continue
            yield _Member(
                path=given.get("path", header.name),
                kind=header.type,
                target=given.get("linkpath", header.linkname),
                size=int(given.get("size", header.size)),
                mode=header.mode,
                mtime=float(given.get("mtime", header.mtime)),
            )
            given = {}

    def copy(self, size: int, target: IO[bytes]) -> None:
        """Copy the content of the last member."""
        for begin in range(0, size, _CHUNK):
            target.write(self._whole(min(_CHUNK, size - begin)))
        self._whole(-size % tarfile.BLOCKSIZE)

    def _header(self) -> tarfile.TarInfo | None:
        """Read one header; None at the end, which some programs do not mark."""
        block = self._read(tarfile.BLOCKSIZE)
        if block == bytes(tarfile.BLOCKSIZE) or (not block and self._count):
            return None
        return tarfile.TarInfo.frombuf(block, *_ENCODING)

    def _extension(self, header: tarfile.TarInfo) -> dict[str, str]:
        if not 0 <= header.size <= MAX_HEADER_BYTES:
            raise ArchiveUnusable(f"a header for long names has more than {MAX_HEADER_BYTES} bytes")
        content = self._whole(header.size)
        self._whole(-header.size % tarfile.BLOCKSIZE)
        if header.type == tarfile.XGLTYPE:
            return {}  # for all files: comments, in what there is
        if header.type == tarfile.XHDTYPE:
            return _pax_values(content)
        return {_EXTENSIONS[header.type]: content.partition(b"\0")[0].decode(*_ENCODING)}

    def _whole(self, size: int) -> bytes:
        found = self._read(size)
        if len(found) < size:
            raise EOFError("it ends before its last file does")
        return found

    def _read(self, size: int) -> bytes:
        if self._count + size > self._max_bytes:
            raise ArchiveUnusable(f"it unpacks to more than {self._max_bytes} bytes, its headers included")
        found = self._stream.read(size)
        self._count += len(found)
        return found


def _pax_values(content: bytes) -> dict[str, str]:
    """Return what a PAX header gives for a member: records such as `12 path=abc`, each with its length and a line break."""
    values: dict[str, str] = {}
    begin = 0
    while begin < len(content):
        number = content[begin : begin + 20].partition(b" ")[0]
        record = content[begin : begin + int(number)]
        if len(record) <= len(number) + 1:
            raise ArchiveUnusable("it has a PAX header that cannot be read")
        key, _, value = record[len(number) + 1 : -1].partition(b"=")
        if key.startswith(b"GNU.sparse."):
            raise ArchiveUnusable("it has a sparse file: pack it without --sparse")
        if key in (b"path", b"linkpath", b"size", b"mtime"):
            values[key.decode()] = value.decode(*_ENCODING)
        begin += len(record)
    return values


class _Unpacking:
    """Makes an archive's members in an empty folder, links last."""

    def __init__(self, folder: Path, max_files: int, max_bytes: int, for_group: bool) -> None:
        self._folder = folder
        self._max_files = max_files
        self._max_bytes = max_bytes
        self._for_group = for_group
        self._made_folders = 0
        self._last_folder: Sequence[str] = ()
        self._links: list[tuple[str, str]] = []
        self._link_bytes = 0

    def run(self, members: _Members) -> None:
        size = 0
        for number, member in enumerate(members, start=1):
            size += member.size if _is_file(member) else 0
            if number > self._max_files or size > self._max_bytes or member.size < 0:
                raise ArchiveUnusable(f"it unpacks to more than {self._max_files} files or {self._max_bytes} bytes")
            self._make(member, members)
        for path, target in self._links:
            (self._folder / path).symlink_to(target)

    def _make(self, member: _Member, members: _Members) -> None:
        names = _names(member.path)
        if ".." in names:
            raise ArchiveUnusable(f"{_quoted(member.path)} leads out of the folder")
        if member.kind == tarfile.DIRTYPE:
            self._make_folders(names)
            return
        _check_kind(member)
        if not names:
            raise ArchiveUnusable("it has a file without a name")
        if member.kind == tarfile.SYMTYPE:
            _check_link(member, len(names) - 1)
        self._make_folders(names[:-1])
        if member.kind == tarfile.SYMTYPE:
            self._keep_link("/".join(names), member.target)
        else:
            self._write(self._folder.joinpath(*names), member, members)

    def _make_folders(self, names: Sequence[str]) -> None:
        """Make a folder and those above it. One that is a file, or a link, is an OSError."""
        if names == self._last_folder:
            return
        self._last_folder = names
        path = self._folder
        for name in names:
            path /= name
            if path.is_dir():
                continue
            self._made_folders += 1
            if self._made_folders > self._max_files * FOLDERS_PER_FILE:
                raise ArchiveUnusable(f"it has more than {self._max_files * FOLDERS_PER_FILE} folders")
            path.mkdir()

    def _keep_link(self, path: str, target: str) -> None:
        self._links.append((path, target))
        self._link_bytes += len(path) + len(target)
        if self._link_bytes > MAX_LINK_BYTES:
            raise ArchiveUnusable(f"its links have more than {MAX_LINK_BYTES} bytes")

    def _write(self, path: Path, member: _Member, members: _Members) -> None:
        """Write a file. Only its owner may write to it, or its group too; others may run it only if its owner may."""
        mode = member.mode & 0o755 if member.mode & 0o100 else member.mode & 0o644
        if self._for_group:
            mode |= 0o070 if mode & 0o100 else 0o060
        with path.open("wb") as file:
            members.copy(member.size, file)
            path.chmod(mode | 0o600)
        os.utime(path, (member.mtime, member.mtime))  # compiled Python names its source's time


def _is_file(member: _Member) -> bool:
    return member.kind in (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE)


def _check_kind(member: _Member) -> None:
    if member.kind == tarfile.LNKTYPE:
        raise ArchiveUnusable(f"{_quoted(member.path)} is a hard link: pack it as a file (tar --hard-dereference)")
    if member.kind != tarfile.SYMTYPE and not _is_file(member):
        raise ArchiveUnusable(f"{_quoted(member.path)} is not a file, a folder or a link")


def _check_link(member: _Member, depth: int) -> None:
    """Refuse a link that leads out, or may once other links are there: `..` behind a link is not where it seems to be."""
    names = _names(member.target)
    up = next((index for index, name in enumerate(names) if name != ".."), len(names))
    if member.target.startswith("/") or up > depth:
        raise ArchiveUnusable(f"the link {_quoted(member.path)} leads out of the folder, to {_quoted(member.target)}")
    if ".." in names[up:]:
        raise ArchiveUnusable(f"the link {_quoted(member.path)} may have `..` only at the start of its target")


def _names(path: str) -> list[str]:
    """Return the names that a path consists of. Raises ArchiveUnusable if it is longer than paths may be."""
    if len(path.encode(*_ENCODING)) > MAX_PATH_BYTES:
        raise ArchiveUnusable(f"the path {_quoted(path)} has more than {MAX_PATH_BYTES} bytes")
    names = [name for name in path.split("/") if name not in ("", ".")]
    if any(len(name.encode(*_ENCODING)) > MAX_NAME_BYTES for name in names):
        raise ArchiveUnusable(f"a name in {_quoted(path)} has more than {MAX_NAME_BYTES} bytes")
    if len(names) > MAX_DEPTH:
        raise ArchiveUnusable(f"the path {_quoted(path)} is more than {MAX_DEPTH} folders deep")
    return names


def _quoted(path: str) -> str:
    return repr(path if len(path) <= MAX_PATH_BYTES // 8 else f"{path[: MAX_PATH_BYTES // 8]}…")
