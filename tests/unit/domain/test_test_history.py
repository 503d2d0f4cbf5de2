"""What is remembered of a test, and when a quarantine holds."""

from datetime import UTC, date, datetime, timedelta

import pytest

from tests.support.builders import START
from wainwright.domain.errors import InvalidInput
from wainwright.domain.quarantine import Quarantine, check_until
from wainwright.domain.test_history import MOST_LAST, Sample, TestStats, add_samples
from wainwright.domain.tests import Tally, TestOutcome, find_settled, merge_outcomes


def stats_after(*outcomes: TestOutcome, milliseconds: float = 100.0) -> TestStats:
    stats = TestStats(last_run_at=START)
    for outcome in outcomes:
        stats = stats.after(Sample(outcome, milliseconds), START)
    return stats


def test_counts_runs_failures_and_flakes_but_no_skips() -> None:
    stats = stats_after(
        TestOutcome.PASSED, TestOutcome.SKIPPED, TestOutcome.FAILED, TestOutcome.QUARANTINED, TestOutcome.FLAKY
    )

    assert (stats.runs, stats.failed, stats.flaky, stats.last) == (4, 2, 1, "PSFFK")
    assert (stats.flake_rate, stats.failure_rate) == (0.25, 0.5)


def test_remembers_the_last_outcomes_alone() -> None:
    stats = stats_after(TestOutcome.FAILED, *[TestOutcome.PASSED] * MOST_LAST)

    assert stats.last == "P" * MOST_LAST


def test_the_expected_duration_follows_the_newest_ones() -> None:
    stats = stats_after(*[TestOutcome.PASSED] * 5, milliseconds=100.0)
    for _ in range(12):
        stats = stats.after(Sample(TestOutcome.PASSED, 1_000.0), START)

    assert stats.expected_ms == pytest.approx(1_000, rel=0.02)


def test_a_test_that_was_always_skipped_has_neither_rates_nor_a_duration() -> None:
    stats = stats_after(TestOutcome.SKIPPED)

    assert (stats.expected_ms, stats.flake_rate, stats.failure_rate) == (None, 0.0, 0.0)


def test_forgets_those_that_ran_longest_ago_when_there_are_too_many() -> None:
    before: dict[str, TestStats] = {}
    for number in range(5):
        now = START + timedelta(hours=number)
        before = add_samples(before, {f"test-{number}": Sample(TestOutcome.PASSED, 1.0)}, now, most=3)

    assert set(before) == {"test-2", "test-3", "test-4"}


def test_a_quarantine_holds_through_its_last_day_in_utc() -> None:
    entry = Quarantine(test_id="t", until=date(2026, 12, 1), reason="flickers", added_at=START)

    assert entry.holds(datetime(2026, 12, 1, 23, 59, 59, tzinfo=UTC))
    assert not entry.holds(datetime(2026, 12, 2, tzinfo=UTC))
    assert entry.note == "quarantined until 2026-12-01: flickers"


@pytest.mark.parametrize("days", [-1, 91])
def test_refuses_a_last_day_that_is_over_or_too_far_ahead(days: int) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_until((START + timedelta(days=days)).date(), START)
    assert refused.value.field == "until"


@pytest.mark.parametrize("days", [0, 90])
def test_takes_a_last_day_from_today_to_ninety_days_ahead(days: int) -> None:
    check_until((START + timedelta(days=days)).date(), START)


def test_a_test_in_quarantine_is_counted_by_itself_and_has_ended() -> None:
    tally = Tally.of([TestOutcome.PASSED, TestOutcome.QUARANTINED])

    assert tally == Tally(total=2, passed=1, quarantined=1)
    assert (tally.failed, tally.ended, tally.percent) == (0, 2, 100)


def test_a_test_that_passes_after_a_failure_in_quarantine_is_flaky() -> None:
    assert merge_outcomes(TestOutcome.QUARANTINED, TestOutcome.PASSED) is TestOutcome.FLAKY


def test_another_attempt_runs_again_what_failed_in_quarantine() -> None:
    outcomes = [("q", TestOutcome.QUARANTINED, 1), ("p", TestOutcome.PASSED, 1)]

    assert find_settled(outcomes, attempt=2) == {"p"}
    assert find_settled(outcomes, attempt=1) == {"p", "q"}
