"""results.json: the outcome of every test, for programs. Version 1."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from wainwright.domain.tests import Tally, TestOutcome
from wainwright.worker.evidence.report.report_model import Ending, ReportMeta, count_outcomes, group_by_test
from wainwright.worker.runners.record_types import Record
from wainwright.worker.runners.suite import (
    Annotation,
    Attachment,
    ErrorKind,
    SuiteError,
    TestError,
    TestResult,
)


@dataclass(frozen=True)
class ErrorEntry(Record):
    """`file` is relative to the bundle where it lies in it; `kind` is None for an error outside a test."""

    message: str
    file: str | None
    line: int | None
    kind: ErrorKind | None


@dataclass(frozen=True)
class TestEntry(Record):
    """A test by its last attempt; `errors` and `attachments` are those of all attempts, oldest first."""

    id: str
    file: str
    line: int
    title: str
    outcome: TestOutcome
    duration_ms: float
    started_at: str
    attempts: int
    errors: list[ErrorEntry]
    attachments: list[Attachment]
    annotations: tuple[Annotation, ...]


@dataclass(frozen=True)
class InterruptedEntry(Record):
    """A test that was ended by force after `duration_ms`, and has no outcome, with its evidence."""

    id: str
    file: str
    line: int
    title: str
    duration_ms: float
    started_at: str
    errors: list[ErrorEntry]
    attachments: tuple[Attachment, ...]


@dataclass(frozen=True)
class ResultsDocument(Record):
    """The whole document. `missing` is empty if, and only if, it is complete; `errors` are those outside any test."""

    version: Literal[1]
    job_id: str
    title: str
    started_at: str
    duration_ms: float
    reason: str
    complete: bool
    missing: list[str]
    tally: Tally
    tests: list[TestEntry]
    interrupted: list[InterruptedEntry]
    errors: list[ErrorEntry]


def build_results(results: Iterable[TestResult], ending: Ending, meta: ReportMeta) -> bytes:
    """Return the document as UTF-8 JSON."""
    tests = group_by_test(results)
    document = ResultsDocument(
        version=1,
        job_id=meta.job_id,
        title=meta.title,
        started_at=meta.started_at,
        duration_ms=meta.duration_ms,
        reason=ending.reason,
        complete=ending.complete,
        missing=ending.gaps(),
        tally=count_outcomes(tests, ending),
        tests=[
            TestEntry(
                **_identify(test.last),
                outcome=test.outcome,
                attempts=len(test.attempts),
                errors=[_error(error) for attempt in test.attempts for error in attempt.errors],
                attachments=[item for attempt in test.attempts for item in attempt.attachments],
                annotations=test.last.annotations,
            )
            for test in tests
        ],
        interrupted=[
            InterruptedEntry(
                **_identify(left),
                errors=[_error(error) for error in left.errors],
                attachments=left.attachments,
            )
            for left in ending.interrupted
        ],
        errors=[_error(error) for error in ending.errors],
    )
    return json.dumps(document.to_json(), ensure_ascii=False, indent=1).encode("utf-8", "replace")


def _identify(result: TestResult) -> dict[str, Any]:
    return {name: getattr(result, name) for name in ("id", "file", "line", "title", "duration_ms", "started_at")}


def _error(error: TestError | SuiteError) -> ErrorEntry:
    return ErrorEntry(error.message, error.file, error.line, error.kind if isinstance(error, TestError) else None)
