"""Problem documents (RFC 9457) for errors."""

import json
from collections.abc import Mapping

from wainwright.contracts.http.service import Problem
from wainwright.domain import errors
from wainwright.domain.errors import InvalidInput, WainwrightError

CONTENT_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:wainwright:problem:"

_KINDS: Mapping[type[WainwrightError], tuple[int, str, str]] = {
    errors.InvalidInput: (400, "invalid-input", "The request is invalid"),
    errors.Unauthenticated: (401, "unauthenticated", "No valid API key"),
    errors.Forbidden: (403, "forbidden", "The key's scope does not allow this"),
    errors.NotStored: (404, "not-stored", "The file could not be stored"),
    errors.NotFound: (404, "not-found", "Not found"),
    errors.IdempotencyConflict: (409, "idempotency-conflict", "The Idempotency-Key is already used"),
    errors.Refused: (409, "refused", "Its state does not allow this"),
    errors.Lost: (409, "changed", "Changed at the same time"),
    errors.TooLarge: (413, "too-large", "Over a size bound"),
    errors.CapacityExceeded: (429, "capacity-exceeded", "The project's capacity is used up"),
    errors.Unavailable: (503, "unavailable", "Try again"),
}

TYPES = (*(TYPE_PREFIX + name for _, name, _ in _KINDS.values()), TYPE_PREFIX + "internal")
"""All types of problem documents."""


UNAVAILABLE_RETRY_SECONDS = 2
"""Seconds after which a retry mostly succeeds where a service was unavailable."""


def retry_after(error: Exception) -> int | None:
    """Return the seconds for the header ``Retry-After``; None if a retry makes no sense."""
    if isinstance(error, errors.CapacityExceeded):
        return error.retry_after
    return UNAVAILABLE_RETRY_SECONDS if isinstance(error, errors.Unavailable) else None


def problem_of(error: Exception, instance: str | None = None) -> Problem:
    """Return the document for an error; of a fault of ours it has no details. ``instance``: the request's id, for the log."""
    if not isinstance(error, WainwrightError):
        return Problem(
            type=TYPE_PREFIX + "internal", title="Something went wrong here", status=500, instance=instance,
            detail="the request could not be handled; nothing was stored unless an earlier answer said so",
            advice="Send the request again; if it fails again, look for the instance in the function's log.",
        )  # fmt: skip
    unknown = (500, "internal", "Something went wrong here")
    status, name, title = next((_KINDS[kind] for kind in type(error).__mro__ if kind in _KINDS), unknown)
    return Problem(
        type=TYPE_PREFIX + name, title=title, status=status, detail=error.message, advice=error.advice or None,
        field=error.field if isinstance(error, InvalidInput) else None, instance=instance,
    )  # fmt: skip


def to_json(problem: Problem, extra: Mapping[str, object] | None = None) -> str:
    """Return the document as JSON, with further members such as ``line`` and ``column``."""
    return json.dumps(problem.model_dump(mode="json", by_alias=True, exclude_none=True) | dict(extra or {}))
