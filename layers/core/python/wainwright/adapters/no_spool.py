"""The spool of a process that reaches no worker's disk."""

from pathlib import Path

from wainwright.ports.artifacts import ArtifactMissing, Artifacts
from wainwright.ports.spool import SpoolFull


class NoSpool:
    """A :class:`~wainwright.ports.spool.Spool` that is empty and stays so: functions on AWS see no worker's disk."""

    def put(self, key: str, content: bytes, content_type: str) -> None:
        raise SpoolFull(f"{key}: there is no disk to keep {len(content)} bytes of {content_type} on")

    def put_file(self, key: str, file: Path, content_type: str) -> None:
        raise SpoolFull(f"{key}: there is no disk to keep {file.name} ({content_type}) on")

    def get(self, key: str, *, most: int | None = None) -> tuple[bytes, str]:
        raise ArtifactMissing(key)

    def has(self, key: str) -> bool:
        return False

    def keys(self, prefix: str) -> list[str]:
        return []

    def upload(self, key: str, artifacts: Artifacts) -> None:
        raise ArtifactMissing(key)

    def delete(self, key: str) -> None:
        pass
