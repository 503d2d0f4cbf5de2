"""Pack tests into a bundle: a tar.gz whose bytes depend on the files' names, contents and execute bits alone."""

import gzip
import hashlib
import io
import os
import tarfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from wainwright.client.errors import BundleError
from wainwright.client.suite_files import Bounds, Entry, biggest, gather

COMPRESSION = 6
"""gzip's own default: a higher level takes twice the time for a few per cent."""


@dataclass(frozen=True)
class Bundle:
    """A packed bundle: its file, its SHA-256 in hexadecimal, its bytes packed and unpacked, and the names in it."""

    file: Path
    sha256: str
    size: int
    unpacked: int
    names: tuple[str, ...]


def pack(paths: Sequence[Path], archive: Path, *, bounds: Bounds | None = None) -> Bundle:
    """Pack directories and files into ``archive``.

    One directory is packed as it is; one file, or several paths, lie below their common directory. ``.gitignore`` files
    are honoured, and what no test needs is left out (:data:`wainwright.client.suite_files.NEVER`).

    Raises:
        BundleError: a path is not there, there is no test in them, a link leads out, or a bound is exceeded.
    """
    bounds = bounds or Bounds()
    entries = gather(paths, bounds)
    try:
        with archive.open("w+b") as file:
            _write(entries, file, bounds)
            size = file.tell()
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except BaseException:
        archive.unlink(missing_ok=True)
        raise
    return Bundle(archive, digest, size, sum(entry.size for entry in entries), tuple(entry.name for entry in entries))


class _Source(io.RawIOBase):
    """Reads a file, and checks before every read that there is still room in the archive."""

    def __init__(self, file: BinaryIO, check: Callable[[], None]) -> None:
        self.file = file
        self.check = check

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        self.check()
        return self.file.read(size)


def _write(entries: Sequence[Entry], archive: BinaryIO, bounds: Bounds) -> None:
    def check() -> None:
        if archive.tell() > bounds.packed:
            raise BundleError(
                f"the tests are larger than the {bounds.packed:,} bytes that a bundle may have, compressed",
                advice=f"The biggest files are {biggest(entries)}: leave them out with a .gitignore.",
            )

    with (
        gzip.GzipFile(filename="", fileobj=archive, mode="wb", compresslevel=COMPRESSION, mtime=0) as stream,
        tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as packed,
    ):
        for entry in entries:
            _add(packed, entry, check)
    check()


def _add(packed: tarfile.TarFile, entry: Entry, check: Callable[[], None]) -> None:
    header = tarfile.TarInfo(entry.name)  # owner, group and time are zero by default
    header.mode = 0o755 if entry.executable else 0o644
    try:
        with entry.path.open("rb") as file:
            header.size = os.fstat(file.fileno()).st_size
            packed.addfile(header, _Source(file, check))
    except OSError as error:
        raise BundleError(f"{entry.path} cannot be read: {error.strerror or error}") from error
