"""results.json: the outcome of every test, for programs. Version 1; `SCHEMA` is its JSON Schema."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from wainwright.worker.runtimes.model import SuiteError, TestError, TestResult

from .model import Ending, ReportedTest, ReportMeta, group, tally

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
            "enum": ["assertion", "test_timeout", "job_timeout", "navigation", "script_error", "other", None],
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
        "outcome": {"enum": ["passed", "failed", "flaky", "skipped"]},
        "durationMs": {"type": "number", "description": "of the last attempt"},
        "startedAt": {"type": "string", "format": "date-time"},
        "attempts": {"type": "integer", "minimum": 1},
        "errors": {"type": "array", "items": _ERROR, "description": "of all attempts, oldest first"},
        "attachments": {"type": "array", "items": _ATTACHMENT, "description": "of all attempts, oldest first"},
        "annotations": {"type": "array"},
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
            "description": "`total` includes tests that did not run, the other four do not",
            "required": ["total", "passed", "failed", "flaky", "skipped"],
            "additionalProperties": {"type": "integer", "minimum": 0},
        },
        "tests": {"type": "array", "items": _TEST},
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


def _error(error: TestError | SuiteError) -> dict[str, Any]:
    kind = error.kind if isinstance(error, TestError) else None
    return {"message": error.message, "file": error.file, "line": error.line, "kind": kind}
