"""The Playwright calls of a test, read from its trace: title, duration and place of each.

A trace is a zip with JSON lines in `*.trace` (`before` and `after` events by `callId`, times in milliseconds on a
monotonic clock that the first line relates to the wall clock) and the call stacks in `*.stacks`. The format is
Playwright's own: what cannot be understood gives fewer steps and no error, since the trace itself is attached anyway.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from wainwright.domain.cuts import cut_end
from wainwright.worker.runners.record_types import parse_json
from wainwright.worker.runners.suite import Step
from wainwright.worker.sandbox.untrusted_zips import open_zip, read_member

MAX_STEPS = 500
MAX_ENTRIES = 10_000
MAX_LINES_BYTES = 32 * 1024 * 1024
"""Uncompressed bytes read of one trace's events."""
WANTED = (b'"type":"before"', b'"type":"after"', b'"type":"context-options"')
PREFIX_BYTES = 200
"""The type stands at the beginning of each line; snapshots, which are large, are not parsed."""
SHOWN = ("url", "selector", "expression")
"""Parameters in a step's title. Never what is typed: it may be a password."""


def read_steps(trace: Path, folder: Path) -> tuple[Step, ...]:
    """The calls in order of start, files relative to `folder` (the bundle). Empty for an unreadable trace."""
    try:
        with open_zip(trace) as archive:
            names = archive.namelist()[:MAX_ENTRIES]
            events = [event for name in names if name.endswith(".trace") for event in _events(archive, name)]
            places: dict[str, tuple[str, int]] = {}
            for name in names:
                if name.endswith(".stacks"):
                    places.update(_places(archive, name, folder))
        return tuple(map(Step.from_json, _steps(events, places)))
    except Exception:  # noqa: BLE001 - the tests could have written anything, which raises anything, and steps are an extra
        return ()


def _events(archive: zipfile.ZipFile, name: str) -> Iterator[dict[str, Any]]:
    left = MAX_LINES_BYTES
    with archive.open(name) as lines:
        while left > 0 and (line := lines.readline(left)):
            left -= len(line)
            if any(kind in line[:PREFIX_BYTES] for kind in WANTED):
                yield parse_json(line)


def _places(archive: zipfile.ZipFile, name: str, folder: Path) -> dict[str, tuple[str, int]]:
    if archive.getinfo(name).file_size > MAX_LINES_BYTES:
        return {}
    data = parse_json(read_member(archive, name, MAX_LINES_BYTES))
    files = [str(file) for file in data["files"]]
    return {
        call: (_relative(files[frames[0][0]], folder), int(frames[0][1])) for call, frames in data["stacks"] if frames
    }


def _relative(file: str, folder: Path) -> str:
    path = Path(file)
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else file


def _steps(events: list[dict[str, Any]], places: dict[str, tuple[str, int]]) -> Iterator[dict[str, Any]]:
    """Yield steps in their stored form, which bounds texts and numbers when it is read."""
    clocks = [event for event in events if event["type"] == "context-options"]
    clock = clocks[0]
    offset = clock["wallTime"] - clock["monotonicTime"]
    ends = {event["callId"]: event for event in events if event["type"] == "after"}
    started = [event for event in events if event["type"] == "before"]
    calls = sorted(started, key=lambda event: float(event["startTime"]))
    for call in calls[:MAX_STEPS]:
        end = ends.get(call["callId"], {})
        file, line = places.get(call["callId"], (None, None))
        error = end.get("error")
        yield {
            "title": _title(call),
            "startedAt": _timestamp(offset + float(call["startTime"])),
            "durationMs": round(max(0.0, float(end.get("endTime", call["startTime"])) - float(call["startTime"])), 3),
            "category": "api",
            "file": file,
            "line": line,
            "error": cut_end(str(error.get("message", error)), 500) if isinstance(error, dict) else None,
        }


def _title(call: dict[str, Any]) -> str:
    if call.get("title"):
        return cut_end(str(call["title"]), 200)
    params = call.get("params") or {}
    shown = [cut_end(params[name], 120) for name in SHOWN if isinstance(params.get(name), str)]
    return f"{call['class']}.{call['method']}({', '.join(shown)})"


def _timestamp(milliseconds: float) -> str:
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
