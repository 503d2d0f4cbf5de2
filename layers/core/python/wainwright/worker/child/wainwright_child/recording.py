"""Records one attempt at one test: phases, errors, printed text, evidence and a log of its own."""

from __future__ import annotations

import mimetypes
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from .cuts import cut_end, cut_start
from .failures import find_definition

MAX_PRINTED = 20_000
"""Characters kept of each of standard output and error of a test; the last ones."""
STEP_TITLES = {"setup": "Setup", "call": "Test", "teardown": "Teardown"}
EVIDENCE = {"playwright_trace": "trace", "playwright_screenshot": "screenshot", "playwright_video": "video"}
"""Names under which pytest-playwright puts the paths of its files into a report's user properties."""
KINDS = {".zip": "trace", ".png": "screenshot", ".webm": "video"}
"""Kinds of its files by their suffixes."""
MAX_NEW_FILES = 20
CONTENT_TYPES = {
    ".zip": "application/zip",
    ".webm": "video/webm",
    ".png": "image/png",
    ".log": "text/plain; charset=utf-8",
}


def format_time(seconds: float) -> str:
    """RFC 3339 in UTC, to the millisecond."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def describe(item: pytest.Item) -> dict[str, Any]:
    """Identity, place and title of a test."""
    file, line = find_definition(item)
    classes = [node.name for node in item.listchain() if isinstance(node, pytest.Class)]
    return {"id": item.nodeid, "file": file, "line": line, "title": title_of(item), "path": classes}


def title_of(item: pytest.Item) -> str:
    """The test's name without the browser's, which pytest-playwright adds as a parameter, unless there are several."""
    callspec = getattr(item, "callspec", None)
    browser = callspec.params.get("browser_name") if callspec else None
    if callspec is None or browser is None or len(item.config.option.browser) > 1:
        return item.name
    parameters = [part for part in [callspec.id.removeprefix(browser).removesuffix(browser).strip("-")] if part]
    name = str(getattr(item, "originalname", None) or item.name.partition("[")[0])
    return f"{name}[{parameters[0]}]" if parameters else name


class EvidenceFolder:
    """The folder of pytest-playwright's files, for its versions that do not tell a report of them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: set[Path] = set()

    def take(self) -> list[tuple[str, Path]]:
        """Kind and path of those that are there since the last call."""
        found = sorted(path for path in self._folder.rglob("*") if path not in self._seen and path.is_file())
        self._seen.update(found)
        return [(KINDS[path.suffix], path) for path in found if path.suffix in KINDS][:MAX_NEW_FILES]


class Recording:
    """Collects the reports of one attempt's phases."""

    def __init__(self, item: pytest.Item, folder: EvidenceFolder) -> None:
        self._evidence = folder
        self._item = item
        self._outcome = "passed"
        self._started: float | None = None
        self._duration = 0.0
        self._errors: list[dict[str, Any]] = []
        self._steps: list[dict[str, Any]] = []
        self._annotations: list[dict[str, str]] = [
            {"type": marker.name, "description": cut_end(", ".join(map(str, marker.args)), 500)}
            for marker in item.iter_markers()
            if marker.name in {"skip", "skipif", "xfail", "issue", "slow"}
        ]

    def add(self, report: pytest.TestReport, call: pytest.CallInfo[Any], errors: list[dict[str, Any]]) -> None:
        """Take in one phase. A failure outranks a skip, a skip a pass."""
        self._started = call.start if self._started is None else self._started
        self._duration += call.duration
        self._errors += errors
        self._steps.append(
            {
                "title": STEP_TITLES[call.when],
                "startedAt": format_time(call.start),
                "durationMs": round(call.duration * 1000, 3),
                "category": "phase",
                "error": cut_end(errors[0]["message"], 500) if errors else None,
            }
        )
        if report.failed or (report.skipped and self._outcome == "passed"):
            self._outcome = report.outcome
        if report.skipped:
            self._annotate_skip(report)
        elif hasattr(report, "wasxfail"):
            self._annotations.append({"type": "unexpected pass", "description": report.wasxfail})

    def _annotate_skip(self, report: pytest.TestReport) -> None:
        if hasattr(report, "wasxfail"):
            self._annotations.append({"type": "expected failure", "description": report.wasxfail})
        elif isinstance(report.longrepr, tuple):
            self._annotations.append({"type": "skipped", "description": report.longrepr[2].removeprefix("Skipped: ")})

    def finish(
        self, report: pytest.TestReport, browser_log: list[str], log: Path, *, apart: bool = False
    ) -> dict[str, Any]:
        """Write the log and return the record. `report`, the teardown's, carries everything. `apart`: move its files."""
        self._write_log(log, report, browser_log)
        folder = self._item.config.invocation_params.dir
        told = [(EVIDENCE[name], Path(folder, str(path))) for name, path in report.user_properties if name in EVIDENCE]
        new = self._evidence.take()  # in any case: else they would be taken for those of a later test
        found = told or new
        evidence = [(name, _put_apart(path, log)) for name, path in found] if apart else found
        attachments = [*evidence, ("log", log)]
        return {
            **describe(self._item),
            "outcome": self._outcome,
            "durationMs": round(self._duration * 1000, 3),
            "startedAt": format_time(self._started or 0),
            # Counted from 1, by pytest-rerunfailures too.
            "retry": max(0, getattr(self._item, "execution_count", 1) - 1),
            "errors": self._errors,
            "stdout": cut_start(report.capstdout, MAX_PRINTED),
            "stderr": cut_start(report.capstderr, MAX_PRINTED),
            "steps": self._steps,
            "annotations": self._annotations,
            "attachments": [
                {"name": name, "contentType": guess_content_type(path), "path": str(path)} for name, path in attachments
            ],
        }

    def _write_log(self, log: Path, report: pytest.TestReport, browser_log: list[str]) -> None:
        lines = [f"{self._item.nodeid}: {self._outcome} after {self._duration * 1000:.0f} ms"]
        printed = (("stdout", report.capstdout), ("stderr", report.capstderr), ("logging", report.caplog))
        sections = [(name, cut_start(content, MAX_PRINTED).splitlines()) for name, content in printed]
        for name, section in (("browser", browser_log), *sections):
            if section:
                lines += ["", f"--- {name} ---", *section]
        for error in self._errors:
            lines += ["", f"--- error in {error['phase']} ---", error["message"]]
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text("\n".join(lines) + "\n", encoding="utf-8", errors="replace")


def _put_apart(path: Path, log: Path) -> Path:
    """Beside the attempt's log, into a folder of the attempt's own; where it is if it cannot be moved."""
    folder = log.with_suffix("")
    target = folder / path.name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return path.replace(target)
    except OSError:
        return path


def guess_content_type(path: Path) -> str:
    """Return the content type by the file's suffix."""
    return CONTENT_TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
