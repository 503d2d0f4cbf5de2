"""Uploads of one run: retried for a while, then kept on the worker's disk (requirement D11)."""

import logging
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from wainwright.domain.errors import Unavailable
from wainwright.ports.artifacts import ArtifactMissing, Artifacts
from wainwright.ports.spool import Spool, SpoolFull

TRIES = 10
"""Tries of one upload, also where others succeed between them."""

MAX_FAILURES = 3
"""In a row. After them the bucket is at fault, and not what was to be put into it."""

SLICE_SECONDS = 0.25
"""Longest part of a pause between two looks at ``hurried``."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class UploadPolicy:
    """Pauses between tries double from ``first_seconds`` to ``max_seconds``, each cut by up to a half at random.

    An outage begins when an upload fails and ends when one succeeds; all together may last ``total_seconds``. After that each
    upload is tried once, and when MAX_FAILURES have failed so, only one in ``probe_seconds`` is tried at all.
    """

    first_seconds: float = 0.5
    max_seconds: float = 8.0
    total_seconds: float = 30.0
    probe_seconds: float = 15.0

    def pause(self, number: int, uniform: Callable[[float, float], float]) -> float:
        """Return the seconds to wait after the ``number``-th try."""
        longest = min(self.max_seconds, self.first_seconds * 2 ** (number - 1))
        return uniform(longest / 2, longest)


class UploadResult(StrEnum):
    """Result of an upload."""

    UPLOADED = "uploaded"
    SPOOLED = "spooled"
    LOST = "lost"


@dataclass(frozen=True)
class Pace:
    """Time and chance, so that tests need neither."""

    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    uniform: Callable[[float, float], float] = random.uniform


@dataclass
class UploadArtifacts:
    """Puts what a run leaves into the bucket, or else into the spool. Its methods may be called by several threads.

    ``hurried`` returns True if there is no time for more than what is under way, as when the job is canceled or the worker is
    shut down: then pauses end, and after a failure nothing more is tried.
    """

    artifacts: Artifacts
    spool: Spool
    policy: UploadPolicy
    hurried: Callable[[], bool]
    pace: Pace = field(default_factory=Pace)
    reason: str | None = field(default=None, init=False)
    """Reason of the last failure."""

    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)
    _failing_since: float | None = field(default=None, init=False)
    _spent: float = field(default=0.0, init=False)
    _given_up: bool = field(default=False, init=False)
    _failures: int = field(default=0, init=False)
    _tried: float = field(default=0.0, init=False)

    def put(self, key: str, content: bytes, content_type: str) -> UploadResult:
        """Upload an object."""
        if self._upload(key, lambda: self.artifacts.put(key, content, content_type)):
            return UploadResult.UPLOADED
        return self.set_aside(key, content, content_type)

    def put_file(self, key: str, file: Path, content_type: str) -> UploadResult:
        """Upload an object from a file, which stays."""
        if self._upload(key, lambda: self.artifacts.put_file(key, file, content_type)):
            return UploadResult.UPLOADED
        return self._keep(key, lambda: self.spool.put_file(key, file, content_type))

    def set_aside(self, key: str, content: bytes, content_type: str) -> UploadResult:
        """Put an object into the spool at once."""
        return self._keep(key, lambda: self.spool.put(key, content, content_type))

    def upload_spooled(self, prefix: str) -> None:
        """Upload what lies in the spool under a prefix, until the first failure."""
        for key in self.spool.keys(prefix):
            if self.hurried() or not self._may_try():
                return
            try:
                self.spool.upload(key, self.artifacts)
            except ArtifactMissing:
                continue  # it had to make room for another
            except Unavailable as error:
                self._note_failure(key, error)
                return
            self._note_success()
            self.spool.delete(key)

    def is_stored(self, key: str) -> bool:
        """True if the bucket has an object; False also where that cannot be told now."""
        if self.spool.has(key) or not self._may_try():
            return False
        try:
            return self.artifacts.size_and_age(key) is not None
        except Unavailable as error:
            self._note_failure(key, error)
            return False

    def is_spooled(self, key: str) -> bool:
        """True if the spool has an object."""
        return self.spool.has(key)

    def _upload(self, key: str, send: Callable[[], None]) -> bool:
        for number in range(1, TRIES + 1):
            if not self._may_try():
                return False
            try:
                send()
            except Unavailable as error:
                self._note_failure(key, error)
            else:
                self._note_success()
                return True
            if number == TRIES or not self._pause(number):
                return False
        return False

    def _keep(self, key: str, keep: Callable[[], None]) -> UploadResult:
        try:
            keep()
        except SpoolFull as error:
            log.error("lost: neither the bucket nor the disk could store it", extra={"key": key, "reason": str(error)})
            return UploadResult.LOST
        return UploadResult.SPOOLED

    def _may_try(self) -> bool:
        with self._lock:
            if self._failing_since is None:
                return True
            now = self.pace.monotonic()
            if self.hurried():
                return False
            if not self._given_up or self._failures < MAX_FAILURES:
                return True
            if now - self._tried < self.policy.probe_seconds:
                return False
            self._tried = now
            return True

    def _note_failure(self, key: str, error: Unavailable) -> None:
        log.warning("could not be uploaded", extra={"key": key, "reason": error.message})
        with self._lock:
            self._tried = self.pace.monotonic()
            self.reason = error.message
            self._failures += 1
            if self._failing_since is None:
                self._failing_since = self._tried

    def _note_success(self) -> None:
        with self._lock:
            if self._failing_since is not None:
                self._spent += self.pace.monotonic() - self._failing_since
            self._failing_since, self._failures = None, 0

    def _pause(self, number: int) -> bool:
        """Wait before another try; False if there is to be none."""
        pace = self.pace
        end = pace.monotonic() + self.policy.pause(number, pace.uniform)
        with self._lock:
            if self._given_up:
                return False
            began = end if self._failing_since is None else self._failing_since
            if self._spent + (end - began) >= self.policy.total_seconds:
                self._given_up, self._failures = True, 1
                return False
        while (left := end - pace.monotonic()) > 0:
            if self.hurried():
                return False
            pace.sleep(min(left, SLICE_SECONDS))
        return not self.hurried()
