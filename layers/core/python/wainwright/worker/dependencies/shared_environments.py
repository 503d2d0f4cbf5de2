"""Environments in the bucket, where workers have no disk in common: one archive for each, by project and digest."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from wainwright.contracts.names import environment_key
from wainwright.ports.artifacts import ArtifactMissing, Artifacts
from wainwright.worker.dependencies.installer import Bounds
from wainwright.worker.sandbox.archives import ArchiveUnusable, pack_archive
from wainwright.worker.sandbox.isolation import Isolation
from wainwright.worker.sandbox.unpacking import Unpacker

MAX_PACKED_BYTES = 1024**3

log = logging.getLogger(__name__)


class SharedEnvironments:
    """Environments that one project's workers have put there. Only workers write there, and the bucket lets it expire."""

    def __init__(self, artifacts: Artifacts, project: str, bounds: Bounds) -> None:
        self._artifacts = artifacts
        self._project = project
        self._bounds = bounds

    def fetch(
        self, digest: str, folder: Path, scratch: Path, isolation: Isolation, waiting: Callable[[], None]
    ) -> bool:
        """Fill an empty folder, which the process user has been lent, with the environment; False, and the folder as empty as
        before, where there is none to use. ``waiting`` is called again and again while it is unpacked, and may raise.
        """
        archive = scratch / "environment.tar.gz"
        key = environment_key(self._project, digest)
        try:
            found = self._artifacts.size_and_age(key)
            if found is None or found[0] > MAX_PACKED_BYTES:
                return False
            self._artifacts.download(key, archive)
            with Unpacker(isolation) as unpacker:
                unpacker.unpack(
                    archive, folder, max_files=self._bounds.files, max_bytes=self._bounds.bytes, waiting=waiting
                )
        except ArtifactMissing:
            return False  # expired between two calls
        except (ArchiveUnusable, OSError):
            log.exception("an environment cannot be unpacked and is installed again", extra={"key": key})
            isolation.remove(folder)
            folder.mkdir()
            isolation.lend(folder)
            return False
        finally:
            archive.unlink(missing_ok=True)
        return True

    def keep(self, digest: str, folder: Path, scratch: Path) -> None:
        """Put an environment there for other workers. A failure costs them their time, and this job nothing."""
        archive = scratch / "environment.tar.gz"
        key = environment_key(self._project, digest)
        try:
            pack_archive(folder, archive)
            if archive.stat().st_size <= MAX_PACKED_BYTES:
                self._artifacts.put_file(key, archive, "application/gzip")
        except Exception:
            log.exception("an environment could not be kept for other workers", extra={"key": key})
        finally:
            archive.unlink(missing_ok=True)
