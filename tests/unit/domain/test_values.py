"""States, instants, retries, tallies, capacity: the small values that everything else is made of."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from wainwright.domain.errors import TransitionRefused
from wainwright.domain.failures import MAX_MESSAGE, Failure, FailureCategory
from wainwright.domain.instants import Instant, to_text
from wainwright.domain.retry import MAX_DELAY, NOT_RETRIED, RetryPolicy
from wainwright.domain.states import AT_REST, FINAL, IN_WORK, TRANSITIONS, JobStatus, check_transition
from wainwright.domain.tests import Tally, TestOutcome, find_settled, merge_outcomes
from wainwright.domain.workers import WorkerRecord, WorkerState, count_missing_workers

# States


def test_has_the_transitions_of_the_design_and_no_others() -> None:
    table = {before.value: sorted(after) for before, after in TRANSITIONS.items() if after}

    assert table == {
        "pending": ["canceled", "failed", "running", "skipped", "stopped"],
        "running": ["canceling", "completed", "failed", "pending", "stopping"],
        "stopping": ["canceling", "completed", "failed", "stopped"],
        "canceling": ["canceled"],
        "stopped": ["canceled", "pending"],
        "failed": ["pending"],
    }


def test_every_state_is_at_rest_in_work_or_pending() -> None:
    assert AT_REST | IN_WORK | {JobStatus.PENDING} == set(JobStatus)
    assert not AT_REST & IN_WORK
    assert FINAL < AT_REST
    assert set(TRANSITIONS) == set(JobStatus)


@pytest.mark.parametrize("before", JobStatus)
@pytest.mark.parametrize("after", JobStatus)
def test_refuses_exactly_the_steps_that_the_table_does_not_have(before: JobStatus, after: JobStatus) -> None:
    if before is after or after in TRANSITIONS[before]:
        check_transition(before, after)
        return
    with pytest.raises(TransitionRefused) as refused:
        check_transition(before, after)
    assert str(refused.value) == f"a job that is {before} cannot become {after}"


# Instants

_INSTANT: TypeAdapter[datetime] = TypeAdapter(Instant)
_ZONES = st.timedeltas(timedelta(hours=-23), timedelta(hours=23)).map(
    lambda offset: timezone(timedelta(minutes=offset // timedelta(minutes=1)))
)
_INSTANTS = st.datetimes(datetime(1970, 1, 2), datetime(9999, 12, 30), timezones=_ZONES)  # noqa: DTZ001 - zones are drawn


@given(_INSTANTS)
def test_an_instant_is_read_back_as_it_was_kept(instant: datetime) -> None:
    kept = _INSTANT.validate_python(instant)
    text = to_text(kept)

    assert _INSTANT.validate_python(text) == kept
    assert _INSTANT.dump_python(kept, mode="json") == text
    assert len(text) == len("2026-11-22T02:42:45.123Z")
    assert timedelta(0) <= instant - kept < timedelta(milliseconds=1)
    assert kept.tzinfo is UTC


@given(_INSTANTS, _INSTANTS)
def test_text_order_of_instants_is_time_order(one: datetime, other: datetime) -> None:
    one, other = _INSTANT.validate_python(one), _INSTANT.validate_python(other)

    assert (to_text(one) < to_text(other)) == (one < other)


def test_refuses_an_instant_without_a_zone_and_says_what_to_write() -> None:
    with pytest.raises(ValidationError, match="RFC 3339"):
        _INSTANT.validate_python(datetime(2026, 1, 1))  # noqa: DTZ001 - that is the point


# Retries

_POLICIES = st.builds(
    RetryPolicy,
    max_attempts=st.integers(1, 10),
    delay_ms=st.integers(0, 3_600_000),
    backoff_multiplier=st.floats(1, 10, allow_nan=False),
)


@given(_POLICIES, st.integers(1, 10))
def test_a_retry_waits_no_longer_than_a_day_and_no_shorter_than_its_first_delay(
    policy: RetryPolicy, attempt: int
) -> None:
    delay = policy.delay_after(attempt)

    assert timedelta(milliseconds=policy.delay_ms) <= delay <= MAX_DELAY
    assert policy.delay_after(1) <= delay
    assert delay <= policy.delay_after(attempt + 1)


def test_waits_grow_by_the_multiplier() -> None:
    policy = RetryPolicy(delay_ms=10_000, backoff_multiplier=2)

    assert [policy.delay_after(attempt).total_seconds() for attempt in (1, 2, 3)] == [10, 20, 40]


@given(_POLICIES, st.integers(1, 12), st.sampled_from(FailureCategory))
def test_tries_no_more_often_than_allowed_and_not_what_a_try_cannot_mend(
    policy: RetryPolicy, attempt: int, category: FailureCategory
) -> None:
    assert policy.allows(attempt, category) == (attempt < policy.max_attempts and category not in NOT_RETRIED)


# Failures


def test_a_failure_keeps_what_a_row_can_keep() -> None:
    failure = Failure.of(FailureCategory.ASSERTION, "x" * (MAX_MESSAGE + 1))

    assert len(failure.message) == MAX_MESSAGE


@pytest.mark.parametrize(
    ("message", "line"),
    [("  first\nsecond", "assertion: first"), ("one", "assertion: one"), ("", "assertion"), (" \n ", "assertion")],
)
def test_a_failure_in_one_line(message: str, line: str) -> None:
    assert Failure(category=FailureCategory.ASSERTION, message=message).to_line() == line


# Tallies and outcomes


@given(st.lists(st.sampled_from(TestOutcome)), st.none() | st.integers(0, 50))
def test_a_tally_counts_every_outcome_once(outcomes: list[TestOutcome], total: int | None) -> None:
    tally = Tally.of(outcomes, total=total)

    assert tally.ended == len(outcomes)
    assert tally.total == max(total or 0, len(outcomes))
    assert 0 <= tally.percent <= 100
    assert tally.flaky == outcomes.count(TestOutcome.FLAKY)


def test_nothing_collected_is_no_progress() -> None:
    assert Tally().percent == 0
    assert Tally(total=3, passed=1, failed=1, skipped=1).percent == 100


def test_passing_after_a_failure_is_flaky() -> None:
    assert merge_outcomes(TestOutcome.FAILED, TestOutcome.PASSED) is TestOutcome.FLAKY
    assert merge_outcomes(None, TestOutcome.PASSED) is TestOutcome.PASSED
    assert merge_outcomes(TestOutcome.FAILED, TestOutcome.FAILED) is TestOutcome.FAILED
    assert merge_outcomes(TestOutcome.PASSED, TestOutcome.PASSED) is TestOutcome.PASSED


def test_a_failure_stands_within_its_attempt_and_a_pass_for_good() -> None:
    outcomes = [
        ("passed", TestOutcome.PASSED, 1),
        ("flaky", TestOutcome.FLAKY, 1),
        ("skipped", TestOutcome.SKIPPED, 1),
        ("failed", TestOutcome.FAILED, 1),
        ("failed again", TestOutcome.FAILED, 2),
    ]

    assert find_settled(outcomes, 2) == {"passed", "flaky", "skipped", "failed again"}
    assert find_settled(outcomes, 1) == {"passed", "flaky", "skipped", "failed"}


# Workers


@given(demand=st.integers(0, 50), supply=st.integers(0, 50), most=st.integers(1, 50), warm=st.integers(0, 50))
def test_launches_what_is_missing_and_never_more_than_the_most(demand: int, supply: int, most: int, warm: int) -> None:
    missing = count_missing_workers(demand=demand, supply=supply, most=most, warm=warm)

    assert missing >= 0
    assert missing + supply <= max(most, supply)
    assert missing + supply >= min(most, max(demand, warm))


def test_a_draining_worker_is_not_counted() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    due_at = now + timedelta(seconds=1)
    counted = {state: WorkerRecord(id="w", state=state, due_at=due_at).is_counted(now) for state in WorkerState}

    assert counted == {state: state is not WorkerState.DRAINING for state in WorkerState}
