"""The stored form of test results."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from wainwright.worker.runners.suite import Annotation, Attachment, Step, TestCase, TestError, TestResult

RESULT = TestResult(
    id="a/test_x.py::TestCart::test_adds[chromium-tea]",
    file="a/test_x.py",
    line=12,
    title="test_adds[tea]",
    outcome="failed",
    duration_ms=1234.5,
    started_at="2026-01-02T03:04:05.678Z",
    path=("TestCart",),
    errors=(TestError("assert 1 == 2", "stack", "a/test_x.py", 14, "assertion"),),
    stdout="out",
    stderr="err",
    steps=(
        Step(
            "Test", "2026-01-02T03:04:05.700Z", 20, steps=(Step("Page.goto(/)", "2026-01-02T03:04:05.701Z", 3, "api"),)
        ),
    ),
    attachments=(Attachment("trace", "application/zip", None, "data/1.zip", 99),),
    annotations=(Annotation("skipped", "no tea"),),
    retry=1,
)


def test_a_result_survives_storage_as_json() -> None:
    assert TestResult.from_json(json.loads(json.dumps(RESULT.to_json()))) == RESULT


def test_a_result_survives_a_store_that_returns_decimals() -> None:
    stored = json.loads(json.dumps(RESULT.to_json()), parse_float=Decimal, parse_int=Decimal)
    assert TestResult.from_json(stored) == RESULT


def test_paths_of_the_workers_disk_are_not_stored() -> None:
    stored = Attachment("trace", "application/zip", Path("/somewhere/trace.zip"), "data/1.zip").to_json()
    assert "somewhere" not in json.dumps(stored)


def test_a_test_case_survives_storage() -> None:
    case = TestCase("test_x.py::test_a", "test_x.py", 1, "test_a", ("TestCart",))
    assert TestCase.from_json(case.to_json()) == case


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", None),
        ("id", "x" * 5_000),
        ("line", -1),
        ("line", 2**60),
        ("durationMs", float("nan")),
        ("durationMs", float("inf")),
        ("durationMs", 10**400),
        ("durationMs", "3"),
        ("outcome", "perfect"),
        ("errors", "none"),
        ("errors", [{"message": "x", "kind": "evil"}]),
        ("attachments", [3]),
        ("path", [3]),
    ],
)
def test_refuses_a_malformed_field_by_its_name(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=field if field != "errors" or value == "none" else "kind"):
        TestResult.from_json({**RESULT.to_json(), field: value})


def test_cuts_long_texts_and_long_lists() -> None:
    result = TestResult.from_json({**RESULT.to_json(), "stdout": "x" * 100_000, "path": ["a"] * 5_000})
    assert len(result.stdout) == 20_480
    assert len(result.path) == 2_000


def test_refuses_steps_without_end() -> None:
    step: dict[str, object] = {"title": "t", "startedAt": "x", "durationMs": 1, "category": "api"}
    for _ in range(10):
        step = {**step, "steps": [step]}
    with pytest.raises(ValueError, match="nested"):
        TestResult.from_json({**RESULT.to_json(), "steps": [step]})
