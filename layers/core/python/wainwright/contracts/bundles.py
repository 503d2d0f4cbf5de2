"""The form of a bundle: a tar.gz whose bytes depend on nothing but the files in it, so that its digest is its name."""

import gzip
import io
import tarfile
from collections.abc import Mapping


def pack_files(files: Mapping[str, bytes]) -> bytes:
    """Archive files by their relative POSIX paths: sorted, and without owners or times."""
    packed = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=6, mtime=0) as stream,
        tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name in sorted(files):
            entry = tarfile.TarInfo(name)
            entry.size = len(files[name])
            entry.mode = 0o644
            archive.addfile(entry, io.BytesIO(files[name]))
    return packed.getvalue()
