"""Bodies of the calls of bundles."""

from typing import Literal

from pydantic import Field

from wainwright.contracts.http.bounds import MAX_BUNDLE_BYTES
from wainwright.domain.instants import Instant
from wainwright.domain.job_requests import Digest
from wainwright.domain.record import Record


class CreateBundle(Record):
    """``POST /v1/bundles``: announce an archive by its digest and size in bytes."""

    sha256: Digest
    size: int = Field(ge=1, le=MAX_BUNDLE_BYTES)


class Upload(Record):
    """The one request that uploads the bundle, to be sent exactly so, before ``expires_at``."""

    method: Literal["PUT"] = "PUT"
    url: str
    headers: dict[str, str]
    expires_at: Instant


class BundleAnswer(Record):
    """Answer to ``POST /v1/bundles``. No ``upload`` where the archive is there already."""

    bundle_id: str
    upload: Upload | None
