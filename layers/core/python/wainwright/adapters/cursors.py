"""Cursors: where a list goes on, as one opaque word that is of use for this very list alone."""

import base64
import hashlib
import json
from collections.abc import Sequence

from wainwright.domain.errors import InvalidInput
from wainwright.domain.instants import to_text
from wainwright.domain.job_query import JobQuery, TimeRange
from wainwright.domain.jobs import Job

MAX_PLACE = 200
"""Characters of a place in a list; ours are far shorter."""

_ADVICE = (
    "Send the cursor exactly as the previous page gave it, with the same filters; or none, to start from the beginning."
)


def write_cursor(scope: Sequence[object], place: str) -> str:
    """The word for a place in the list that ``scope`` (JSON values) stands for."""
    word = json.dumps([_digest(scope), place], separators=(",", ":"))
    return base64.urlsafe_b64encode(word.encode()).decode().rstrip("=")


def read_cursor(cursor: str | None, scope: Sequence[object]) -> str | None:
    """The place that a cursor stands for; None without a cursor.

    Raises:
        InvalidInput: it was not made by :func:`write_cursor` for this list.
    """
    if cursor is None:
        return None
    try:
        digest, place = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, TypeError, RecursionError) as error:
        raise InvalidInput("cursor", "this is not a cursor", advice=_ADVICE) from error
    if not isinstance(place, str) or not 0 < len(place) <= MAX_PLACE or not place.isascii():
        raise InvalidInput("cursor", "this is not a cursor", advice=_ADVICE)
    if digest != _digest(scope):
        raise InvalidInput("cursor", "this cursor belongs to another list", advice=_ADVICE)
    return place


def scope_of(project: str, query: JobQuery) -> Sequence[object]:
    """The list that a query of jobs stands for: everything about it but the page."""
    return [
        "jobs", project, sorted(query.statuses), sorted(query.types), query.template_id, query.batch_id, query.has_errors,
        query.label, _bounds(query.created), _bounds(query.started), _bounds(query.ended), query.sort_by, query.ascending,
        query.include_expired,
    ]  # fmt: skip


def place_of(query: JobQuery, job: Job) -> str:
    """A job's place in the order of a query: text order is the order of time, and of ids where times are equal."""
    time = query.time_of(job)
    return f"{to_text(time)}#{job.id}" if time is not None else ""


def _bounds(times: TimeRange) -> Sequence[str | None]:
    return [time.isoformat() if time is not None else None for time in (times.start, times.end)]


def _digest(scope: Sequence[object]) -> str:
    return hashlib.sha256(json.dumps(scope).encode()).hexdigest()[:16]
