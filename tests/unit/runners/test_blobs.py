"""Blobs, trimmed to what was recorded."""

import base64
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.support.builders import START, a_job
from tests.support.memory.services import MemoryArtifacts, MemoryClock
from wainwright.domain.redaction import Redactor
from wainwright.worker.evidence.report.blobs import (
    BlobUnusable,
    find_attempts,
    find_links,
    read_root,
    read_runs,
    trim_blob,
)
from wainwright.worker.evidence.report.kept_blobs import KeptBlobs
from wainwright.worker.runners.suite import Attachment, TestResult


def result(test_id: str, *hrefs: str, retry: int = 0) -> TestResult:
    attachments = tuple(
        Attachment("log" if "-log." in href else "trace", "text/plain", href=href, size_bytes=1) for href in hrefs
    )
    return TestResult(
        test_id, "a.spec.ts", 1, test_id, "passed", 1, "2026-01-01T00:00:00.000Z", attachments=attachments, retry=retry
    )


ONE = result("one", "data/1-1-aaaaaa-00001-000-trace.zip", "data/1-2-aaaaaa-00001-log.log")
TWO = result("two", "data/1.b-3-bbbbbb-00002-log.log")


def stub(name: str) -> dict[str, str]:
    body = base64.b64encode(f"wainwright-evidence:{name}".encode()).decode()
    return {"name": "log" if name.endswith("log") else "trace", "contentType": "text/plain", "base64": body}


def attempt(test_id: str, result_id: str, name: str) -> list[dict[str, Any]]:
    return [
        {"method": "onTestBegin", "params": {"testId": test_id, "result": {"id": result_id, "retry": 0}}},
        {"method": "onStepBegin", "params": {"testId": test_id, "resultId": result_id, "step": {}}},
        {"method": "onStdIO", "params": {"testId": test_id, "resultId": result_id, "type": "stdout", "data": "secret"}},
        {
            "method": "onAttach",
            "params": {
                "testId": test_id,
                "resultId": result_id,
                "attachments": [stub(f"{name}-000"), stub(f"{name}-log")],
            },
        },
        {"method": "onTestEnd", "params": {"test": {"testId": test_id}, "result": {"id": result_id}}},
    ]


def blob(path: Path, *attempts: list[dict[str, Any]], root: str = "/suite/tests") -> Path:
    entries = [{"testId": "t1", "title": "one"}, {"title": "group", "entries": [{"testId": "t2", "title": "two"}]}]
    messages = [
        {"method": "onConfigure", "params": {"config": {"rootDir": root}}},
        {"method": "onProject", "params": {"project": {"name": "", "suites": [{"title": "a", "entries": entries}]}}},
        *(message for each in attempts for message in each),
        {"method": "onEnd", "params": {"result": {"status": "passed"}}},
    ]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("report.jsonl", "".join(f"{json.dumps(message)}\n" for message in messages))
    return path


def messages_of(path: Path) -> list[dict[str, Any]]:
    with zipfile.ZipFile(path) as archive:
        return [json.loads(line) for line in archive.read("report.jsonl").splitlines()]


def test_names_where_everything_was_kept() -> None:
    assert find_links([ONE, TWO]) == {
        "aaaaaa-00001-000": "data/1-1-aaaaaa-00001-000-trace.zip",
        "aaaaaa-00001-log": "data/1-2-aaaaaa-00001-log.log",
        "bbbbbb-00002-log": "data/1.b-3-bbbbbb-00002-log.log",
    }


def test_names_the_attempts() -> None:
    assert find_attempts([ONE, TWO]) == {"aaaaaa-00001": "one", "bbbbbb-00002": "two"}


@pytest.mark.parametrize(
    "results",
    [
        [ONE, result("two")],
        [ONE, result("one", "data/2-1-bbbbbb-00001-log.log", retry=1)],
    ],
    ids=["one without its log", "a test that ran in two runs"],
)
def test_has_no_names_for_what_one_report_of_playwright_test_cannot_show(results: list[TestResult]) -> None:
    assert find_attempts(results) is None


def test_keeps_the_recorded_attempts_alone(tmp_path: Path) -> None:
    source = blob(tmp_path / "blob.zip", attempt("t1", "r1", "aaaaaa-00001"), attempt("t2", "r2", "aaaaaa-00009"))
    target = tmp_path / "trimmed.zip"
    assert trim_blob(source, target, {"aaaaaa-00001": "one", "bbbbbb-00002": "two"}) == {"aaaaaa-00001"}
    kept = messages_of(target)
    assert [message["method"] for message in kept] == [
        "onConfigure", "onProject", "onTestBegin", "onStepBegin", "onAttach", "onTestEnd", "onEnd",
    ]  # fmt: skip
    [suite] = kept[1]["params"]["project"]["suites"]
    assert [entry["title"] for entry in suite["entries"]] == ["one"]
    assert "secret" not in json.dumps(kept)


def test_writes_nothing_when_nothing_was_recorded(tmp_path: Path) -> None:
    source = blob(tmp_path / "blob.zip", attempt("t1", "r1", "aaaaaa-00001"))
    assert trim_blob(source, tmp_path / "trimmed.zip", {"bbbbbb-00002": "two"}) == set()
    assert not (tmp_path / "trimmed.zip").exists()


def test_knows_what_places_are_relative_to(tmp_path: Path) -> None:
    assert read_root(blob(tmp_path / "blob.zip")) == "/suite/tests"


@pytest.mark.parametrize("content", [b"", b"PK no zip", b"{}"])
def test_says_that_a_blob_cannot_be_read(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "blob.zip").write_bytes(content)
    with pytest.raises(BlobUnusable, match=r"blob\.zip cannot be read"):
        read_root(tmp_path / "blob.zip")


def test_names_the_run_of_a_blob(tmp_path: Path) -> None:
    assert read_runs(blob(tmp_path / "blob.zip", attempt("t1", "r1", "aaaaaa-00001"))) == {"aaaaaa"}
    assert read_runs(blob(tmp_path / "other.zip", attempt("t1", "r1", "../../-00001"))) == set()


def test_two_runs_blobs_come_together_in_another_workers_folder(tmp_path: Path) -> None:
    artifacts = MemoryArtifacts(MemoryClock(START))
    kept = KeptBlobs(artifacts, a_job(), Redactor({"WORD": "correct-horse"}))
    one = blob(tmp_path / "one.zip", attempt("t1 correct-horse", "r1", "aaaaaa-00001"), root="/lane-1/bundle/tests")
    two = blob(tmp_path / "two.zip", attempt("t2", "r2", "bbbbbb-00002"), attempt("t3", "r3", "bbbbbb-00003"),
               root="/lane-2/bundle/tests")  # fmt: skip
    kept.keep(one, Path("/lane-1/bundle"), [ONE])
    kept.keep(two, Path("/lane-2/bundle"), [ONE, TWO])
    assert b"correct-horse" not in b"".join(
        zipfile.ZipFile(io.BytesIO(content)).read("report.jsonl") for content, *_ in artifacts.objects.values()
    )

    fetched = kept.fetch(["aaaaaa", "bbbbbb", "cccccc"], Path("/owner/bundle"), tmp_path)

    assert [read_root(each) for each in fetched] == ["/owner/bundle/tests"] * 2
    ends = [message["params"] for each in fetched for message in messages_of(each) if message["method"] == "onTestEnd"]
    assert [each["result"]["id"] for each in ends] == ["r1", "r2"]


@pytest.mark.parametrize("content", [b"no zip", None], ids=["damaged", "of nothing that was recorded"])
def test_a_blob_that_cannot_be_used_is_not_kept(tmp_path: Path, content: bytes | None) -> None:
    artifacts = MemoryArtifacts(MemoryClock(START))
    source = blob(tmp_path / "blob.zip", attempt("t1", "r1", "aaaaaa-00001"))
    if content is not None:
        source.write_bytes(content)
    kept = KeptBlobs(artifacts, a_job(), Redactor({}))
    kept.keep(source, tmp_path, [ONE] if content else [TWO])
    assert kept.fetch(["aaaaaa"], tmp_path, tmp_path) == []
