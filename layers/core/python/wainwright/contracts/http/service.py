"""The service's own state, and what it answers where a request fails."""

from typing import Literal

from wainwright.domain.record import Record


class Health(Record):
    """Answer to ``GET /v1/health``."""

    status: Literal["ok"] = "ok"
    version: str
    stage: str
    project: str


class Problem(Record):
    """A problem document (RFC 9457). ``field`` is at fault, where one is; ``advice`` is what to do about it."""

    type: str
    title: str
    status: int
    detail: str
    field: str | None = None
    advice: str | None = None
    instance: str | None = None
