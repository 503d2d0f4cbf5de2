"""Take the announcement of a bundle and say how to upload it."""

from dataclasses import dataclass
from datetime import timedelta

from wainwright.contracts.http.bundles import BundleAnswer, CreateBundle, Upload
from wainwright.contracts.names import bundle_key
from wainwright.ports.artifacts import Artifacts
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

    def __call__(self, caller: Caller, request: CreateBundle) -> BundleAnswer:
        """Return the way to upload the bundle; none if it is there already."""
        now = self.clock()
        key = bundle_key(caller.project, request.sha256)
        there = self.artifacts.size_and_age(key)
        if there is not None and there[0] == request.size and now - there[1] < FRESH:
            return BundleAnswer(bundle_id=request.sha256, upload=None)
        put = self.artifacts.presign_put(key, sha256=request.sha256, size=request.size, lasts=UPLOAD_LASTS)
        upload = Upload(url=put.url, headers=dict(put.headers), expires_at=now + UPLOAD_LASTS)
        return BundleAnswer(bundle_id=request.sha256, upload=upload)
