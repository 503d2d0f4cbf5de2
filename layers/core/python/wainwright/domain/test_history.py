"""History of tests over jobs: their durations, and how often they fail or are flaky."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from wainwright.domain.instants import Instant, cut
from wainwright.domain.record import Record
from wainwright.domain.tests import TestOutcome

MOST_TESTS = 1_000
"""Tests of one file; those that ran longest ago are forgotten first."""

KEPT = timedelta(days=90)
"""Time after its last run in which a test is remembered."""

MOST_LAST = 20
"""Outcomes that are remembered one by one."""

WEIGHT = 0.3
"""Weight of the newest duration in the expected one: after seven runs little is left of the durations before."""

LETTERS: Mapping[TestOutcome, str] = {
    TestOutcome.PASSED: "P",
    TestOutcome.FAILED: "F",
    TestOutcome.FLAKY: "K",
    TestOutcome.SKIPPED: "S",
    TestOutcome.QUARANTINED: "F",
}


@dataclass(frozen=True)
class Sample:
    """One test in one job: its outcome, and the duration of its last attempt."""

    outcome: TestOutcome
    duration_ms: float


class TestStats(Record):
    """A test over its jobs. ``failed`` counts jobs in which it failed, in quarantine or not; ``flaky`` those in which it passed
    only after a retry. ``runs`` leaves out those in which it was skipped. ``expected_ms`` is a moving average of durations, None
    until it ran. ``last`` has a letter for each of its last outcomes, the newest last: P, F, K (flaky), S.
    """

    runs: int = 0
    failed: int = 0
    flaky: int = 0
    expected_ms: float | None = None
    last: str = ""
    last_run_at: Instant

    def after(self, sample: Sample, now: datetime) -> "TestStats":
        """Return the statistics with one more job."""
        last = (self.last + LETTERS[sample.outcome])[-MOST_LAST:]
        if sample.outcome is TestOutcome.SKIPPED:
            return self.model_copy(update={"last": last, "last_run_at": cut(now)})
        before = self.expected_ms
        expected = sample.duration_ms if before is None else before + WEIGHT * (sample.duration_ms - before)
        failed = sample.outcome in (TestOutcome.FAILED, TestOutcome.QUARANTINED)
        return TestStats(
            runs=self.runs + 1,
            failed=self.failed + failed,
            flaky=self.flaky + (sample.outcome is TestOutcome.FLAKY),
            expected_ms=round(expected, 1),
            last=last,
            last_run_at=now,
        )

    @property
    def flake_rate(self) -> float:
        """Share of its runs in which it was flaky, 0 to 1."""
        return self.flaky / self.runs if self.runs else 0.0

    @property
    def failure_rate(self) -> float:
        """Share of its runs in which it failed, 0 to 1."""
        return self.failed / self.runs if self.runs else 0.0


def add_samples(
    before: Mapping[str, TestStats], samples: Mapping[str, Sample], now: datetime, most: int = MOST_TESTS
) -> dict[str, TestStats]:
    """Return the tests of a file after one more job, without those that are too old or too many."""
    known = {test_id: stats for test_id, stats in before.items() if stats.last_run_at > now - KEPT}
    for test_id, sample in samples.items():
        known[test_id] = known.get(test_id, TestStats(last_run_at=now)).after(sample, now)
    newest = sorted(known, key=lambda test_id: known[test_id].last_run_at, reverse=True)[:most]
    return {test_id: known[test_id] for test_id in newest}
