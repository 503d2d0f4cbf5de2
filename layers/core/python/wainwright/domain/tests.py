"""Outcomes of test cases, and their tally."""

from collections.abc import Iterable
from enum import StrEnum

from wainwright.domain.instants import Instant
from wainwright.domain.model import Record


class TestOutcome(StrEnum):
    """How one test case ended. ``flaky``: passed after a retry. ``quarantined``: failed while it was in quarantine."""

    __test__ = False  # not a test class, whatever its name tells a collector

    PASSED = "passed"
    FAILED = "failed"
    FLAKY = "flaky"
    SKIPPED = "skipped"
    QUARANTINED = "quarantined"


class RunningTest(Record):
    """A test case that has begun, and has no outcome yet."""

    id: str
    file: str
    line: int
    title: str
    since: Instant


class Tally(Record):
    """Numbers of test cases by outcome. ``total`` counts what was collected, so it can exceed the sum while running."""

    total: int = 0
    passed: int = 0
    failed: int = 0
    flaky: int = 0
    skipped: int = 0
    quarantined: int = 0

    @classmethod
    def of(cls, outcomes: Iterable[TestOutcome], *, total: int | None = None) -> "Tally":
        """Count outcomes; ``total`` defaults to how many there are."""
        counts = dict.fromkeys(TestOutcome, 0)
        for outcome in outcomes:
            counts[outcome] += 1
        ended = sum(counts.values())
        return cls(
            total=ended if total is None else max(total, ended),
            passed=counts[TestOutcome.PASSED],
            failed=counts[TestOutcome.FAILED],
            flaky=counts[TestOutcome.FLAKY],
            skipped=counts[TestOutcome.SKIPPED],
            quarantined=counts[TestOutcome.QUARANTINED],
        )

    def plus(self, more: "Tally") -> "Tally":
        """The sum, outcome by outcome."""
        return Tally(**{name: getattr(self, name) + getattr(more, name) for name in Tally.model_fields})

    def minus(self, less: "Tally") -> "Tally":
        """The difference, outcome by outcome; numbers may be negative."""
        return Tally(**{name: getattr(self, name) - getattr(less, name) for name in Tally.model_fields})

    @property
    def ended(self) -> int:
        """How many test cases have an outcome."""
        return self.passed + self.failed + self.flaky + self.skipped + self.quarantined

    @property
    def percent(self) -> int:
        """How much of the collected tests has an outcome, 0 to 100."""
        return 100 * self.ended // self.total if self.total else 0
