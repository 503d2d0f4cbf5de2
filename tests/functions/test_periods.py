"""Instants and stretches of time in queries."""

from datetime import UTC, datetime, timedelta

import pytest

from functions.api.parameters import read_instant, read_period, time_range
from wainwright.domain.errors import InvalidInput
from wainwright.domain.job_query import TimeRange

NOW = datetime(2026, 11, 22, 14, 42, 45, 123_000, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 22, tzinfo=UTC)
TICK = timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("0", datetime(1970, 1, 1, tzinfo=UTC)),
        ("1795358565123", datetime(2026, 11, 22, 14, 42, 45, 123_000, tzinfo=UTC)),
        ("2026-11-22T14:42:45Z", datetime(2026, 11, 22, 14, 42, 45, tzinfo=UTC)),
        ("2026-11-22t14:42:45.1239z", datetime(2026, 11, 22, 14, 42, 45, 123_000, tzinfo=UTC)),
        ("2026-11-22T16:42:45+02:00", datetime(2026, 11, 22, 14, 42, 45, tzinfo=UTC)),
    ],
)
def test_reads_epoch_milliseconds_and_rfc_3339(text: str, instant: datetime) -> None:
    assert read_instant("createFrom", text) == instant


@pytest.mark.parametrize(
    "text",
    [
        "", "yesterday", "2026-11-22", "2026-11-22T14:42:45", "2026-11-22T16:42:45 02:00", "2026-13-01T00:00:00Z",
        "1969-12-31T23:59:59Z", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "-1", "1e3", "٣",
        "9" * 15, "9" * 5_000,
    ],
)  # fmt: skip
def test_refuses_what_is_no_instant_and_names_the_field(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_instant("startTo", text)

    assert refused.value.field == "startTo"
    assert "RFC 3339" in refused.value.advice


def test_a_range_may_be_open_on_either_side() -> None:
    assert time_range(("from", "to"), None, None) == TimeRange()
    assert time_range(("from", "to"), NOW, None) == TimeRange(start=NOW)
    assert time_range(("from", "to"), None, NOW) == TimeRange(end=NOW)


def test_refuses_a_range_that_ends_before_it_starts() -> None:
    assert time_range(("from", "to"), NOW, NOW).holds(NOW)
    with pytest.raises(InvalidInput) as refused:
        time_range(("from", "to"), NOW + TICK, NOW)

    assert refused.value.field == "from"


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("today", TimeRange(MIDNIGHT, MIDNIGHT + timedelta(days=1) - TICK)),
        (" Yesterday ", TimeRange(MIDNIGHT - timedelta(days=1), MIDNIGHT - TICK)),
        ("2h 30m", TimeRange(NOW - timedelta(hours=2, minutes=30))),
        ("10m", TimeRange(NOW - timedelta(minutes=10))),
        ("1d2H3m4s", TimeRange(NOW - timedelta(days=1, hours=2, minutes=3, seconds=4))),
    ],
)
def test_reads_periods(text: str, span: TimeRange) -> None:
    assert read_period(text, NOW) == span


@pytest.mark.parametrize("text", ["", " ", "0m", "tomorrow", "30m 2h", "2 weeks", "-10m", "1.5h", "999999d", "10"])
def test_refuses_what_is_no_period(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_period(text, NOW)

    assert refused.value.field == "period"
