"""Reports as their users open them: behind tickets, on the reports' own origin, answered by the API's functions."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.functions.stage import BUCKET, PROJECT, REPORTS_URL, TABLE, Stage, running_stage
from tests.support.builders import a_job
from wainwright.adapters.aws.artifacts import S3Artifacts
from wainwright.adapters.aws.job_store import DynamoJobStore
from wainwright.adapters.clock import system_clock
from wainwright.contracts.names import report_key, viewer_key
from wainwright.domain.reports import ReportRef
from wainwright.local.web import LoopbackServer
from wainwright.worker.evidence.report.html import trace_viewer_files

VIEWER = "the-viewer"


@dataclass(frozen=True)
class ReportsOrigin:
    """The origin of all reports: its address, and what is behind it."""

    url: str
    stage: Stage

    def open(self, files: dict[str, bytes]) -> str:
        """Store a job's report, files by their paths in it; return the address that a new ticket gives, up to its last slash."""
        artifacts = S3Artifacts(self.stage.clients.s3, BUCKET)
        report = ReportRef(fence=2, complete=True, viewer=VIEWER)
        job = DynamoJobStore(self.stage.clients.dynamodb, TABLE).write(
            None, a_job(project=PROJECT, created_at=system_clock(), report=report)
        )
        for path, content in files.items():
            kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
            artifacts.put(report_key(PROJECT, job.id, fence=2, path=path), content, kind)
        with self.stage.client() as client:
            ticket = client.post(f"/v1/jobs/{job.id}/ticket")
        path = str(ticket.json()["reportUrl"]).removeprefix(REPORTS_URL)
        return self.url + path.removesuffix("index.html")

    def open_folder(self, folder: Path) -> str:
        """Store a report that lies in a folder, with or without the trace viewer; return its address as :meth:`open`."""
        paths = [path for path in folder.rglob("*") if path.is_file()]
        return self.open({path.relative_to(folder).as_posix(): path.read_bytes() for path in paths})


@contextmanager
def reports_origin(folder: Path) -> Iterator[ReportsOrigin]:
    """The origin, with the trace viewer. ``folder`` holds no credentials."""
    with running_stage(folder) as stage:
        artifacts = S3Artifacts(stage.clients.s3, BUCKET)
        for file in trace_viewer_files():
            artifacts.put_file(viewer_key(VIEWER, file.name), file.path, file.content_type)
        server = LoopbackServer(0)
        try:
            server.start(stage.reports)
            yield ReportsOrigin(server.url, stage)
        finally:
            server.stop()
