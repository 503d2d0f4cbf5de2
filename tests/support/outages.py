"""A bucket that takes nothing for a while, and time that passes only by waiting."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from tests.support.memory.services import MemoryArtifacts
from wainwright.domain.errors import Unavailable
from wainwright.usecases.upload_artifacts import Pace

REASON = "S3 answered SlowDown"


class FakePace:
    """A clock that moves when somebody sleeps, or when told; pauses are never cut."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.slept: list[float] = []
        self.on_sleep: Callable[[], object] = lambda: None

    @property
    def pace(self) -> Pace:
        """The pace, in the form that uploads take."""
        return Pace(monotonic=lambda: self.now, sleep=self._sleep, uniform=lambda _least, most: most)

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        self.on_sleep()


class OutageArtifacts(MemoryArtifacts):
    """Artifacts that refuse what a test says, and note every try. Heads of objects fail with ``deaf``."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        super().__init__(clock)
        self.refuses: Callable[[str], bool] = lambda _key: False
        self.deaf = False
        self.tried: list[str] = []

    def refuse_all(self) -> None:
        """Take nothing any more."""
        self.refuses = lambda _key: True

    def recover(self) -> None:
        """Take everything again."""
        self.refuses = lambda _key: False
        self.deaf = False

    def put(self, key: str, content: bytes, content_type: str) -> None:
        """Write, unless refused."""
        self._try(key)
        super().put(key, content, content_type)

    def put_file(self, key: str, file: Path, content_type: str) -> None:
        """Write, unless refused."""
        self._try(key)
        super().put(key, file.read_bytes(), content_type)

    def size_and_age(self, key: str) -> tuple[int, datetime] | None:
        """Look, unless nobody answers."""
        if self.deaf:
            raise Unavailable(REASON)
        return super().size_and_age(key)

    def _try(self, key: str) -> None:
        self.tried.append(key)
        if self.refuses(key):
            raise Unavailable(REASON)
