"""Playwright calls read from a trace."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from wainwright.worker.runners.trace_steps import MAX_STEPS, read_steps

CLOCK = {"type": "context-options", "version": 10, "wallTime": 1_767_323_045_000, "monotonicTime": 1000}


def write(path: Path, events: list[Any], stacks: Any = None) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("trace.trace", "\n".join(json.dumps(event, separators=(",", ":")) for event in events))
        if stacks is not None:
            archive.writestr("trace.stacks", json.dumps(stacks))
    return path


def before(call: str, start: object, method: str = "goto", **params: str) -> dict[str, Any]:
    return {"type": "before", "callId": call, "startTime": start, "class": "Frame", "method": method, "params": params}


def test_a_call_has_title_time_duration_and_place(tmp_path: Path) -> None:
    events = [CLOCK, before("c1", 1250, url="/cart"), {"type": "after", "callId": "c1", "endTime": 1300.5}]
    stacks = {"files": [str(tmp_path / "test_a.py")], "stacks": [["c1", [[0, 7, 0, "test_a"]]]]}
    [step] = read_steps(write(tmp_path / "t.zip", events, stacks), tmp_path)
    assert (step.title, step.started_at, step.duration_ms) == ("Frame.goto(/cart)", "2026-01-02T03:04:05.250Z", 50.5)
    assert (step.file, step.line, step.category) == ("test_a.py", 7, "api")


def test_a_call_that_failed_says_why_and_one_that_never_ended_has_no_duration(tmp_path: Path) -> None:
    events = [
        CLOCK,
        before("c2", 1400),
        before("c1", 1250),
        {"type": "after", "callId": "c1", "endTime": 1300, "error": {"message": "refused"}},
    ]
    first, second = read_steps(write(tmp_path / "t.zip", events), tmp_path)
    assert (first.error, second.error, second.duration_ms) == ("refused", None, 0)


def test_the_number_of_steps_is_bounded(tmp_path: Path) -> None:
    events = [CLOCK, *(before(f"c{number}", 1000 + number) for number in range(MAX_STEPS + 5))]
    assert len(read_steps(write(tmp_path / "t.zip", events), tmp_path)) == MAX_STEPS


@pytest.mark.parametrize(
    "events",
    [
        [],
        [before("c1", 1)],
        [CLOCK, {"type": "before"}],
        [CLOCK, before("c1", "x")],
        [CLOCK, before("c1", 1e300)],
        [{**CLOCK, "wallTime": "now"}, before("c1", 1)],
    ],
)
def test_a_trace_that_cannot_be_understood_gives_no_steps(tmp_path: Path, events: list[Any]) -> None:
    assert read_steps(write(tmp_path / "t.zip", events), tmp_path) == ()


def test_a_file_that_is_no_trace_gives_no_steps(tmp_path: Path) -> None:
    (tmp_path / "t.zip").write_bytes(b"PK\x03\x04 garbage")
    assert read_steps(tmp_path / "t.zip", tmp_path) == ()
    assert read_steps(tmp_path / "absent.zip", tmp_path) == ()


def test_what_is_typed_is_in_no_title(tmp_path: Path) -> None:
    events = [CLOCK, before("c1", 1250, "fill", selector="#password", value="hunter2")]
    [step] = read_steps(write(tmp_path / "t.zip", events), tmp_path)
    assert step.title == "Frame.fill(#password)"
