"""Zip archives that test code may have written, read within bounds.

``zipfile`` makes an object of each entry before anybody can count them, unpacks bzip2 and LZMA without a bound on what comes of
one piece, and a whole member at once, however small it says that it is. And what is damaged raises nearly anything.
"""

import errno
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

MAX_MEMBERS = 100_000

_CHUNK = 1_048_576
_ENTRY = b"PK\x01\x02"
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_DAMAGED = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, ArithmeticError, KeyError, RuntimeError)
"""Raised by reading a damaged, encrypted or exotic archive; and OSError, without a number or for a place that there cannot be."""


class ZipUnusable(Exception):
    """The archive cannot be read, or is beyond the bounds; the message says why."""


@contextmanager
def open_zip(file: Path | IO[bytes]) -> Iterator[zipfile.ZipFile]:
    """Yield an archive. Raises ZipUnusable, also where reading it within the block fails because it is damaged; else OSError."""
    try:
        if _count_entries(file) > MAX_MEMBERS:
            raise ZipUnusable(f"it has more than {MAX_MEMBERS} members")
        with zipfile.ZipFile(file) as archive:
            if any(member.compress_type not in _METHODS for member in archive.infolist()):
                raise ZipUnusable("it is compressed by another method than deflate")
            yield archive
    except _DAMAGED as error:
        raise ZipUnusable(str(error) or type(error).__name__) from error
    except OSError as error:
        if error.errno not in (None, errno.EINVAL):
            raise
        raise ZipUnusable(str(error)) from error


def read_member(archive: zipfile.ZipFile, name: str, limit: int) -> bytes:
    """Return the content of a member. Raises ZipUnusable if it has more than `limit` bytes; further as reading it raises."""
    with archive.open(name) as file:
        found = file.read(limit + 1)
    if len(found) > limit:
        raise ZipUnusable(f"{name} has more than {limit} bytes")
    return found


def _count_entries(file: Path | IO[bytes]) -> int:
    """Return the number of places at which an entry of the archive's directory may begin."""
    if isinstance(file, Path):
        with file.open("rb") as opened:
            return _count_entries(opened)
    file.seek(0)
    count, rest = 0, b""
    while chunk := file.read(_CHUNK):
        count += (rest + chunk).count(_ENTRY)
        rest = (rest + chunk)[-len(_ENTRY) + 1 :]
    return count
