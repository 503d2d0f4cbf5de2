"""Outcomes of test cases over attempts, and their tally."""

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum

from wainwright.domain.instants import Instant
from wainwright.domain.record import Record


class TestOutcome(StrEnum):
    """Outcomes of a test case. ``flaky``: passed after a retry. ``quarantined``: failed while it was in quarantine."""

    PASSED = "passed"
    FAILED = "failed"
    FLAKY = "flaky"
    SKIPPED = "skipped"
    QUARANTINED = "quarantined"


DONE = frozenset({TestOutcome.PASSED, TestOutcome.FLAKY, TestOutcome.SKIPPED})
"""Outcomes that stand for good."""


def merge_outcomes(before: TestOutcome | None, now: TestOutcome) -> TestOutcome:
    """Return the outcome of a test case that was run again: passing after a failure is ``flaky``, in quarantine or not."""
    if before in (TestOutcome.FAILED, TestOutcome.QUARANTINED) and now is TestOutcome.PASSED:
        return TestOutcome.FLAKY
    return now


def find_settled(
    outcomes: Iterable[tuple[str, TestOutcome, int]], attempt: int, fresh_since: int = 1
) -> frozenset[str]:
    """Return the ids of the test cases, of (id, outcome, attempt), that ``attempt`` need not run again.

    Outcomes from before attempt ``fresh_since`` do not count. A failure stands within its attempt, so that a lost worker's
    successor goes on in its place; a new attempt runs the failures again.
    """
    return frozenset(
        test_id
        for test_id, outcome, seen_in in outcomes
        if seen_in >= fresh_since and (outcome in DONE or seen_in == attempt)
    )


class RunningTest(Record):
    """A test case that has begun, and has no outcome yet."""

    id: str
    file: str
    line: int
    title: str
    since: Instant


class Tally(Record):
    """Numbers of test cases by outcome. ``total`` counts collected ones, so it can exceed the sum."""

    total: int = 0
    passed: int = 0
    failed: int = 0
    flaky: int = 0
    skipped: int = 0
    quarantined: int = 0

    @classmethod
    def of(cls, outcomes: Iterable[TestOutcome], *, total: int | None = None) -> "Tally":
        """Count outcomes; ``total`` defaults to how many there are."""
        counts = Counter(map(str, outcomes))
        return cls(total=max(counts.total(), total or 0), **counts)

    def __add__(self, more: "Tally") -> "Tally":
        return Tally(**{name: getattr(self, name) + getattr(more, name) for name in Tally.model_fields})

    def __sub__(self, less: "Tally") -> "Tally":
        return Tally(**{name: getattr(self, name) - getattr(less, name) for name in Tally.model_fields})

    @property
    def ended(self) -> int:
        """Number of test cases with an outcome."""
        return self.passed + self.failed + self.flaky + self.skipped + self.quarantined

    @property
    def percent(self) -> int:
        """Share of the collected tests that have an outcome, 0 to 100."""
        return 100 * self.ended // self.total if self.total else 0
