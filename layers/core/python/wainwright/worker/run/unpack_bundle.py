"""Bundles: fetched, checked against their digest, unpacked within bounds."""

import hashlib
from collections.abc import Callable
from pathlib import Path

from wainwright.contracts.http.bounds import MAX_BUNDLE_FILES, MAX_UNPACKED_BYTES
from wainwright.contracts.names import bundle_key
from wainwright.ports.artifacts import ArtifactMissing, Artifacts
from wainwright.worker.sandbox.archives import ArchiveUnusable
from wainwright.worker.sandbox.isolation import Isolation
from wainwright.worker.sandbox.unpacking import Unpacker


class BundleUnusable(Exception):
    """The bundle cannot be run; the message says why, for the user."""


def fetch_bundle(
    artifacts: Artifacts, project: str, bundle_id: str, folder: Path, isolation: Isolation, waiting: Callable[[], None]
) -> None:
    """Unpack a project's bundle into ``folder``, which is made, and lent to the tests with what is in it.

    ``waiting`` is called again and again while it is unpacked, and may raise.

    Raises:
        BundleUnusable: it is gone, is not what its digest says, is no archive of the right kind, or is too large.
    """
    folder.mkdir(parents=True)
    isolation.lend(folder)
    archive = folder.with_suffix(".tar.gz")
    with Unpacker(isolation) as unpacker:
        _download(artifacts, project, bundle_id, archive)
        try:
            unpacker.unpack(archive, folder, max_files=MAX_BUNDLE_FILES, max_bytes=MAX_UNPACKED_BYTES, waiting=waiting)
        except ArchiveUnusable as error:
            raise BundleUnusable(f"the bundle cannot be unpacked: {error}") from error
        finally:
            archive.unlink()


def _download(artifacts: Artifacts, project: str, bundle_id: str, archive: Path) -> None:
    try:
        artifacts.download(bundle_key(project, bundle_id), archive)
    except ArtifactMissing as error:
        raise BundleUnusable(
            f"the bundle {bundle_id} was deleted: bundles are kept for seven days; upload it again"
        ) from error
    with archive.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != bundle_id:
        raise BundleUnusable(f"the bundle's content has the digest {found}, but was announced as {bundle_id}")
