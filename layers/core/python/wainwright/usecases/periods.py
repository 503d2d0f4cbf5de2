"""Instants and stretches of time as people and programs write them in a query."""

import re
from datetime import UTC, datetime, timedelta

from wainwright.domain.errors import InvalidInput
from wainwright.domain.find import TimeRange
from wainwright.domain.instants import cut

FIRST = datetime(1970, 1, 1, tzinfo=UTC)
LAST = datetime(9999, 12, 31, tzinfo=UTC)
LONGEST = timedelta(days=3_650)
"""The longest period that can be asked for."""

_EPOCH = re.compile(r"\d{1,15}", re.ASCII)
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_DURATION = re.compile(r"(?:(\d{1,6})\s*d)?\s*(?:(\d{1,6})\s*h)?\s*(?:(\d{1,6})\s*m)?\s*(?:(\d{1,6})\s*s)?", re.ASCII)
_DAY = timedelta(days=1)
_TICK = timedelta(milliseconds=1)


def read_instant(field: str, text: str) -> datetime:
    """The instant that is written as RFC 3339, or as milliseconds since 1970 (requirement C2).

    Raises:
        InvalidInput: it is neither, or lies before 1970 or after 9999.
    """
    try:
        if _EPOCH.fullmatch(text):
            instant = FIRST + timedelta(milliseconds=int(text))
        elif _RFC3339.fullmatch(text):
            instant = cut(datetime.fromisoformat(text.upper()))
        else:
            raise ValueError("neither form")
        if FIRST <= instant <= LAST:
            return instant
    except (ValueError, OverflowError) as error:
        raise _no_instant(field, text) from error
    raise _no_instant(field, text)


def read_range(fields: tuple[str, str], start: str | None, end: str | None) -> TimeRange:
    """The range between two instants, both included, either of which may be left out.

    Raises:
        InvalidInput: one of them is no instant, or the first comes after the last.
    """
    first = read_instant(fields[0], start) if start is not None else None
    last = read_instant(fields[1], end) if end is not None else None
    if first is not None and last is not None and first > last:
        raise InvalidInput(
            fields[0], f"{fields[0]} is later than {fields[1]}", advice="Exchange them, or leave one out."
        )
    return TimeRange(first, last)


def read_period(text: str, now: datetime) -> TimeRange:
    """``today``, ``yesterday`` (days in UTC), or the last so much time: ``2h 30m``, ``10m`` (requirement C4).

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
        if timedelta(0) < length <= LONGEST:
            return TimeRange(now - length, None)
    raise InvalidInput(
        "period", f"{text[:40]!r} is no period",
        advice="Write today, yesterday, or a duration of at most 3650 days such as 2h 30m or 10m.",
    )  # fmt: skip


def _no_instant(field: str, text: str) -> InvalidInput:
    return InvalidInput(
        field, f"{field}: {text[:40]!r} is no instant from 1970 to 9999",
        advice="Write it as RFC 3339 with a time zone, such as 2026-11-22T02:42:45Z (a + as %2B), "
        "or as milliseconds since 1970.",
    )  # fmt: skip
