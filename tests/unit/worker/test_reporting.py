"""A report on its way into the bucket."""

import threading
from pathlib import Path

import pytest

from tests.support.builders import START, a_job
from tests.support.memory.services import MemoryArtifacts
from tests.support.memory.spool import MemorySpool
from wainwright.domain.reports import ReportRef
from wainwright.usecases.upload_artifacts import UploadArtifacts, UploadPolicy
from wainwright.worker.evidence import write_report as reporting
from wainwright.worker.evidence.report.html import AssetFile
from wainwright.worker.evidence.report.report_model import Ending, ReportMeta

PAGES = ("index.html", "results.json", "junit.xml")
WAIT_SECONDS = 30


class MeetingArtifacts(MemoryArtifacts):
    """Takes no page of a report before all of them are on their way; notes the order in which objects are there."""

    def __init__(self) -> None:
        super().__init__(lambda: START)
        self.meeting = threading.Barrier(len(PAGES))
        self.there: list[str] = []

    def put(self, key: str, content: bytes, content_type: str) -> None:
        name = key.rpartition("/")[2]
        if name in PAGES:
            self.meeting.wait(WAIT_SECONDS)
        super().put(key, content, content_type)
        self.there.append(name)


def test_the_pages_go_up_at_once_and_the_manifest_after_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    viewer = tmp_path / "viewer.html"
    viewer.write_text("viewer")
    monkeypatch.setattr(
        reporting, "trace_viewer_files", lambda: [AssetFile(name="viewer.html", path=viewer, content_type="text/html")]
    )
    artifacts = MeetingArtifacts()
    uploads = UploadArtifacts(artifacts, MemorySpool(), UploadPolicy(), lambda: False)
    job = a_job()
    meta = ReportMeta(job.id, "a job", "2026-01-01T00:00:00Z", 1.0)

    report = reporting.write_report(uploads, job, [], Ending(), meta)

    assert report == ReportRef(fence=job.fence, complete=True, viewer=report.viewer)
    assert sorted(name for name in artifacts.there if name in PAGES) == sorted(PAGES)
    assert artifacts.there[-1] == "manifest.json"
