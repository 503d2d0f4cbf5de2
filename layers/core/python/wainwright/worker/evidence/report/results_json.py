"""results.json: the outcome of every test, for programs. Version 1; `SCHEMA` is its JSON Schema."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from wainwright.worker.evidence.report.report_model import Ending, ReportedTest, ReportMeta, group, tally
from wainwright.worker.runners.suite import ERROR_KINDS, SuiteError, TestError, TestResult

VERSION = 1

_ERROR = {
    "type": "object",
    "required": ["message", "file", "line", "kind"],
    "properties": {
        "message": {"type": "string"},
        "file": {"type": ["string", "null"], "description": "relative to the bundle where it lies in it"},
        "line": {"type": ["integer", "null"]},
        "kind": {
            "description": "null for an error outside a test",
            "enum": [*ERROR_KINDS, None],
        },
    },
}
_ATTACHMENT = {
    "type": "object",
    "required": ["name", "contentType", "href"],
    "properties": {
        "name": {"type": "string"},
        "contentType": {"type": "string"},
        "href": {"type": ["string", "null"], "description": "URL relative to the report; null: could not be kept"},
        "sizeBytes": {"type": "integer"},
    },
}
_TEST = {
    "type": "object",
    "required": [
        "id",
        "file",
        "line",
        "title",
        "outcome",
        "durationMs",
        "startedAt",
        "attempts",
        "errors",
        "attachments",
    ],
    "properties": {
        "id": {"type": "string", "description": "pytest node id relative to the bundle"},
        "file": {"type": "string"},
        "line": {"type": "integer"},
        "title": {"type": "string"},
        "outcome": {"enum": ["passed", "failed", "flaky", "skipped", "quarantined"]},
        "durationMs": {"type": "number", "description": "of the last attempt"},
        "startedAt": {"type": "string", "format": "date-time"},
        "attempts": {"type": "integer", "minimum": 1},
        "errors": {"type": "array", "items": _ERROR, "description": "of all attempts, oldest first"},
        "attachments": {"type": "array", "items": _ATTACHMENT, "description": "of all attempts, oldest first"},
        "annotations": {"type": "array"},
    },
}
_INTERRUPTED = {
    "type": "object",
    "required": ["id", "file", "line", "title", "durationMs", "startedAt", "errors", "attachments"],
    "properties": {name: _TEST["properties"][name] for name in ("id", "file", "line", "title", "startedAt")}  # type: ignore[index]
    | {
        "durationMs": {"type": "number", "description": "until it was ended"},
        "errors": {"type": "array", "items": _ERROR},
        "attachments": {"type": "array", "items": _ATTACHMENT},
    },
}
SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Results of a browser job",
    "type": "object",
    "required": [
        "version",
        "jobId",
        "reason",
        "complete",
        "missing",
        "tally",
        "tests",
        "errors",
        "startedAt",
        "durationMs",
    ],
    "properties": {
        "version": {"const": VERSION},
        "jobId": {"type": "string"},
        "title": {"type": "string"},
        "startedAt": {"type": "string", "format": "date-time"},
        "durationMs": {"type": "number"},
        "reason": {"type": "string", "description": "how the suite ended; `finished` when nothing cut it short"},
        "complete": {"type": "boolean", "description": "every test has an outcome and all its evidence is there"},
        "missing": {
            "type": "array",
            "items": {"type": "string"},
            "description": "what is not there; empty iff complete",
        },
        "tally": {
            "type": "object",
            "description": "`total` includes tests that did not run, the others do not",
            "required": ["total", "passed", "failed", "flaky", "skipped"],
            "additionalProperties": {"type": "integer", "minimum": 0},
        },
        "tests": {"type": "array", "items": _TEST},
        "interrupted": {
            "type": "array",
            "items": _INTERRUPTED,
            "description": "tests that were ended by force and have no outcome, with what they left",
        },
        "errors": {"type": "array", "items": _ERROR, "description": "errors outside any test"},
    },
}


def results_json(results: Iterable[TestResult], ending: Ending, meta: ReportMeta) -> dict[str, Any]:
    """The document as a value; see SCHEMA."""
    tests = group(results)
    return {
        "version": VERSION,
        "jobId": meta.job_id,
        "title": meta.title,
        "startedAt": meta.started_at,
        "durationMs": meta.duration_ms,
        "reason": ending.reason,
        "complete": ending.complete,
        "missing": ending.gaps(),
        "tally": tally(tests, ending).to_json(),
        "tests": [_test(test) for test in tests],
        "interrupted": [_interrupted(result) for result in ending.interrupted],
        "errors": [_error(error) for error in ending.errors],
    }


def build_results(results: Iterable[TestResult], ending: Ending, meta: ReportMeta) -> bytes:
    """The document as UTF-8 JSON."""
    return json.dumps(results_json(results, ending, meta), ensure_ascii=False, indent=1).encode("utf-8", "replace")


def _test(test: ReportedTest) -> dict[str, Any]:
    last = test.last
    return {
        "id": last.id,
        "file": last.file,
        "line": last.line,
        "title": last.title,
        "outcome": test.outcome,
        "durationMs": last.duration_ms,
        "startedAt": last.started_at,
        "attempts": len(test.attempts),
        "errors": [_error(error) for attempt in test.attempts for error in attempt.errors],
        "attachments": [item.to_json() for attempt in test.attempts for item in attempt.attachments],
        "annotations": [{"type": a.type, "description": a.description} for a in last.annotations],
    }


def _interrupted(result: TestResult) -> dict[str, Any]:
    return {
        "id": result.id,
        "file": result.file,
        "line": result.line,
        "title": result.title,
        "durationMs": result.duration_ms,
        "startedAt": result.started_at,
        "errors": [_error(error) for error in result.errors],
        "attachments": [item.to_json() for item in result.attachments],
    }


def _error(error: TestError | SuiteError) -> dict[str, Any]:
    kind = error.kind if isinstance(error, TestError) else None
    return {"message": error.message, "file": error.file, "line": error.line, "kind": kind}
