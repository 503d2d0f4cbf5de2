"""Bundles of jobs and templates. Uploads expire after seven days; what a template runs is kept apart, as long as it is there."""

import hashlib
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from wainwright.contracts.bundles import pack_files
from wainwright.contracts.names import bundle_key, template_bundle_key, template_prefix
from wainwright.domain.errors import InvalidInput, NotFound
from wainwright.domain.job_requests import Work
from wainwright.ports.artifacts import ArtifactMissing, Artifacts, Presigned
from wainwright.ports.clock import Clock
from wainwright.usecases.check_scripts import check_script, check_scripts

GZIP = "application/gzip"

FRESH = timedelta(days=3)
"""A bundle older than this is uploaded again, well before the seven days after which the bucket drops it."""

UPLOAD_LASTS = timedelta(minutes=15)


@dataclass(frozen=True)
class KeepBundles:
    """Keeps bundles where jobs find them."""

    artifacts: Artifacts
    clock: Clock

    def announce(self, project: str, *, sha256: str, size: int) -> tuple[Presigned, datetime] | None:
        """Return the address to upload a bundle to, and when it expires; None if the bundle is there already."""
        now, key = self.clock(), bundle_key(project, sha256)
        there = self.artifacts.size_and_age(key)
        if there is not None and there[0] == size and now - there[1] < FRESH:
            return None
        return self.artifacts.presign_put(key, sha256=sha256, size=size, lasts=UPLOAD_LASTS), now + UPLOAD_LASTS

    def for_job(self, project: str, request: Work) -> str | None:
        """Return the digest of what the request has to run, kept as an upload; None where it brings nothing of the kind.

        Raises:
            InvalidInput: a script does not compile, or the bundle was never uploaded.
        """
        digest = self._keep_scripts(request, lambda digest: bundle_key(project, digest))
        if digest is None and request.bundle_id is not None:
            self._require_upload(project, request.bundle_id)
        return digest or request.bundle_id

    def for_template(self, project: str, template_id: str, request: Work) -> str | None:
        """Return the digest of what the template has to run, kept with the template. Raises as :meth:`for_job`."""
        digest = self._keep_scripts(request, lambda digest: template_bundle_key(project, template_id, digest))
        if digest is not None or request.bundle_id is None:
            return digest
        kept = template_bundle_key(project, template_id, request.bundle_id)
        if self.artifacts.size_and_age(kept) is None:
            self._require_upload(project, request.bundle_id)
            self._copy(bundle_key(project, request.bundle_id), kept)
        return request.bundle_id

    def bring_back(self, project: str, template_id: str, digest: str) -> None:
        """Copy a template's bundle to the uploads, unless it lies there for as long as a job of it may take.

        Raises:
            NotFound: the template is gone, and its bundle with it.
        """
        upload = bundle_key(project, digest)
        there = self.artifacts.size_and_age(upload)
        if there is not None and self.clock() - there[1] < FRESH:
            return
        try:
            self._copy(template_bundle_key(project, template_id, digest), upload)
        except ArtifactMissing as error:
            raise NotFound(f"the template {template_id} was deleted") from error

    def drop(self, project: str, template_id: str) -> None:
        """Delete all that a template kept."""
        self.artifacts.delete_all(template_prefix(project, template_id))

    def _keep_scripts(self, request: Work, key_of: Callable[[str], str]) -> str | None:
        """Keep the request's inline scripts as a bundle, and return its digest, of which ``key_of`` makes its key."""
        if request.script is not None:
            check_script(request.script)
        elif request.scripts is not None:
            check_scripts(request.files())
        else:
            return None
        archive = pack_files({name: content.encode() for name, content in request.files().items()})
        digest = hashlib.sha256(archive).hexdigest()
        self.artifacts.put(key_of(digest), archive, GZIP)
        return digest

    def _require_upload(self, project: str, digest: str) -> None:
        if self.artifacts.size_and_age(bundle_key(project, digest)) is None:
            raise InvalidInput(
                "bundleId", f"no bundle {digest} has been uploaded to this project, or it has expired",
                advice="Announce it by POST /v1/bundles and upload it to the URL in the answer.",
            )  # fmt: skip

    def _copy(self, source: str, target: str) -> None:
        """By way of a file: a bundle may be larger than a function's memory allows for."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "bundle"
            self.artifacts.download(source, file)
            self.artifacts.put_file(target, file, GZIP)
