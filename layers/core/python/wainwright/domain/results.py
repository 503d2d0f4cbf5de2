"""What a new try of a job need not run again."""

from collections.abc import Iterable

from wainwright.domain.tests import TestOutcome

DONE = frozenset({TestOutcome.PASSED, TestOutcome.FLAKY, TestOutcome.SKIPPED})
"""Outcomes that stand for good."""


def stands(outcome: TestOutcome, *, seen_in: int, attempt: int) -> bool:
    """Whether an outcome from attempt ``seen_in`` spares its test case a run in ``attempt``.

    A failure stands within its attempt, so that a lost worker's successor goes on where it was; a new attempt is there to
    run the failures again.
    """
    return outcome in DONE or seen_in == attempt


def merge(before: TestOutcome | None, now: TestOutcome) -> TestOutcome:
    """The outcome of a test case that was run again: passing after a failure is ``flaky``, in quarantine or not."""
    if before in (TestOutcome.FAILED, TestOutcome.QUARANTINED) and now is TestOutcome.PASSED:
        return TestOutcome.FLAKY
    return now


def settled(outcomes: Iterable[tuple[str, TestOutcome, int]], attempt: int, fresh_since: int = 1) -> frozenset[str]:
    """Ids of the test cases, of (id, outcome, attempt), that ``attempt`` leaves as they are.

    What was seen before attempt ``fresh_since`` does not count.
    """
    return frozenset(
        test_id
        for test_id, outcome, seen_in in outcomes
        if seen_in >= fresh_since and stands(outcome, seen_in=seen_in, attempt=attempt)
    )
