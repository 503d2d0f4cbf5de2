"""What the worker makes of a test process that runs failed tests again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from wainwright.worker.runners.suite import Event, TestEnded, TestStands
from wainwright.worker.runners.suite_session import Session
from wainwright.worker.sandbox.process import ExitStatus

CASE = {"id": "test_it.py::test", "file": "test_it.py", "line": 1, "title": "test", "path": []}


def ended(outcome: str, retry: int, *, again: object) -> dict[str, Any]:
    record = {
        "type": "ended", "outcome": outcome, "durationMs": 1, "startedAt": "2026-11-22T02:42:45.000Z", "retry": retry,
        "errors": [], "stdout": "", "stderr": "", "steps": [], "annotations": [], "attachments": [], "again": again,
    }  # fmt: skip
    return CASE | record


def session(tmp_path: Path, *records: dict[str, Any]) -> tuple[Session, list[Event]]:
    events: list[Event] = []
    found = Session(tmp_path, tmp_path / "output", events.append)
    for record in ({"type": "tests", "tests": [CASE]}, {"type": "collected", "total": 1, "deselected": 0}, *records):
        found.take("events", json.dumps(record).encode())
    return found, events


FINISHED = {"type": "finished", "exitStatus": 1}


def test_an_attempt_that_is_followed_by_another_is_no_outcome_yet(tmp_path: Path) -> None:
    found, events = session(tmp_path, ended("failed", 0, again=True))

    [event] = [event for event in events if isinstance(event, TestEnded)]
    assert event.again
    assert found.end(ExitStatus(1, None), None, 0, None).unfinished == (CASE["id"],)


def test_one_that_was_not_followed_after_all_stands_when_the_session_ends(tmp_path: Path) -> None:
    found, events = session(tmp_path, ended("failed", 0, again=True), FINISHED)

    assert [event.id for event in events if isinstance(event, TestStands)] == [CASE["id"]]
    assert found.end(ExitStatus(1, None), None, 0, None).unfinished == ()


def test_the_last_attempt_ends_the_test(tmp_path: Path) -> None:
    found, events = session(tmp_path, ended("failed", 0, again=True), ended("passed", 1, again=False), FINISHED)

    assert [event.again for event in events if isinstance(event, TestEnded)] == [True, False]
    assert not [event for event in events if isinstance(event, TestStands)]
    assert found.end(ExitStatus(0, None), None, 0, None).unfinished == ()


def test_only_a_plain_yes_says_that_there_is_another(tmp_path: Path) -> None:
    _, events = session(tmp_path, ended("failed", 0, again="perhaps"))

    assert [event.again for event in events if isinstance(event, TestEnded)] == [False]
