"""Take the announcement of a bundle and say how to upload it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from wainwright.contracts.names import bundle_key
from wainwright.ports.artifacts import Artifacts, Presigned
from wainwright.ports.clock import Clock
from wainwright.usecases.caller import Caller

FRESH = timedelta(days=3)
"""A bundle older than this is uploaded again, well before the seven days after which the bucket drops it."""

UPLOAD_LASTS = timedelta(minutes=15)


@dataclass(frozen=True)
class AcceptBundle:
    """Answers announcements of bundles."""

    artifacts: Artifacts
    clock: Clock

    def __call__(self, caller: Caller, *, sha256: str, size: int) -> tuple[Presigned, datetime] | None:
        """Return the address for the upload, and when it expires; None if the bundle is there already."""
        now = self.clock()
        key = bundle_key(caller.project, sha256)
        there = self.artifacts.size_and_age(key)
        if there is not None and there[0] == size and now - there[1] < FRESH:
            return None
        put = self.artifacts.presign_put(key, sha256=sha256, size=size, lasts=UPLOAD_LASTS)
        return put, now + UPLOAD_LASTS
