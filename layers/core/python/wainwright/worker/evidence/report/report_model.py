"""What a report is built from, and the tests of a job grouped by their attempts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from wainwright.worker.evidence.recorded_tests import QUARANTINED
from wainwright.worker.runners.suite import SuiteEnd, SuiteError, TestCase, TestResult

TestOutcome = Literal["passed", "failed", "flaky", "skipped", "quarantined"]


@dataclass(frozen=True)
class ReportMeta:
    """What a report says about its job. `started_at` is RFC 3339; `details` are further lines, shown as they are."""

    job_id: str
    title: str
    started_at: str
    duration_ms: float
    browser: str = "chromium"
    base_url: str | None = None
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Ending:
    """How the tests ended. `not_run` have no outcome; `missing` names evidence that could not be kept, one entry
    each. `lost` counts tests that have no outcome, and whose names nobody knows any more. `interrupted` is what tests among
    `not_run` left that were ended by force; the outcome in it means nothing.
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
        """From the runtime's word, with the collected tests for the names of those that did not run."""
        cases = {case.id: case for case in collected}
        not_run = tuple(
            cases.get(test_id) or TestCase(test_id, test_id.partition("::")[0], 0, test_id)
            for test_id in end.unfinished
        )
        absent = {case.id for case in not_run}
        left = tuple(result for result in interrupted if result.id in absent)
        return cls(end.reason, end.errors, not_run, tuple(missing), end.dropped, interrupted=left)

    @property
    def complete(self) -> bool:
        """Whether every test has an outcome and all its evidence is there. A suite without tests is not complete."""
        return self.reason == "finished" and not (
            self.not_run or self.missing or self.dropped or self.errors or self.lost
        )

    def gaps(self) -> list[str]:
        """What is missing, each in one line; never empty when the report is not complete."""
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
            return "flaky"
        return "quarantined" if self.quarantine is not None else self.last.outcome

    @property
    def quarantine(self) -> str | None:
        """Until when and why the failure of the last attempt does not count; None where it does, or where there is none."""
        notes = (each.description for each in self.last.annotations if each.type == QUARANTINED)
        return next(notes, None) if self.last.outcome == "failed" else None


@dataclass(frozen=True)
class Tally:
    """Numbers of tests. `total` includes those that did not run, so that it exceeds the sum of the others when any is
    missing.
    """

    total: int
    passed: int
    failed: int
    flaky: int
    skipped: int
    quarantined: int = 0

    def to_json(self) -> dict[str, int]:
        """As in results.json and in the job record."""
        return {
            "total": self.total,
            "passed": self.passed,
            "failed": self.failed,
            "flaky": self.flaky,
            "skipped": self.skipped,
            "quarantined": self.quarantined,
        }


def group(results: Iterable[TestResult]) -> tuple[ReportedTest, ...]:
    """By test, in the order in which tests first ran; attempts by the time at which they began, then by retry."""
    by_id: dict[str, list[TestResult]] = {}
    for result in results:
        by_id.setdefault(result.id, []).append(result)
    return tuple(
        ReportedTest(tuple(sorted(attempts, key=lambda attempt: (attempt.started_at, attempt.retry))))
        for attempts in by_id.values()
    )


def tally(tests: Sequence[ReportedTest], ending: Ending) -> Tally:
    """Count by outcome. A test with an earlier outcome that was to run again and did not counts by that outcome."""
    outcomes = [test.outcome for test in tests]
    known = {test.last.id for test in tests}
    absent = sum(1 for case in ending.not_run if case.id not in known)
    return Tally(
        total=len(tests) + absent + ending.lost,
        passed=outcomes.count("passed"),
        failed=outcomes.count("failed"),
        flaky=outcomes.count("flaky"),
        skipped=outcomes.count("skipped"),
        quarantined=outcomes.count("quarantined"),
    )
