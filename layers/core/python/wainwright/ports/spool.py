"""Files that could not be put into the bucket yet, on a worker's disk."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from wainwright.ports.artifacts import Artifacts


class SpoolFull(Exception):
    """There is no room for this object; the message says of what."""


class Spool(Protocol):
    """Objects by the keys that they will have in the bucket. Bounded: where room is wanted, what is oldest goes."""

    def put(self, key: str, content: bytes, content_type: str) -> None:
        """Keep an object, in place of the one of the same key.

        Raises:
            SpoolFull: there is no room for it, even without what is older.
        """

    def put_file(self, key: str, file: Path, content_type: str) -> None:
        """Keep a copy of a file. Raises as :meth:`put`."""

    def get(self, key: str, *, most: int | None = None) -> tuple[bytes, str]:
        """An object's bytes and content type.

        Raises:
            ArtifactMissing: it is not kept here.
            TooLarge: it has more than ``most`` bytes.
        """

    def has(self, key: str) -> bool:
        """Return True if an object is kept here."""

    def keys(self, prefix: str) -> Sequence[str]:
        """Keys of what is kept, in the order in which it came."""

    def upload(self, key: str, artifacts: Artifacts) -> None:
        """Put an object into the bucket; it stays here until :meth:`delete`.

        Raises:
            ArtifactMissing: it is not kept here (any more).
            Unavailable: the bucket did not take it.
        """

    def delete(self, key: str) -> None:
        """Forget an object, if it is here."""
