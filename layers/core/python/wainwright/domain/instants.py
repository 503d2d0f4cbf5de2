"""Instants: UTC datetimes with a time zone, written as RFC 3339 with milliseconds.

The written form has one fixed width, so that text order is time order: rows are sorted by it.
"""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import AfterValidator, PlainSerializer


def to_text(instant: datetime) -> str:
    """Write an instant as ``2026-11-22T02:42:45.123Z``."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant.microsecond // 1000:03d}Z"


def to_milliseconds(duration: timedelta) -> int:
    """Return the whole milliseconds of a duration."""
    return duration // timedelta(milliseconds=1)


def cut(instant: datetime) -> datetime:
    """Cut to whole milliseconds, in UTC, so that a value read back equals the value written."""
    if instant.tzinfo is None:
        raise ValueError("an instant needs a time zone: write it as RFC 3339, for example 2026-11-22T02:42:45Z")
    return instant.astimezone(UTC).replace(microsecond=instant.microsecond // 1000 * 1000)


Instant = Annotated[datetime, AfterValidator(cut), PlainSerializer(to_text, return_type=str)]
