"""results.json, JUnit XML and the HTML report, from results alone."""

from __future__ import annotations

import base64
import io
import json
import re
import xml.etree.ElementTree as ET
import zipfile
from dataclasses import replace
from typing import Any

import jsonschema
import pytest
from pydantic import TypeAdapter

from wainwright.worker.evidence.report import html
from wainwright.worker.evidence.report.html import build_html, trace_viewer_files
from wainwright.worker.evidence.report.junit import build_junit
from wainwright.worker.evidence.report.report_model import Ending, ReportMeta, count_outcomes, group_by_test
from wainwright.worker.evidence.report.results_json import ResultsDocument, build_results
from wainwright.worker.runners.suite import Attachment, SuiteEnd, SuiteError, TestCase, TestError, TestResult

SCHEMA = TypeAdapter(ResultsDocument).json_schema(mode="serialization")
META = ReportMeta("job-1", "Shop", "2026-01-02T03:04:05.678Z", 5_000, base_url="http://shop.test")
PASSED = TestResult("test_a.py::test_one", "test_a.py", 1, "test_one", "passed", 10, "2026-01-02T03:04:05.700Z")
ERROR = TestError("assert 1 == 2", "E  assert 1 == 2", "test_a.py", 9, "assertion")
FAILED = replace(PASSED, id="test_a.py::test_two", title="test_two", outcome="failed", errors=(ERROR,))
SKIPPED = replace(PASSED, id="test_b.py::test_three", file="test_b.py", title="test_three", outcome="skipped")
FLAKY = [
    replace(FAILED, id="test_b.py::test_four", file="test_b.py", title="test_four"),
    replace(
        PASSED, id="test_b.py::test_four", file="test_b.py", title="test_four", started_at="2026-01-02T03:05:00.000Z"
    ),
]
RESULTS = [PASSED, FAILED, SKIPPED, *FLAKY]
NOT_RUN = TestCase("test_c.py::test_five", "test_c.py", 3, "test_five")
CUT_SHORT = Ending("canceled", (), (NOT_RUN,))
BROKEN = Ending("collection_error", (SuiteError("SyntaxError: no", "test_x.py", 4),))


def parse(document: bytes) -> ET.Element:
    """The root element of XML that we wrote ourselves."""
    return ET.fromstring(document)  # noqa: S314


def embedded(page: bytes) -> dict[str, Any]:
    """The JSON files in the page's zip."""
    found = re.search(rb'<template id="playwrightReportBase64">data:application/zip;base64,([^<]+)<', page)
    assert found is not None
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(found[1]))) as archive:
        return {name: json.loads(archive.read(name)) for name in archive.namelist()}


def test_counts_a_test_once_by_its_last_attempt() -> None:
    assert count_outcomes(group_by_test(RESULTS), Ending()).model_dump() == {
        "total": 4, "passed": 1, "failed": 1, "flaky": 1, "skipped": 1, "quarantined": 0,
    }  # fmt: skip


def test_attempts_are_ordered_by_time_whatever_the_order_of_the_rows() -> None:
    [test] = group_by_test(reversed(FLAKY))
    assert [attempt.outcome for attempt in test.attempts] == ["failed", "passed"]


def test_the_total_includes_what_did_not_run() -> None:
    assert count_outcomes(group_by_test(RESULTS), CUT_SHORT).total == 5


@pytest.mark.parametrize(
    ("ending", "complete"),
    [
        (Ending(), True),
        (CUT_SHORT, False),
        (BROKEN, False),
        (Ending("no_tests"), False),
        (Ending(missing=("data/1.zip: not stored",)), False),
        (Ending(dropped=1), False),
    ],
)
def test_a_report_claims_to_be_complete_only_if_nothing_is_missing(ending: Ending, complete: bool) -> None:
    document = json.loads(build_results(RESULTS, ending, META))
    jsonschema.validate(document, SCHEMA, cls=jsonschema.Draft202012Validator)
    assert document["complete"] is complete
    assert (document["missing"] == []) is complete


def test_an_ending_is_made_from_the_runtimes_word() -> None:
    end = SuiteEnd("canceled", unfinished=("test_c.py::test_five", "unknown.py::test_six"))
    ending = Ending.of(end, [NOT_RUN])
    assert ending.not_run == (NOT_RUN, TestCase("unknown.py::test_six", "unknown.py", 0, "unknown.py::test_six"))


def test_results_json_has_errors_and_attachments_of_every_attempt() -> None:
    attached = replace(FLAKY[0], attachments=(Attachment("trace", "application/zip", None, "data/1.zip", 5),))
    document = json.loads(build_results([attached, FLAKY[1]], Ending(), META))
    [test] = document["tests"]
    assert (test["outcome"], test["attempts"]) == ("flaky", 2)
    assert test["errors"] == [{"message": "assert 1 == 2", "file": "test_a.py", "line": 9, "kind": "assertion"}]
    assert test["attachments"][0]["href"] == "data/1.zip"


def test_results_json_has_these_members_in_this_order() -> None:
    left = replace(FAILED, id=NOT_RUN.id, attachments=(Attachment("log", "text/plain"),))
    document = json.loads(build_results([PASSED], replace(CUT_SHORT, interrupted=(left,), errors=BROKEN.errors), META))
    assert list(document) == [
        "version", "jobId", "title", "startedAt", "durationMs", "reason", "complete", "missing", "tally", "tests",
        "interrupted", "errors",
    ]  # fmt: skip
    assert document["version"] == 1
    assert list(document["tests"][0]) == [
        "id", "file", "line", "title", "outcome", "durationMs", "startedAt", "attempts", "errors", "attachments",
        "annotations",
    ]  # fmt: skip
    assert list(document["interrupted"][0]) == [
        "id", "file", "line", "title", "durationMs", "startedAt", "errors", "attachments",
    ]  # fmt: skip
    assert document["interrupted"][0]["attachments"] == [
        {"name": "log", "contentType": "text/plain", "href": None, "sizeBytes": 0}
    ]
    assert document["errors"] == [{"message": "SyntaxError: no", "file": "test_x.py", "line": 4, "kind": None}]


def test_junit_has_failures_flaky_failures_skips_and_errors() -> None:
    root = parse(build_junit(RESULTS, CUT_SHORT, META))
    assert {name: root.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "5",
        "failures": "1",
        "errors": "1",
        "skipped": "1",
    }
    assert root.find(".//testcase[@name='test_two']/failure[@message='assert 1 == 2']") is not None
    assert root.find(".//testcase[@name='test_four']/flakyFailure") is not None
    assert root.find(".//testcase[@name='test_five']/error[@type='not_run']") is not None
    assert [suite.get("name") for suite in root] == ["test_a.py", "test_b.py", "test_c.py"]


def test_junit_names_errors_outside_tests() -> None:
    root = parse(build_junit([], BROKEN, META))
    assert root.get("errors") == "1"
    assert root.find(".//testsuite[@name='test_x.py']/testcase/error[@message='SyntaxError: no']") is not None


def test_junit_survives_characters_that_xml_cannot_hold() -> None:
    nasty = replace(
        FAILED, title="te\x00st\ud800", stdout="\x1b[31mred\x0b & <tag>\uffff", errors=(replace(ERROR, stack="\x08"),)
    )
    root = parse(build_junit([nasty], Ending(), META))
    [case] = root.iter("testcase")
    assert case.get("name") == "te\ufffdst\ufffd"
    assert case.findtext("system-out") == "\ufffd[31mred\ufffd & <tag>\ufffd"


def test_results_json_survives_lone_surrogates() -> None:
    build_results([replace(PASSED, title="\ud800")], Ending(), META).decode("utf-8")


def test_the_html_report_groups_tests_by_file_and_counts_them() -> None:
    content = embedded(build_html(RESULTS, Ending(), META))
    report = content.pop("report.json")
    assert [file["fileName"] for file in report["files"]] == ["test_a.py", "test_b.py"]
    assert report["stats"] == {"total": 4, "expected": 1, "unexpected": 1, "flaky": 1, "skipped": 1, "ok": False}
    assert report["errors"] == []
    files = {file["fileName"]: file for file in content.values()}
    assert [test["title"] for test in files["test_b.py"]["tests"]] == ["test_three", "test_four"]
    assert [result["status"] for result in files["test_b.py"]["tests"][1]["results"]] == ["failed", "passed"]


def test_the_html_report_names_what_is_missing() -> None:
    lost = replace(
        PASSED, attachments=(Attachment("trace", "application/zip"), Attachment("log", "text/plain", None, "data/l"))
    )
    content = embedded(build_html([lost], CUT_SHORT, META))
    assert "test_c.py::test_five: did not run" in content["report.json"]["errors"][0]
    [test] = next(file for name, file in content.items() if file.get("fileName") == "test_a.py")["tests"]
    assert test["annotations"] == [{"type": "missing evidence", "description": "trace"}]
    assert [item["path"] for item in test["results"][0]["attachments"]] == ["data/l"]


def test_ids_of_tests_stay_the_same_from_report_to_report() -> None:
    one, other = (embedded(build_html(results, Ending(), META)) for results in ([PASSED, FAILED], [FAILED]))
    assert (
        one["report.json"]["files"][0]["tests"][1]["testId"] == other["report.json"]["files"][0]["tests"][0]["testId"]
    )


def test_the_page_loads_nothing_but_itself() -> None:
    page = build_html([PASSED], Ending(), META).decode()
    head = re.sub(r"<(script|style)\b[^>]*>.*?</\1>", "", page, flags=re.DOTALL)
    assert not re.search(r"(src|href)=", head)


def test_a_playwright_without_the_expected_assets_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setattr(html, "ASSETS", tmp_path)
    with pytest.raises(html.ReportAssetsError):
        build_html([PASSED], Ending(), META)
    with pytest.raises(html.ReportAssetsError):
        trace_viewer_files()


def test_the_trace_viewers_files_have_content_types_that_a_browser_accepts() -> None:
    types = {file.name: file.content_type for file in trace_viewer_files()}
    assert types["index.html"] == "text/html"
    assert types["sw.bundle.js"] == "text/javascript"
    assert all(kind == "text/javascript" for name, kind in types.items() if name.endswith(".js"))
    assert "application/octet-stream" not in types.values()
