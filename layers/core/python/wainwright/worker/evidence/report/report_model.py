"""Contents of a report: its job, the end of its tests, and the tests with their attempts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from wainwright.domain.tests import Tally, TestOutcome
from wainwright.worker.evidence.recorded_tests import QUARANTINED
from wainwright.worker.evidence.running_tests import unnamed
from wainwright.worker.runners.suite import SuiteEnd, SuiteError, TestCase, TestResult


@dataclass(frozen=True)
class ReportMeta:
    """The job of a report. `started_at` is RFC 3339; `details` are further lines, shown as they are."""

    job_id: str
    title: str
    started_at: str
    duration_ms: float
    browser: str = "chromium"
    base_url: str | None = None
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Ending:
    """The end of a job's tests. `not_run` have no outcome; `lost` counts further ones, whose names nobody knows any more.
    `missing` has a line for each piece of evidence that could not be kept. `interrupted` holds the evidence of tests among
    `not_run` that were ended by force; the outcome in it means nothing.
    """

    reason: str = "finished"
    errors: tuple[SuiteError, ...] = ()
    not_run: tuple[TestCase, ...] = ()
    missing: tuple[str, ...] = ()
    dropped: int = 0
    lost: int = 0
    interrupted: tuple[TestResult, ...] = ()

    @classmethod
    def of(
        cls, end: SuiteEnd, collected: Iterable[TestCase] = (), missing: Sequence[str] = (),
        interrupted: Iterable[TestResult] = (),
    ) -> Ending:  # fmt: skip
        """Return the ending that a runner reported; `collected` has the names of the tests that did not run."""
        cases = {case.id: case for case in collected}
        not_run = tuple(cases.get(test_id) or unnamed(test_id) for test_id in end.unfinished)
        left = tuple(result for result in interrupted if result.id in end.unfinished)
        return cls(end.reason, end.errors, not_run, tuple(missing), end.dropped, interrupted=left)

    def find_evidence(self, case: TestCase) -> TestResult | None:
        """Return the evidence of a test that was ended by force; None for any other test."""
        return next((each for each in self.interrupted if each.id == case.id), None)

    @property
    def complete(self) -> bool:
        """True if every test has an outcome and all its evidence is there. A suite without tests is not complete."""
        return self.reason == "finished" and not (
            self.not_run or self.missing or self.dropped or self.errors or self.lost
        )

    def gaps(self) -> list[str]:
        """Return a line for each gap; at least one if the report is not complete."""
        began = {result.id for result in self.interrupted}
        lines = [f"{case.id}: {'was interrupted' if case.id in began else 'did not run'}" for case in self.not_run]
        lines += self.missing
        if self.dropped:
            lines.append(f"{self.dropped} records of the test process could not be read")
        if self.reason != "finished":
            lines.append(f"the suite did not run to its end: {self.reason}")
        elif self.errors:
            lines.append("the suite had errors outside its tests")
        return lines


@dataclass(frozen=True)
class ReportedTest:
    """A test with its attempts, oldest first; at least one."""

    attempts: tuple[TestResult, ...]

    @property
    def last(self) -> TestResult:
        """The attempt that counts."""
        return self.attempts[-1]

    @property
    def outcome(self) -> TestOutcome:
        """The last attempt's outcome; `flaky` if it passed after a failure, `quarantined` if it failed in quarantine."""
        if self.last.outcome == "passed" and any(attempt.outcome == "failed" for attempt in self.attempts):
            return TestOutcome.FLAKY
        return TestOutcome.QUARANTINED if self.quarantine is not None else TestOutcome(self.last.outcome)

    @property
    def quarantine(self) -> str | None:
        """Last day and reason of the quarantine for which the failure of the last attempt does not count."""
        notes = (each.description for each in self.last.annotations if each.type == QUARANTINED)
        return next(notes, None) if self.last.outcome == "failed" else None


def group_by_test(results: Iterable[TestResult]) -> tuple[ReportedTest, ...]:
    """Group results by test, in the order in which tests first ran; attempts by their start, then by retry."""
    by_id: dict[str, list[TestResult]] = {}
    for result in results:
        by_id.setdefault(result.id, []).append(result)
    return tuple(
        ReportedTest(tuple(sorted(attempts, key=lambda attempt: (attempt.started_at, attempt.retry))))
        for attempts in by_id.values()
    )


def count_outcomes(tests: Sequence[ReportedTest], ending: Ending) -> Tally:
    """Count by outcome. A test with an earlier outcome that was to run again and did not counts by that outcome."""
    known = {test.last.id for test in tests}
    absent = sum(1 for case in ending.not_run if case.id not in known)
    return Tally.of((test.outcome for test in tests), total=len(tests) + absent + ending.lost)
