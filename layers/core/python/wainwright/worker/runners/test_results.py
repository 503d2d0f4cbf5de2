"""Test cases and their results: what is stored of them, and what a report is built from.

These values import nothing of Wainwright. They have a JSON form (`to_json`, `from_json`), so that a later worker can
rebuild a report from rows that an earlier one stored. JSON keys are camelCase; `…Ms` are milliseconds; times are RFC
3339 in UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from wainwright.worker.runners.record_fields import (
    MAX_ID,
    MAX_LABEL,
    MAX_MESSAGE,
    MAX_STACK,
    integer,
    number,
    one_of,
    optional_integer,
    optional_text,
    records,
    text,
    texts,
)

Outcome = Literal["passed", "failed", "skipped"]
ErrorKind = Literal[
    "assertion", "test_timeout", "job_timeout", "navigation", "crash", "canceled", "script_error", "other"
]
OUTCOMES: tuple[Outcome, ...] = ("passed", "failed", "skipped")
ERROR_KINDS: tuple[ErrorKind, ...] = (
    "assertion",
    "test_timeout",
    "job_timeout",
    "navigation",
    "crash",
    "canceled",
    "script_error",
    "other",
)
MAX_STEP_DEPTH = 4


@dataclass(frozen=True)
class TestCase:
    """A collected test. `id` is the pytest node id relative to the bundle; `path` the classes between file and test."""

    __test__ = False

    id: str
    file: str
    line: int
    title: str
    path: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The stored form."""
        return {"id": self.id, "file": self.file, "line": self.line, "title": self.title, "path": list(self.path)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> TestCase:
        """Rebuild from the stored form; ValueError names the field at fault."""
        return cls(
            id=text(data, "id", MAX_ID),
            file=text(data, "file", MAX_ID),
            line=integer(data, "line"),
            title=text(data, "title", MAX_ID),
            path=texts(data, "path", MAX_LABEL),
        )


@dataclass(frozen=True)
class TestError:
    """One reason why a test failed. `file` is relative to the bundle where it lies in it; `phase` is setup, call or
    teardown.
    """

    __test__ = False

    message: str
    stack: str = ""
    file: str | None = None
    line: int | None = None
    kind: ErrorKind = "other"
    phase: str = "call"

    def to_json(self) -> dict[str, Any]:
        """The stored form."""
        return {
            "message": self.message,
            "stack": self.stack,
            "file": self.file,
            "line": self.line,
            "kind": self.kind,
            "phase": self.phase,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> TestError:
        """Rebuild from the stored form, cutting texts to their bounds."""
        return cls(
            message=text(data, "message", MAX_MESSAGE),
            stack=text(data, "stack", MAX_STACK, default=""),
            file=optional_text(data, "file", MAX_ID),
            line=optional_integer(data, "line"),
            kind=one_of(data, "kind", ERROR_KINDS),
            phase=text(data, "phase", MAX_LABEL, default="call"),
        )


@dataclass(frozen=True)
class Step:
    """A phase of a test (`category` phase), or a Playwright call within one (`category` api)."""

    title: str
    started_at: str
    duration_ms: float
    category: Literal["phase", "api"] = "phase"
    file: str | None = None
    line: int | None = None
    error: str | None = None
    steps: tuple[Step, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The stored form, nested."""
        return {
            "title": self.title,
            "startedAt": self.started_at,
            "durationMs": self.duration_ms,
            "category": self.category,
            "file": self.file,
            "line": self.line,
            "error": self.error,
            "steps": [step.to_json() for step in self.steps],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any], depth: int = 0) -> Step:
        """Rebuild from the stored form; ValueError when nested deeper than MAX_STEP_DEPTH."""
        if depth >= MAX_STEP_DEPTH:
            raise ValueError(f"steps are nested deeper than {MAX_STEP_DEPTH}")
        return cls(
            title=text(data, "title", MAX_MESSAGE),
            started_at=text(data, "startedAt", MAX_LABEL),
            duration_ms=number(data, "durationMs"),
            category=one_of(data, "category", ("phase", "api")),
            file=optional_text(data, "file", MAX_ID),
            line=optional_integer(data, "line"),
            error=optional_text(data, "error", MAX_MESSAGE),
            steps=tuple(cls.from_json(step, depth + 1) for step in records(data, "steps")),
        )


@dataclass(frozen=True)
class Attachment:
    """Evidence. `path` is the complete file on this worker's disk; `href` its URL relative to the report, once it has
    one. `lack` says why there is no file.

    Of these only `href` is stored: another worker has no use for the others.
    """

    name: str
    content_type: str
    path: Path | None = None
    href: str | None = None
    size_bytes: int = 0
    lack: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The stored form."""
        return {
            "name": self.name,
            "contentType": self.content_type,
            "href": self.href,
            "sizeBytes": self.size_bytes,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Attachment:
        """Rebuild from the stored form."""
        return cls(
            name=text(data, "name", MAX_LABEL),
            content_type=text(data, "contentType", MAX_LABEL),
            href=optional_text(data, "href", MAX_MESSAGE),
            size_bytes=integer(data, "sizeBytes"),
        )


@dataclass(frozen=True)
class Annotation:
    """A remark on a test: a skip reason, an expected failure, a marker."""

    type: str
    description: str = ""


@dataclass(frozen=True)
class TestResult:
    """One attempt at one test. `stdout` and `stderr` are the tails of what it printed. `retry` counts from 0."""

    __test__ = False

    id: str
    file: str
    line: int
    title: str
    outcome: Outcome
    duration_ms: float
    started_at: str
    path: tuple[str, ...] = ()
    errors: tuple[TestError, ...] = ()
    stdout: str = ""
    stderr: str = ""
    steps: tuple[Step, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    annotations: tuple[Annotation, ...] = ()
    retry: int = 0

    def to_json(self) -> dict[str, Any]:
        """The stored form; `Attachment.path` is left out."""
        return {
            "id": self.id,
            "file": self.file,
            "line": self.line,
            "title": self.title,
            "path": list(self.path),
            "outcome": self.outcome,
            "durationMs": self.duration_ms,
            "startedAt": self.started_at,
            "retry": self.retry,
            "errors": [error.to_json() for error in self.errors],
            "stdout": self.stdout,
            "stderr": self.stderr,
            "steps": [step.to_json() for step in self.steps],
            "attachments": [attachment.to_json() for attachment in self.attachments],
            "annotations": [{"type": a.type, "description": a.description} for a in self.annotations],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> TestResult:
        """Rebuild from the stored form, cutting texts to their bounds; ValueError names the field at fault."""
        return cls(
            id=text(data, "id", MAX_ID),
            file=text(data, "file", MAX_ID),
            line=integer(data, "line"),
            title=text(data, "title", MAX_ID),
            path=texts(data, "path", MAX_LABEL),
            outcome=one_of(data, "outcome", OUTCOMES),
            duration_ms=number(data, "durationMs"),
            started_at=text(data, "startedAt", MAX_LABEL),
            retry=integer(data, "retry", default=0),
            errors=tuple(TestError.from_json(error) for error in records(data, "errors")),
            stdout=text(data, "stdout", MAX_STACK, default=""),
            stderr=text(data, "stderr", MAX_STACK, default=""),
            steps=tuple(Step.from_json(step) for step in records(data, "steps")),
            attachments=tuple(Attachment.from_json(item) for item in records(data, "attachments")),
            annotations=tuple(
                Annotation(text(item, "type", MAX_LABEL), text(item, "description", MAX_MESSAGE, default=""))
                for item in records(data, "annotations")
            ),
        )
