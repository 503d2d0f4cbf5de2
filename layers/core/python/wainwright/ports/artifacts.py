"""Objects in the bucket."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol


class ArtifactMissing(Exception):
    """There is no such object."""


@dataclass(frozen=True)
class Presigned:
    """An address that needs no credentials for a while, and the headers that must go with it."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)


class Artifacts(Protocol):
    """Objects in the bucket: bundles, reports, shared assets."""

    def put(self, key: str, content: bytes, content_type: str) -> None:
        """Write an object. Raises Unavailable: it could not be written; the message has the reason and nothing else."""

    def put_file(self, key: str, file: Path, content_type: str) -> None:
        """Write an object from a file. Raises as :meth:`put`."""

    def get(self, key: str, *, most: int | None = None) -> tuple[bytes, str]:
        """An object's bytes and content type.

        Raises:
            ArtifactMissing: there is none.
            TooLarge: it has more than ``most`` bytes.
        """

    def download(self, key: str, target: Path) -> None:
        """Write an object to a file. Raises ArtifactMissing: there is none."""

    def size_and_age(self, key: str) -> tuple[int, datetime] | None:
        """Size in bytes and time of writing, or None when there is no such object. Raises Unavailable: it could not be told."""

    def delete_all(self, prefix: str) -> None:
        """Delete all objects whose keys start so. Raises Unavailable: not all could be deleted."""

    def presign_get(self, key: str, *, lasts: timedelta) -> Presigned:
        """An address to read the object from. A browser that is sent to it keeps it as a file, and shows no page."""

    def presign_put(self, key: str, *, sha256: str, size: int, lasts: timedelta) -> Presigned:
        """An address to write exactly the bytes of this digest (hexadecimal) and size to."""
