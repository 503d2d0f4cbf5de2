"""What the worker makes of records that test code wrote itself."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wainwright.worker.runners.suite import Attachment, Event, TestEnded
from wainwright.worker.runners.suite_session import Session
from wainwright.worker.sandbox.process import ExitStatus

CASE = {"id": "test_it.py::test", "file": "test_it.py", "line": 1, "title": "test", "path": []}
ENDED: dict[str, Any] = {
    **CASE, "type": "ended", "outcome": "passed", "durationMs": 1, "startedAt": "2026-11-22T02:42:45.000Z",
}  # fmt: skip


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def session(tmp_path: Path, events: list[Event]) -> Session:
    (tmp_path / "output").mkdir()
    session = Session(tmp_path, tmp_path / "output", events.append)
    session.take("events", json.dumps({"type": "tests", "tests": [CASE]}).encode())
    return session


def dropped(session: Session) -> int:
    return session.end(ExitStatus(0, None), None, 0, None).dropped


@pytest.mark.parametrize(
    "line",
    [
        b"no JSON",
        b"[]",
        b'"tests"',
        b"{}",
        b'{"type": "none of ours"}',
        b'{"type": ["tests"]}',
        b'{"type": "tests", "tests": [{"id": "x"}]}',
        b'{"type": "deselected", "ids": "x"}',
        b'{"type": "collected", "total": -1}',
        b'{"type": "started", "id": "no such test"}',
        b'{"type": "job_progress", "percent": 1000}',
        b'{"type": "finished"}',
        b"[" * 5_000,
        json.dumps({**ENDED, "outcome": "splendid"}).encode(),
        json.dumps({**ENDED, "attachments": ["trace"]}).encode(),
        json.dumps({**ENDED, "attachments": [{"name": "trace", "contentType": "application/zip"}]}).encode(),
    ],
)
def test_a_record_that_is_none_is_counted_and_reported_as_nothing(
    session: Session, events: list[Event], line: bytes
) -> None:
    session.take("events", line)
    assert dropped(session) == 1
    assert events == []


def test_half_a_surrogate_pair_is_replaced(session: Session, events: list[Event]) -> None:
    session.take("events", json.dumps({**ENDED, "stdout": "half \ud800"}).encode())
    assert dropped(session) == 0
    assert [event.result.stdout for event in events if isinstance(event, TestEnded)] == ["half ?"]


def test_an_attachment_names_neither_a_file_of_others_nor_a_place_in_the_report(
    session: Session, events: list[Event], tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("of the worker")
    attachment = {"name": "trace", "contentType": "text/plain", "path": str(tmp_path / "secret"), "href": "data/1"}
    session.take("events", json.dumps({**ENDED, "attachments": [attachment]}).encode())

    [event] = [event for event in events if isinstance(event, TestEnded)]
    [found] = event.result.attachments
    assert (found.path, found.href) == (None, None)
    assert found.lack == "it is not a file of the tests in the folder for evidence"


@settings(deadline=None)
@given(content_type=st.text() | st.sampled_from(["text/plain\r\nx-role: admin", "text/plain\n", "", "text/häßlich"]))
def test_a_content_type_that_is_no_header_is_not_kept(content_type: str) -> None:
    found = Attachment.from_json({"name": "notes", "contentType": content_type}).content_type

    assert found in (content_type, "application/octet-stream")
    assert re.fullmatch(r"[\x21-\x7e][\x20-\x7e]*", found)


@pytest.mark.parametrize(
    "content_type", ["text/plain", "text/plain; charset=utf-8", 'text/html;charset="utf-8"', "application/vnd.x+json"]
)
def test_a_content_type_is_kept(content_type: str) -> None:
    assert Attachment.from_json({"name": "notes", "contentType": content_type}).content_type == content_type
