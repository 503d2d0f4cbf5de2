"""Readers of query parameters and headers. Each makes a value of a name and a text, or raises InvalidInput."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, TypeVar

from functions.api.operations import Header, Query
from wainwright.domain.errors import InvalidInput
from wainwright.domain.instants import cut
from wainwright.domain.job_query import TimeRange
from wainwright.domain.states import JobStatus

V = TypeVar("V")

MAX_PAGE = 1_000
DEFAULT_PAGE = 50
MAX_KEY = 255
"""Bytes of an Idempotency-Key."""

MAX_DIGITS = 9
"""Digits of a number in a query."""

STATE_ALIASES = {
    "finished": frozenset({JobStatus.COMPLETED, JobStatus.FAILED}),
    "cancelling": frozenset({JobStatus.CANCELING}),
    "cancelled": frozenset({JobStatus.CANCELED}),
}
"""Names besides the states' own, in lower case: those of the job-control API (requirement C3)."""

FIRST = datetime(1970, 1, 1, tzinfo=UTC)
LAST = datetime(9999, 12, 31, tzinfo=UTC)
MAX_PERIOD = timedelta(days=3_650)

_EPOCH = re.compile(r"\d{1,15}", re.ASCII)
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_DURATION = re.compile(r"(?:(\d{1,6})\s*d)?\s*(?:(\d{1,6})\s*h)?\s*(?:(\d{1,6})\s*m)?\s*(?:(\d{1,6})\s*s)?", re.ASCII)
_DAY = timedelta(days=1)
_TICK = timedelta(milliseconds=1)


def whole_number(least: int, most: int) -> Callable[[str, str], int]:
    """Return a reader of whole numbers within bounds."""

    def read(name: str, text: str) -> int:
        digits = text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS
        if not digits or not least <= int(text) <= most:
            raise InvalidInput(name, f"{name} must be a whole number from {least} to {most}, not {text[:40]!r}")
        return int(text)

    return read


def matching(fits: Callable[[str], object], fault: str) -> Callable[[str, str], str]:
    """Return a reader of texts for which ``fits`` is true; ``fault`` ends the message about others."""

    def read(name: str, text: str) -> str:
        if not fits(text):
            raise InvalidInput(name, f"{name}: {text[:40]!r} {fault}")
        return text

    return read


def choice(values: Mapping[str, V], fault: str, fold: Callable[[str], str] = str.lower) -> Callable[[str, str], V]:
    """Return a reader of one of several words, folded first; ``fault`` is in the message about others."""

    def read(name: str, text: str) -> V:
        if fold(text) not in values:
            raise InvalidInput(name, f"{name} {fault}, not {text[:40]!r}")
        return values[fold(text)]

    return read


read_flag = choice({"true": True, "false": False}, "is true or false")


def read_states(name: str, text: str) -> frozenset[JobStatus]:
    """Read names of states, in any case, separated by commas (requirement C3)."""
    return frozenset[JobStatus]().union(*(_read_state(name, word) for word in text.split(",")))


def _read_state(name: str, word: str) -> frozenset[JobStatus]:
    state = word.strip().lower()
    if state in STATE_ALIASES:
        return STATE_ALIASES[state]
    try:
        return frozenset({JobStatus(state)})
    except ValueError as error:
        known = ", ".join([*JobStatus, *STATE_ALIASES])
        raise InvalidInput(name, f"there is no state {word[:40]!r}", advice=f"States are {known}.") from error


def read_instant(name: str, text: str) -> datetime:
    """Read RFC 3339 or milliseconds since 1970 (requirement C2), from 1970 to 9999."""
    try:
        if _EPOCH.fullmatch(text):
            instant = FIRST + timedelta(milliseconds=int(text))
        elif _RFC3339.fullmatch(text):
            instant = cut(datetime.fromisoformat(text.upper()))
        else:
            raise ValueError("neither form")
        if FIRST <= instant <= LAST:
            return instant
        raise ValueError("out of range")
    except (ValueError, OverflowError) as error:
        raise InvalidInput(
            name, f"{name}: {text[:40]!r} is not a time from 1970 to 9999",
            advice="Write it as RFC 3339 with a time zone, such as 2026-11-22T02:42:45Z (a + as %2B), "
            "or as milliseconds since 1970.",
        ) from error  # fmt: skip


def time_range(names: tuple[str, str], start: datetime | None, end: datetime | None) -> TimeRange:
    """Return the range between two instants, both included, either of which may be left out.

    Raises:
        InvalidInput: the first comes after the last.
    """
    if start is not None and end is not None and start > end:
        raise InvalidInput(names[0], f"{names[0]} is later than {names[1]}", advice="Exchange them, or leave one out.")
    return TimeRange(start, end)


def read_period(text: str, now: datetime) -> TimeRange:
    """Read ``today``, ``yesterday`` (days in UTC), or the last so much time: ``2h 30m``, ``10m`` (requirement C4).

    Raises:
        InvalidInput: it is none of these.
    """
    word = text.strip().lower()
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if word == "today":
        return TimeRange(midnight, midnight + _DAY - _TICK)
    if word == "yesterday":
        return TimeRange(midnight - _DAY, midnight - _TICK)
    found = _DURATION.fullmatch(word)
    if found is not None:
        days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
        length = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        if timedelta(0) < length <= MAX_PERIOD:
            return TimeRange(now - length, None)
    raise InvalidInput(
        "period", f"{text[:40]!r} is not a period",
        advice="Write today, yesterday, or a duration of at most 3650 days such as 2h 30m or 10m.",
    )  # fmt: skip


def _read_key(name: str, text: str) -> str:
    if not 1 <= len(text.encode()) <= MAX_KEY:
        raise InvalidInput(name, f"an Idempotency-Key has 1 to {MAX_KEY} bytes")
    return text


Limit = Annotated[int, Query("rows on a page, 1 to 1000; 50 if not given", whole_number(1, MAX_PAGE), "integer")]
Cursor = Annotated[str | None, Query("the cursor of the page before")]
IdempotencyKey = Annotated[
    str | None,
    Header("The same key with the same body gives the same job, for 24 hours.", _read_key, name="Idempotency-Key"),
]
