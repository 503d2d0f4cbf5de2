"""Outcomes and results of a job's tests while it runs, and the events that tell of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from wainwright.domain.quarantine import Quarantine
from wainwright.domain.tests import TestOutcome, merge_outcomes
from wainwright.ports.job_store import StoredTest
from wainwright.worker.runners.suite import Annotation, TestResult

SPOOLED = "spooled"
"""Names, in a test's row, its attachments that were not in the bucket: should this worker die, the next one knows."""

QUARANTINED = "quarantined"
"""The type of the annotation that says so; no suite's own is let through."""


@dataclass(frozen=True)
class Recorded:
    """Outcomes of a job's tests by id, and the results behind them, oldest attempt first.

    ``missing`` tells of evidence that is nowhere; ``spooled`` names attachments, by their paths in the report, that were on
    a worker's disk and not in the bucket when their test was recorded, by whichever worker. ``attempts`` says in which attempt
    at the job each outcome was seen.
    """

    outcomes: dict[str, TestOutcome]
    results: dict[str, list[TestResult]]
    missing: list[str]
    spooled: set[str]
    attempts: dict[str, int] = field(default_factory=dict)

    def judge(
        self, result: TestResult, quarantine: Mapping[str, Quarantine], attempt: int
    ) -> tuple[TestOutcome, Sequence[TestResult]]:
        """Take in the last result of a test for now: its outcome, and all of its results."""
        results = self.results.setdefault(result.id, [])
        before = self.outcomes.get(result.id) or (TestOutcome.FAILED if results else None)
        outcome = merge_outcomes(before, TestOutcome(result.outcome))
        annotations = tuple(each for each in result.annotations if each.type != QUARANTINED)
        if outcome is TestOutcome.FAILED and result.id in quarantine:
            outcome = TestOutcome.QUARANTINED
            annotations += (Annotation(QUARANTINED, quarantine[result.id].note),)
        results.append(replace(result, annotations=annotations))
        self.outcomes[result.id] = outcome
        self.attempts[result.id] = attempt
        return outcome, results


def read_rows(rows: Sequence[StoredTest], missing: list[str]) -> Recorded:
    """Return what rows tell, with what else is known to be missing."""
    return Recorded(
        outcomes={test.id: test.outcome for test in rows},
        results={test.id: [TestResult.from_json(body) for body in test.body["attempts"]] for test in rows},
        missing=missing,
        spooled={href for test in rows for href in test.body.get(SPOOLED, ())},
        attempts={test.id: test.attempt for test in rows},
    )


def describe_failure(result: TestResult) -> str:
    """Return a failed test's id, and the first line of its first error."""
    lines = result.errors[0].message.strip().splitlines() if result.errors else []
    return f"{result.id}: {lines[0] if lines else 'failed without saying why'}"


def build_test_event(result: TestResult, stored: StoredTest) -> dict[str, Any]:
    """Return the data of a test's event."""
    return {
        "id": result.id,
        "title": result.title,
        "file": result.file,
        "line": result.line,
        "outcome": stored.outcome,
        "durationMs": round(result.duration_ms),
        "attempt": stored.attempt,
        "errors": [
            {"message": error.message[:2_000], "file": error.file, "line": error.line} for error in result.errors[:5]
        ],
        "attachments": [{"name": item.name, "href": item.href} for item in result.attachments],
    }
