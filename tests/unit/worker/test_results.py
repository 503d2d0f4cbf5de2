"""Merging a job's results."""

from __future__ import annotations

from typing import Any

import pytest

from wainwright.domain.failures import FailureCategory
from wainwright.domain.tests import TestOutcome
from wainwright.ports.job_store import StoredTest
from wainwright.usecases import check_schemas
from wainwright.worker.evidence.job_results import MAX_BYTES, JobResults, check_results
from wainwright.worker.runners.suite import JobResult


def _stored(test_id: str, started_at: str, values: dict[str, Any], items: dict[str, Any] | None = None) -> StoredTest:
    body = {"attempts": [{"startedAt": started_at}], "results": {"values": values, "items": items or {}}}
    return StoredTest(id=test_id, outcome=TestOutcome.PASSED, attempt=1, body=body)


def test_nothing_handed_back_is_no_results() -> None:
    assert JobResults().stored is None
    assert JobResults([StoredTest(id="t", outcome=TestOutcome.PASSED, attempt=1, body={"attempts": []})]).stored is None


def test_what_was_handed_back_last_counts_whatever_the_order_of_the_rows() -> None:
    late = _stored("a", "2026-01-01T00:00:02.000Z", {"x": "late"})
    early = _stored("b", "2026-01-01T00:00:01.000Z", {"x": "early", "y": 1}, {"i": {"status": "ok"}})

    for rows in ([late, early], [early, late]):
        assert JobResults(rows).stored == {"x": "late", "y": 1, "i": {"status": "ok"}}


def test_a_test_that_runs_again_replaces_its_own_and_keeps_what_it_does_not_give_again() -> None:
    results = JobResults([_stored("a", "2026-01-01T00:00:01.000Z", {"x": 1, "y": 1})])

    results.add(JobResult(values={"x": 2}, test_id="a"))

    assert results.stored == {"x": 2, "y": 1}
    assert results.of_test("a") == {"values": {"x": 2, "y": 1}, "items": {}}
    assert results.of_test("b") is None


def test_results_outside_of_a_test_are_in_no_tests_row() -> None:
    results = JobResults()
    results.add(JobResult(values={"x": 1}))
    assert results.stored == {"x": 1}
    assert results.of_test("a") is None


def test_values_without_room_are_refused_by_name_and_items_are_cut_saying_so() -> None:
    results = JobResults()
    large = "x" * (MAX_BYTES // 2)
    assert results.add(JobResult(values={"first": large})) == []

    assert results.add(JobResult(values={"second": large, "third": 1}, test_id="a")) == ["second"]
    results.add(JobResult(items={"i": {"status": "ok", "response": large}}, test_id="a"))

    assert results.stored == {
        "first": large,
        "third": 1,
        "itemsNote": "the results are over 200,000 bytes; later items are not kept",
    }
    assert results.of_test("a") == {"values": {"third": 1}, "items": {}}


def test_items_over_a_thousand_are_cut_but_those_known_may_change() -> None:
    results = JobResults()
    results.add(JobResult(items={str(number): {"status": "ok"} for number in range(1_000)}))
    assert "itemsNote" not in (results.stored or {})

    results.add(JobResult(items={"7": {"status": "error"}, "one more": {"status": "ok"}}))

    stored = results.stored or {}
    assert stored["7"] == {"status": "error"}
    assert "one more" not in stored
    assert stored["itemsNote"] == "more than 1,000 items were reported; the first 1,000 are kept"


def test_the_note_does_not_count_against_the_schema() -> None:
    results = JobResults()
    results.add(JobResult(items={str(number): {"status": "ok"} for number in range(1_001)}))
    assert check_results({"maxProperties": 1_000, "additionalProperties": {"type": "object"}}, results) is None


def test_a_mismatch_names_the_path() -> None:
    results = JobResults()
    results.add(JobResult(values={"cart": {"total": "12"}}))
    failure = check_results({"properties": {"cart": {"properties": {"total": {"type": "number"}}}}}, results)
    assert failure is not None
    assert failure.category is FailureCategory.OUTPUT_SCHEMA
    assert failure.message == "results/cart/total: '12' is not of type 'number'"


def test_without_a_schema_anything_fits() -> None:
    assert check_results(None, JobResults()) is None


def test_a_pattern_that_never_ends_fails_the_job_and_not_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_schemas, "CPU_SECONDS", 0.3)
    results = JobResults()
    results.add(JobResult(values={"name": "a" * 39 + "!"}))

    failure = check_results({"properties": {"name": {"pattern": "^(a+)+$"}}}, results)

    assert failure is not None
    assert failure.category is FailureCategory.OUTPUT_SCHEMA
    assert failure.message.startswith("results: the check against its schema needs more than 0.3 s of CPU time")


def test_a_machine_too_busy_to_check_is_no_fault_of_the_results(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_schemas, "WAIT_SECONDS", 0.0)

    failure = check_results({"pattern": "a"}, JobResults())

    assert failure is not None
    assert failure.category is FailureCategory.INFRASTRUCTURE
