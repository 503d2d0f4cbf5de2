"""Each ending leaves what ``docs/endings.md`` says, cell by cell."""

from __future__ import annotations

import io
import json
import tempfile
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import TypeAdapter

from tests.e2e.worker.endings import ENDINGS, Ended, bench
from tests.e2e.worker.one_worker import PROJECT
from tests.support.endings_page import EVIDENCE, FILES, Row, rows
from tests.support.videos import frames
from wainwright.adapters.clock import system_clock
from wainwright.contracts.names import report_key, viewer_key
from wainwright.domain.states import JobStatus
from wainwright.ports.artifacts import ArtifactMissing
from wainwright.usecases.stream_events import StreamEvents
from wainwright.worker.evidence.report.results_json import ResultsDocument

pytestmark = [pytest.mark.browser, pytest.mark.e2e]

PAGE = rows()
ALL = {"trace", "screenshot", "video", "log"}


OFTEN = {"passed", "failed", "job_timed_out", "canceled", "stopped", "evicted", "test_process_killed", "out_of_memory",
         "workers_lost", "syntax_error", "no_tests"}  # fmt: skip
"""Brought about in each run of the tests; the others are thorough."""


@pytest.mark.parametrize(
    "ending", [each if each in OFTEN else pytest.param(each, marks=pytest.mark.thorough) for each in ENDINGS]
)
def test_leaves_what_the_page_says(ending: str, tmp_path: Path, site: str) -> None:
    with bench(tmp_path, site) as tools:
        ended = ENDINGS[ending](tools)
    row = PAGE[ending]
    failure = ended.job.failure
    assert (ended.job.status, failure.category if failure else None) == (row.status, row.category), failure
    check_files(ended, row)
    if row.there["results.json"]:
        results = ended.one.report_results()
        check_evidence(ended, row, results)
        check_what_is_missing(ended, results)
    assert _in_the_log(ended) is row.there["job log"], ended.one.log()
    assert _in_the_stream(ended) is row.there["terminal event"]
    assert _in_the_statistics(ended) is row.there["statistics"]


def check_files(ended: Ended, row: Row) -> None:
    """The report's own files, and that all of it can be had that its manifest lists."""
    found = {}
    for name in (*FILES, "manifest.json"):
        try:
            found[name] = ended.one.report(name) if ended.job.report else None
        except ArtifactMissing:
            found[name] = None
    assert {name: found[name] is not None for name in FILES} == {name: row.there[name] for name in FILES}
    if found["manifest.json"] is None:
        return
    assert b"playwrightReportBase64" in (found["index.html"] or b"")
    jsonschema.validate(
        json.loads(found["results.json"] or b""), TypeAdapter(ResultsDocument).json_schema(mode="serialization")
    )
    junit = ET.fromstring(found["junit.xml"] or b"")  # noqa: S314 - we wrote it
    tests_passed = row.status == "completed" or row.category == "output_schema"
    assert (int(junit.get("failures", 0)) + int(junit.get("errors", 0)) == 0) is tests_passed
    for file in json.loads(found["manifest.json"])["files"]:
        assert len(_object(ended, file["path"])) == file["size"], file


def _object(ended: Ended, path: str) -> bytes:
    report = ended.job.report
    assert report is not None
    viewer = viewer_key(report.viewer, path.removeprefix("trace/"))
    key = viewer if path.startswith("trace/") else report_key(PROJECT, ended.one.id, fence=report.fence, path=path)
    return ended.one.artifacts.get(key)[0]


def check_evidence(ended: Ended, row: Row, results: Mapping[str, Any]) -> None:
    """Of the test at the end as the page says; of what had ended before, everything."""
    tests = {test["title"]: test for test in [*results["tests"], *results["interrupted"]]}
    if "test_before" in tests:
        assert _evidence(ended, tests["test_before"]).keys() == ALL
    there = _evidence(ended, tests["test_at_the_end"]) if "test_at_the_end" in tests else {}
    promised = {name: row.there[name] for name in EVIDENCE if row.there[name] is not None}
    assert {name: name.removeprefix("test ") in there for name in promised} == promised
    if "trace" in there:
        with zipfile.ZipFile(io.BytesIO(there["trace"])) as trace:
            assert trace.testzip() is None
            assert b'"method":"goto"' in trace.read("trace.trace")
    if "screenshot" in there:
        assert there["screenshot"].startswith(b"\x89PNG")
    if "video" in there:
        assert _shows_something(there["video"])
    elif row.there["video"] is None:  # as far as it had been written: not at all, and that is said
        assert [line for line in results["missing"] if line.startswith("video: nothing was written")]
    if "log" in there:
        assert "the cart is on fire" in there["log"].decode()


def _evidence(ended: Ended, test: Mapping[str, Any]) -> dict[str, bytes]:
    return {item["name"]: _object(ended, item["href"]) for item in test["attachments"] if item["href"]}


def _shows_something(video: bytes) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "video.webm")
        file.write_bytes(video)
        return frames(file) > 0


def check_what_is_missing(ended: Ended, results: Mapping[str, Any]) -> None:
    """The report says so wherever it is not complete, and counts every test that there was."""
    assert results["complete"] is not bool(results["missing"])
    if ended.job.status is JobStatus.COMPLETED:
        assert results["complete"]
    tally = results["tally"]
    assert tally["total"] == ended.job.tests.total
    for outcome in ("passed", "failed", "flaky", "skipped"):
        assert tally[outcome] == getattr(ended.job.tests, outcome)
    if any(test["title"] == "test_before" for test in results["tests"]):
        assert tally["total"] == 3
        without = tally["total"] - sum(tally[name] for name in ("passed", "failed", "flaky", "skipped"))
        assert not without or results["missing"]


def _in_the_log(ended: Ended) -> bool:
    """Why it failed, if it did; and what the test has said, if one ran."""
    said = "INFO" if any(test.id.endswith("test_before[chromium]") for test in ended.one.tests()) else None
    wanted = {said, "ERROR" if ended.job.status is JobStatus.FAILED else None} - {None}
    return bool(wanted) and wanted <= {entry.level for entry in ended.one.log()}


def _in_the_stream(ended: Ended) -> bool:
    """The last event of the stream tells the status, and after it there is none."""
    stream = StreamEvents(ended.one.jobs, system_clock, pause=lambda _seconds: None)
    seen, last = None, ""
    while (segment := stream(PROJECT, ended.one.id, seen)) is not None:
        ids = [line.removeprefix("id: ") for line in segment.splitlines() if line.startswith("id: ")]
        assert ids, "nothing new, and yet no end"
        seen, last = ids[-1], segment
    events = [block for block in last.split("\n\n") if block.startswith("id: ")]
    data = json.loads(events[-1].partition("data: ")[2])
    return "event: status" in events[-1] and bool(data["status"] == ended.job.status)


def _in_the_statistics(ended: Ended) -> bool:
    now = ended.job.updated_at
    found = ended.one.jobs.statistics(PROJECT, None, now - timedelta(hours=1), now + timedelta(hours=1))
    failure = ended.job.failure
    if ended.job.status is JobStatus.FAILED and failure is not None:
        assert found.categories == {str(failure.category): 1}
    return dict(found.by_status) == {str(ended.job.status): 1}
