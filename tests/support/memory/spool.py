"""A spool in memory."""

from pathlib import Path

from wainwright.contracts.names import key_group
from wainwright.domain.errors import TooLarge
from wainwright.ports.artifacts import ArtifactMissing, Artifacts
from wainwright.ports.spool import SpoolFull


class MemorySpool:
    """:class:`~wainwright.ports.spool.Spool` in a dictionary of key to (bytes, content type)."""

    def __init__(self, max_bytes: int = 1_000_000) -> None:
        self.objects: dict[str, tuple[bytes, str]] = {}
        self._max_bytes = max_bytes

    def put(self, key: str, content: bytes, content_type: str) -> None:
        kept = {each: value for each, value in self.objects.items() if each != key}
        groups = list(dict.fromkeys(map(key_group, kept)))
        while sum(len(body) for body, _ in kept.values()) + len(content) > self._max_bytes:
            oldest = next((group for group in groups if group != key_group(key)), None)
            if oldest is None:
                raise SpoolFull(f"there is no room for {len(content)} bytes of {key}")
            groups.remove(oldest)
            kept = {each: value for each, value in kept.items() if key_group(each) != oldest}
        self.objects = kept | {key: (content, content_type)}

    def put_file(self, key: str, file: Path, content_type: str) -> None:
        self.put(key, file.read_bytes(), content_type)

    def get(self, key: str, *, most: int | None = None) -> tuple[bytes, str]:
        if key not in self.objects:
            raise ArtifactMissing(key)
        content, content_type = self.objects[key]
        if most is not None and len(content) > most:
            raise TooLarge(f"{key} has {len(content)} bytes, more than {most}")
        return content, content_type

    def has(self, key: str) -> bool:
        return key in self.objects

    def keys(self, prefix: str) -> list[str]:
        return [key for key in self.objects if key.startswith(prefix)]

    def upload(self, key: str, artifacts: Artifacts) -> None:
        content, content_type = self.get(key)
        artifacts.put(key, content, content_type)

    def delete(self, key: str) -> None:
        self.objects.pop(key, None)
