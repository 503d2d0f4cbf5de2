"""Times of one job's hops, read from outside: its record, its results, its worker's log, its objects' files.

All clocks are this machine's. Seconds since the epoch; the record has whole milliseconds.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

SUITE = """\
import json, os, pathlib, time

imported = time.time()

import wainwright
from playwright.sync_api import Page, expect

PAGE = "<button onclick='this.nextElementSibling.textContent = `clicked`'>Press</button><output>-</output>"


def test_press(page: Page) -> None:
    times = {"imported": imported, "acted": time.time()}
    page.set_content(PAGE)
    page.get_by_role("button").click()
    expect(page.get_by_role("status")).to_have_text("clicked")
    times["passed"] = time.time()
    if job := wainwright.current_job():
        job.result("times", times)
    else:
        pathlib.Path(os.environ["TIMES"]).write_text(json.dumps(times))
"""
"""One test, which notes when its file was imported, when it first asked something of its page, and when it was through."""

HOPS: Mapping[str, str] = {
    "claimed": "submitted → claimed by a worker (POST, dispatch, execution, work queue)",
    "spare": "→ a test process is to hand (rows, secrets, bundle)",
    "imported": "→ the test's file is imported (settings, pytest's start, collection)",
    "acted": "→ first browser action (context and page made, trace begun)",
    "passed": "→ the test's last line (page, click, expectation)",
    "kept": "→ trace stored (written, looked through, uploaded)",
    "reported": "→ report stored (rows, end of the test process, pages, manifest)",
    "completed": "→ the record says so (outcome kept, token ended, Finish)",
    "seen": "→ the client's long-poll says so",
}
"""Events that are timed -> the way there from the one before."""

ACTED = "acted"


def times_of_job(data: Path, job: Mapping[str, Any], submitted: float, seen: float) -> dict[str, float]:
    """Seconds from submission to each of ``HOPS`` of a completed job, as far as each can be seen."""
    lines = [line for line in _worker_lines(data) if submitted <= line["at"] <= seen + 1]
    logged = {line["message"]: line["at"] for line in reversed(lines) if line.get("jobId") in (job["id"], None)}
    at: dict[str, float | None] = {
        "claimed": datetime.fromisoformat(job["startedAt"]).timestamp(),
        "spare": logged.get("a spare runs the suite"),
        **job["results"]["times"],
        "kept": _stored(data, job["id"], "trace"),
        "reported": _stored(data, job["id"], "manifest.json"),
        "completed": datetime.fromisoformat(job["completedAt"]).timestamp(),
        "seen": seen,
    }
    return {name: when - submitted for name in HOPS if (when := at.get(name)) is not None}


def _worker_lines(data: Path) -> Iterator[dict[str, Any]]:
    """Return the lines that workers logged, each with ``at``."""
    for file in data.glob("logs/**/*.log"):
        yield from _lines(file)


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    for text in file.read_text(errors="replace").splitlines():
        if text.startswith("{"):
            line: dict[str, Any] = json.loads(text)
            moment = datetime.strptime(line["time"], "%Y-%m-%d %H:%M:%S,%f").astimezone()
            yield line | {"at": moment.timestamp()}


def _stored(data: Path, job_id: str, named: str) -> float | None:
    """Return the time at which the last object of a job with such a name was written."""
    with closing(sqlite3.connect(f"file:{data / 'journal.sqlite'}?mode=ro", uri=True)) as journal:
        found = journal.execute("SELECT name, file FROM objects WHERE name LIKE ?", (f"%{job_id}%",)).fetchall()
    times = [(data / "objects" / file).stat().st_mtime for name, file in found if named in name.rpartition("/")[2]]
    return max(times, default=None)
