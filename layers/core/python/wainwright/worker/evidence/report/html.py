"""Playwright's own HTML report, built from the web assets that the installed Python wheel carries.

The page reads `report.json` and one JSON file per test file from a base64 zip inside the page; attachments are
fetched by URLs relative to it, traces open in the trace viewer at `trace/index.html`. It must be served over HTTP
(the trace viewer needs a service worker). Lists that the page reads must all be present, even if empty: it fails on
an absent one.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import mimetypes
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import playwright

from wainwright.worker.evidence.report.report_model import Ending, ReportedTest, ReportMeta, group_by_test
from wainwright.worker.runners.suite import Step, TestCase, TestResult

ASSETS = Path(playwright.__file__).parent / "driver" / "package" / "lib" / "vite"
TRACE_FOLDER = "trace"
"""Folder of the trace viewer, relative to the page."""
MAX_GAPS = 50
"""Lines of missing things on the page; results.json has all of them. Needed there, since the list hides skipped tests."""
OUTCOMES = {
    "passed": "expected",
    "failed": "unexpected",
    "flaky": "flaky",
    "skipped": "skipped",
    "quarantined": "skipped",
}
_SCRIPT = re.compile(r'<script type="module"[^>]*src="\./report\.js"[^>]*></script>')
_STYLE = re.compile(r'<link rel="stylesheet"[^>]*href="\./report\.css"[^>]*>')
_CONTENT_TYPES = {".js": "text/javascript", ".ttf": "font/ttf", ".webmanifest": "application/manifest+json"}


class ReportAssetsError(Exception):
    """The installed Playwright does not carry the web assets in the expected shape; install the pinned version."""


@dataclass(frozen=True)
class AssetFile:
    """A file of the trace viewer: its name relative to `TRACE_FOLDER`, its path on this machine, and its content type."""

    name: str
    path: Path
    content_type: str


def trace_viewer_files() -> tuple[AssetFile, ...]:
    """Return the trace viewer's files, the same for every report of one Playwright version. Raises ReportAssetsError."""
    folder = ASSETS / "traceViewer"
    if not (folder / "index.html").is_file():
        raise ReportAssetsError(f"no trace viewer in {folder}")
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return tuple(AssetFile(path.relative_to(folder).as_posix(), path, _content_type(path)) for path in files)


def build_html(results: Iterable[TestResult], ending: Ending, meta: ReportMeta) -> bytes:
    """Return index.html, complete but for attachments and trace viewer; attachments without `href` are named as missing."""
    tests = group_by_test(results)
    by_file: dict[str, list[dict[str, Any]]] = {}
    for test in tests:
        by_file.setdefault(test.last.file, []).append(_test(test, meta))
    known = {test.last.id for test in tests}
    for case in ending.not_run:
        if case.id not in known:
            by_file.setdefault(case.file, []).append(_not_run(case, ending.find_evidence(case), ending.reason, meta))
    files = [
        {"fileId": _digest(name), "fileName": name, "tests": entries, "stats": _stats(entries)}
        for name, entries in by_file.items()
    ]
    content = {f"{file['fileId']}.json": file for file in files}
    content["report.json"] = _report(files, ending, meta)
    return _page(content)


def pack_documents(documents: Mapping[str, Any]) -> bytes:
    """Return JSON documents by name in the form that the page reads: an archive in base64."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, document in documents.items():
            archive.writestr(name, json.dumps(document, separators=(",", ":")))
    return base64.b64encode(packed.getvalue())


def _page(documents: Mapping[str, Any]) -> bytes:
    try:
        page, script, style = (
            (ASSETS / "htmlReport" / name).read_text("utf-8") for name in ("index.html", "report.js", "report.css")
        )
    except OSError as error:
        raise ReportAssetsError(f"the HTML report's assets cannot be read: {error}") from error
    script = re.sub(r"</(script)", r"<\\/\1", script, flags=re.IGNORECASE)
    page, scripts = _SCRIPT.subn(lambda _: f'<script type="module">{script}</script>', page)
    page, styles = _STYLE.subn(lambda _: f"<style>{style}</style>", page)
    if (scripts, styles) != (1, 1):
        raise ReportAssetsError("the HTML report's page does not name its script and style as expected")
    data = pack_documents(documents).decode("ascii")
    page += f'<template id="playwrightReportBase64">data:application/zip;base64,{data}</template>\n'
    return page.encode("utf-8")


def _report(files: Sequence[dict[str, Any]], ending: Ending, meta: ReportMeta) -> dict[str, Any]:
    details = {"job": meta.job_id, "browser": meta.browser, "base URL": meta.base_url, **meta.details}
    errors = [_located(error.message, error.file, error.line, error.stack) for error in ending.errors]
    if not ending.complete:
        gaps = ending.gaps()
        more = [f"and {len(gaps) - MAX_GAPS} more"] if len(gaps) > MAX_GAPS else []
        errors.append("\n  ".join(["This report is not complete:", *gaps[:MAX_GAPS], *more]))
    return {
        "metadata": {name: value for name, value in details.items() if value},
        "startTime": datetime.fromisoformat(meta.started_at).timestamp() * 1000,
        "duration": meta.duration_ms,
        "files": [_without_results(file) for file in files],
        "stats": _stats([test for file in files for test in file["tests"]]),
        "projectNames": [meta.browser],
        "errors": errors,
        "machines": [],
        "options": {"title": meta.title},
    }


def _without_results(file: dict[str, Any]) -> dict[str, Any]:
    """Return a file with only those members of each result that the list of tests shows."""
    kept = ("attachments", "startTime", "workerIndex")
    tests = [
        {**test, "results": [{name: result[name] for name in kept} for result in test["results"]]}
        for test in file["tests"]
    ]
    return {**file, "tests": tests}


def _stats(tests: Sequence[dict[str, Any]]) -> dict[str, Any]:
    outcomes = [test["outcome"] for test in tests]
    counts = {outcome: outcomes.count(outcome) for outcome in OUTCOMES.values()}
    return {"total": len(tests), **counts, "ok": counts["unexpected"] == 0}


def _test(test: ReportedTest, meta: ReportMeta) -> dict[str, Any]:
    last = test.last
    return {
        **_shown(TestCase(last.id, last.file, last.line, last.title, last.path), meta),
        "duration": last.duration_ms,
        "annotations": _annotations(last),
        "outcome": OUTCOMES[test.outcome],
        "ok": test.outcome != "failed",
        "results": [_result(attempt, retry) for retry, attempt in enumerate(test.attempts)],
    }


def _shown(case: TestCase, meta: ReportMeta) -> dict[str, Any]:
    return {
        "testId": f"{_digest(case.file)}-{_digest(case.id)}",
        "title": case.title,
        "projectName": meta.browser,
        "location": _location(case.file, case.line),
        "tags": [],
        "path": list(case.path),
    }


def _result(attempt: TestResult, retry: int) -> dict[str, Any]:
    kept = [item for item in attempt.attachments if item.href]
    printed = [(name, body) for name, body in (("stdout", attempt.stdout), ("stderr", attempt.stderr)) if body]
    timed_out = any(error.kind in ("test_timeout", "job_timeout") for error in attempt.errors)
    return {
        "duration": attempt.duration_ms,
        "startTime": attempt.started_at,
        "retry": retry,
        "steps": [_step(step) for step in attempt.steps],
        "errors": [{"message": _located(e.message, e.file, e.line, e.stack)} for e in attempt.errors],
        "status": "timedOut" if attempt.outcome == "failed" and timed_out else attempt.outcome,
        "annotations": _annotations(attempt),
        "attachments": [{"name": item.name, "contentType": item.content_type, "path": item.href} for item in kept]
        + [{"name": name, "contentType": "text/plain", "body": body} for name, body in printed],
        "workerIndex": 0,
    }


def _not_run(case: TestCase, left: TestResult | None, reason: str, meta: ReportMeta) -> dict[str, Any]:
    """Show a test without an outcome as skipped, for which the page has a state; with the evidence of one that had begun."""
    annotations = [{"type": "was interrupted" if left else "did not run", "description": reason}]
    result = _result(left or TestResult(case.id, case.file, case.line, case.title, "skipped", 0, meta.started_at), 0)
    return {
        **_shown(case, meta),
        "duration": left.duration_ms if left else 0,
        "annotations": annotations,
        "outcome": "skipped",
        "ok": False,
        "results": [{**result, "status": "interrupted", "annotations": annotations + result["annotations"]}],
    }


def _step(step: Step) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "title": step.title,
        "startTime": step.started_at,
        "duration": step.duration_ms,
        "steps": [_step(inner) for inner in step.steps],
        "attachments": [],
        "count": 1,
        "skipped": False,
    }
    if step.file is not None and step.line is not None:
        shown["location"] = _location(step.file, step.line)
    if step.error is not None:
        shown["error"] = step.error
    return shown


def _annotations(result: TestResult) -> list[dict[str, str]]:
    missing = [item.name for item in result.attachments if not item.href]
    remarks = [{"type": each.type, "description": each.description} for each in result.annotations]
    return remarks + ([{"type": "missing evidence", "description": ", ".join(missing)}] if missing else [])


def _located(message: str, file: str | None, line: int | None, stack: str) -> str:
    place = f"\n    at {file}" + (f":{line}" if line else "") if file else ""
    return message + place + (f"\n\n{stack}" if stack else "")


def _location(file: str, line: int) -> dict[str, Any]:
    return {"file": file, "line": line, "column": 1}


def _digest(value: str) -> str:
    """Return a short id, stable across reports, so that a link to a test stays good."""
    return hashlib.sha256(value.encode("utf-8", "replace")).hexdigest()[:20]


def _content_type(path: Path) -> str:
    return _CONTENT_TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
