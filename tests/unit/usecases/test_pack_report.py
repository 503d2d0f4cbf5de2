"""The zip of a report: what is in it, and that it is made once."""

import io
import json
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.builders import PROJECT, a_caller, a_job
from tests.support.memory.spool import MemorySpool
from tests.support.system import System
from wainwright.contracts.names import report_key, viewer_key
from wainwright.contracts.problems import problem_of
from wainwright.domain.errors import NotFound, NotStored, TooLarge, Unavailable
from wainwright.domain.jobs import Job
from wainwright.domain.reports import ReportRef
from wainwright.usecases import pack_report
from wainwright.usecases.open_reports import MAX_INLINE_BYTES, OpenReports
from wainwright.usecases.pack_report import MAX_FETCH_TIME, PackReport, zip_key

CALLER = a_caller()
FILES = {
    "index.html": b"<html>" * 1_000,
    "results.json": b"{}",
    "data/1-1-trace.zip": b"PK" * 1_000,
    "data/2-1-screenshot.png": b"\x89PNG",
    "trace/index.html": b"<viewer>",
}


def manifest_of(files: dict[str, int]) -> bytes:
    listed = [{"path": path, "size": size, "contentType": "text/plain"} for path, size in files.items()]
    return json.dumps({"version": 1, "files": listed}).encode()


def key_of(job: Job, path: str) -> str:
    if path.startswith("trace/"):
        return viewer_key("1.2.3", path.removeprefix("trace/"))
    return report_key(PROJECT, job.id, fence=3, path=path)


MANIFEST = manifest_of({path: len(content) for path, content in FILES.items()})


@pytest.fixture
def reports(system: System) -> OpenReports:
    return OpenReports(system.jobs, system.access, system.artifacts, system.spool, system.clock, "https://r.example")


@pytest.fixture
def job(system: System) -> Job:
    job = system.jobs.write(None, a_job(report=ReportRef(fence=3, complete=True, viewer="1.2.3")))
    for path, content in {**FILES, "manifest.json": MANIFEST}.items():
        system.artifacts.put(key_of(job, path), content, "text/plain")
    return job


def unpacked(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_has_every_file_of_the_manifest_in_one_folder_and_says_how_to_look_at_them(
    reports: OpenReports, job: Job
) -> None:
    file = reports.read(CALLER, job.id, "report.zip")

    found = unpacked(file.content)
    readme = found.pop(f"report-{job.id}/README.txt").decode()
    expected = {**FILES, "manifest.json": MANIFEST}
    assert found == {f"report-{job.id}/{path}": content for path, content in expected.items()}
    assert file.content_type == "application/zip"
    assert "python3 -m http.server" in readme
    assert "could not be read" not in readme


def test_compresses_what_is_not_compressed_already(reports: OpenReports, job: Job) -> None:
    with zipfile.ZipFile(io.BytesIO(reports.read(CALLER, job.id, "report.zip").content)) as archive:
        kinds = {entry.filename.partition("/")[2]: entry.compress_type for entry in archive.infolist()}

    assert kinds["index.html"] == zipfile.ZIP_DEFLATED
    assert kinds["data/1-1-trace.zip"] == kinds["data/2-1-screenshot.png"] == zipfile.ZIP_STORED


def test_is_made_once_and_lies_with_the_report_for_as_long(system: System, reports: OpenReports, job: Job) -> None:
    first = reports.read(CALLER, job.id, "report.zip")
    again = reports.read(CALLER, job.id, "report.zip")

    assert again == first
    key = f"reports/30d/{PROJECT}/{job.id}/f3/report.zip"
    assert system.artifacts.tried.count(key) == 1
    assert key in system.artifacts.objects


def test_a_ticket_opens_it_too(reports: OpenReports, job: Job) -> None:
    secret = reports.give_ticket(CALLER, job.id)[0].split("/")[-1]

    assert unpacked(reports.read_by_ticket(secret, "report.zip").content)


def test_another_project_gets_none(system: System, reports: OpenReports, job: Job) -> None:
    with pytest.raises(NotFound):
        reports.read(a_caller("other"), job.id, "report.zip")
    assert zip_key(job, ReportRef(fence=3, complete=True, viewer="1.2.3")) not in system.artifacts.objects


def test_a_large_one_is_fetched_from_where_it_lies(system: System, reports: OpenReports, job: Job) -> None:
    system.artifacts.put(key_of(job, "data/1-1-trace.zip"), bytes(MAX_INLINE_BYTES), "application/zip")

    file = reports.read(CALLER, job.id, "report.zip")

    assert file.content == b""
    assert f"{job.id}/f3/report.zip" in str(file.redirect)


@pytest.mark.parametrize("told", [True, False])
def test_one_that_is_too_large_is_refused_with_what_to_do(system: System, job: Job, told: bool) -> None:
    report = ReportRef(fence=3, complete=True, viewer="1.2.3")
    manifest = MANIFEST if told else manifest_of(dict.fromkeys(FILES, 0))

    with pytest.raises(TooLarge, match="more than the 5,000 bytes") as refused:
        PackReport(system.artifacts, system.spool, system.clock, max_bytes=5_000)(job, report, manifest)

    problem = problem_of(refused.value)
    assert problem.status == 413
    assert f"wainwright report download {job.id} --zip FILE" in (problem.advice or "")
    assert zip_key(job, report) not in system.artifacts.objects


def test_one_that_takes_longer_than_a_request_may_is_refused(
    system: System, reports: OpenReports, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    download = system.artifacts.download

    def slow(key: str, target: Path) -> None:
        system.clock.advance(MAX_FETCH_TIME)
        download(key, target)

    monkeypatch.setattr(system.artifacts, "download", slow)
    monkeypatch.setattr(pack_report, "PARALLEL", 1)

    with pytest.raises(TooLarge, match=r"longer than the 15 s"):
        reports.read(CALLER, job.id, "report.zip")


def test_a_list_of_files_that_is_too_long_is_refused(system: System, reports: OpenReports, job: Job) -> None:
    system.artifacts.put(key_of(job, "manifest.json"), bytes(MAX_INLINE_BYTES + 1), "application/json")

    with pytest.raises(TooLarge, match="more files"):
        reports.read(CALLER, job.id, "report.zip")


def test_says_when_the_bucket_does_not_take_it(system: System, reports: OpenReports, job: Job) -> None:
    system.artifacts.refuse_all()
    with pytest.raises(Unavailable, match="SlowDown"):
        reports.read(CALLER, job.id, "report.zip")

    system.artifacts.recover()
    assert unpacked(reports.read(CALLER, job.id, "report.zip").content)


def test_says_when_the_manifest_cannot_be_read(system: System, reports: OpenReports, job: Job) -> None:
    system.artifacts.put(key_of(job, "manifest.json"), b"{", "application/json")

    with pytest.raises(Unavailable, match=r"manifest\.json is not readable"):
        reports.read(CALLER, job.id, "report.zip")


class TestFilesThatCouldNotBeUploaded:
    """Of a trace, that lies on a worker's disk."""

    PATH = "data/1-1-trace.zip"

    @pytest.fixture
    def job(self, system: System, job: Job) -> Job:
        del system.artifacts.objects[key_of(job, self.PATH)]
        report = ReportRef(fence=3, complete=True, viewer="1.2.3").with_missing([self.PATH], "S3 answered SlowDown")
        return system.jobs.write(job, job.model_copy(update={"report": report}))

    def test_what_lies_within_reach_is_packed(self, system: System, job: Job) -> None:
        spool = MemorySpool(1_000_000)
        spool.put(key_of(job, self.PATH), b"from the disk", "application/zip")
        reports = OpenReports(system.jobs, system.access, system.artifacts, spool, system.clock, "https://r.example")

        found = unpacked(reports.read(CALLER, job.id, "report.zip").content)

        assert found[f"report-{job.id}/{self.PATH}"] == b"from the disk"

    def test_what_does_not_is_named_and_the_zip_made_again_once_it_is_there(
        self, system: System, reports: OpenReports, job: Job
    ) -> None:
        without = unpacked(reports.read(CALLER, job.id, "report.zip").content)
        assert f"report-{job.id}/{self.PATH}" not in without
        assert f"could not be read when this zip was packed:\n\n    {self.PATH}\n" in (
            without[f"report-{job.id}/README.txt"].decode()
        )

        system.artifacts.put(key_of(job, self.PATH), b"PK", "application/zip")
        system.clock.advance(timedelta(minutes=1))
        system.jobs.write(job, job.note_uploads([(None, self.PATH)], 0, system.clock()))

        assert unpacked(reports.read(CALLER, job.id, "report.zip").content)[f"report-{job.id}/{self.PATH}"] == b"PK"

    def test_without_its_manifest_there_is_none(self, system: System, reports: OpenReports, job: Job) -> None:
        del system.artifacts.objects[key_of(job, "manifest.json")]
        assert job.report is not None
        system.jobs.write(
            job, job.model_copy(update={"report": job.report.with_missing(["manifest.json"], "S3 answered SlowDown")})
        )

        with pytest.raises(NotStored, match=r"manifest\.json"):
            reports.read(CALLER, job.id, "report.zip")
