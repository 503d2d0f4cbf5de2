"""What test code may import of Wainwright."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from inspect import signature
from pathlib import Path
from typing import Any

import pytest

import wainwright
from wainwright.in_job import CurrentJob as WhatTestsSee
from wainwright.worker.child.wainwright_child import job
from wainwright.worker.runners.pytest.pytest_run import FACADE
from wainwright.worker.runners.suite import JobLog, JobProgress, JobResult

FACTS: dict[str, Any] = {"id": "job-1", "label": None, "url": None, "params": {}, "attempt": 1}


class Told:
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []

    def send(self, kind: str, **fields: Any) -> None:
        """Keep one record, as it would be read again."""
        self.records.append(json.loads(json.dumps({"type": kind, **fields})))


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def in_job(told: Told, monkeypatch: pytest.MonkeyPatch) -> job.CurrentJob:
    """A job that this process seems to run."""
    current = job.CurrentJob(FACTS, told.send)
    monkeypatch.setattr(job, "current", current)
    monkeypatch.setitem(sys.modules, "wainwright_child.job", job)
    return current


def test_outside_a_job_there_is_none_and_logging_does_nothing() -> None:
    assert wainwright.current_job() is None
    wainwright.log_info("nobody listens")
    wainwright.log_error("")


def test_in_a_job_logging_goes_to_it(in_job: job.CurrentJob, told: Told) -> None:
    assert wainwright.current_job() is in_job
    wainwright.log_info("one", number=1)
    wainwright.log_error("two")
    assert [(record["level"], record["message"], record["info"]) for record in told.records] == [
        ("INFO", "one", {"number": 1}),
        ("ERROR", "two", None),
    ]


def test_importing_wainwright_imports_nothing_else_of_it() -> None:
    code = "import sys, wainwright; print(sorted(name for name in sys.modules if name.startswith('wainwright')))"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=_SOURCES)
    assert found.stdout.strip() == "['wainwright', 'wainwright.in_job', 'wainwright.version']"


_SOURCES = Path(wainwright.__file__).parents[1]


def test_it_works_in_an_environment_without_wainwright(tmp_path: Path) -> None:
    package = tmp_path / "wainwright"
    package.mkdir()
    for file in FACADE:
        shutil.copyfile(file, package / file.name)
    code = f"import sys; sys.path = [p for p in sys.path if 'site' not in p] + [{str(tmp_path)!r}]\n"
    code += "import wainwright; print(wainwright.__file__, wainwright.current_job()); wainwright.log_info('x')"
    command = [sys.executable, "-I", "-S", "-c", code]
    found = subprocess.run(command, check=True, capture_output=True, text=True, cwd=tmp_path)
    assert found.stdout.strip() == f"{package / '__init__.py'} None"


def test_the_job_in_the_test_process_has_all_that_its_type_promises() -> None:
    promised = {name for name in vars(WhatTestsSee) if not name.startswith("_")}
    current = job.CurrentJob(FACTS, Told().send)
    assert promised == {name for name in dir(current) if not name.startswith("_")} - {"test_id"}
    for name in promised:
        if callable(getattr(current, name)):
            there = signature(getattr(job.CurrentJob, name)).parameters
            assert list(there) == list(signature(getattr(WhatTestsSee, name)).parameters), name


def test_what_is_sent_is_what_the_worker_reads(told: Told) -> None:
    current = job.CurrentJob(FACTS, told.send)
    current.test_id = "test_a.py::test_a"
    current.log_info("hello", who="world")
    current.progress(99.9, "nearly")
    current.result("name", [1, {"two": None}])
    current.item("a", ok=False, response=2, error_message="three")

    log, progress, result, item = told.records
    assert (JobLog.from_json(log).info, JobLog.from_json(log).test_id) == ({"who": "world"}, "test_a.py::test_a")
    assert (JobProgress.from_json(progress).percent, JobProgress.from_json(progress).message) == (99, "nearly")
    assert JobResult.from_json(result).values == {"name": [1, {"two": None}]}
    assert JobResult.from_json(item).items == {"a": {"status": "error", "response": 2, "errorMessage": "three"}}


def test_results_together_are_bounded_and_one_given_again_counts_once(told: Told) -> None:
    current = job.CurrentJob(FACTS, told.send)
    for _ in range(3):
        current.result("large", "x" * 150_000)
    with pytest.raises(ValueError, match="would be over 200000 bytes"):
        current.result("another", "x" * 60_000)
    assert len(told.records) == 3


def test_refuses_a_value_that_is_nested_too_deeply(told: Told) -> None:
    nested: Any = 1
    for _ in range(40):
        nested = [nested]
    with pytest.raises(ValueError, match="nested deeper"):
        job.CurrentJob(FACTS, told.send).result("nested", nested)


@pytest.mark.parametrize(
    "record",
    [
        {"level": "WARNING", "message": "x"},
        {"level": "INFO", "message": 1},
        {"level": "INFO", "message": "x", "info": []},
        {"level": "INFO", "message": "x", "info": {"much": "x" * 20_000}},
    ],
)
def test_the_worker_refuses_a_log_record_that_is_none(record: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"level|message|info"):
        JobLog.from_json(record)


@pytest.mark.parametrize(
    "record",
    [
        {"values": [1]},
        {"values": {"much": "x" * 200_001}},
        {"items": {"a": "ok"}},
        {"items": {"a": {"status": "fine"}}},
        {"items": {"a": {"status": "ok", "more": 1}}},
        {"items": {"": {"status": "ok"}}},
    ],
)
def test_the_worker_refuses_a_result_that_is_none(record: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"values|items|status"):
        JobResult.from_json(record)


@pytest.mark.parametrize("percent", [-1, 101, 1.5, True, "50", None])
def test_the_worker_refuses_a_progress_that_is_none(percent: Any) -> None:
    with pytest.raises(ValueError, match="percent"):
        JobProgress.from_json({"percent": percent})


def test_text_that_cannot_be_stored_is_replaced() -> None:
    assert JobResult.from_json({"values": {"half": "\ud800"}}).values == {"half": "?"}
