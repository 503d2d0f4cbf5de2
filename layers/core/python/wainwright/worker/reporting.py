"""The report of a run: built from what is recorded, whichever worker recorded it, and put into the bucket."""

import json
from collections.abc import Iterable
from importlib.metadata import version

from wainwright.contracts.names import report_key, viewer_key
from wainwright.domain.jobs import Job, ReportRef
from wainwright.ports import Artifacts
from wainwright.worker.report.html import build_html, trace_viewer_files
from wainwright.worker.report.junit import build_junit
from wainwright.worker.report.model import Ending, ReportMeta
from wainwright.worker.report.results import build_results
from wainwright.worker.runtimes.model import TestResult


class Reporting:
    """Writes reports. The trace viewer is written once for each version of Playwright, and shared by all reports."""

    def __init__(self, artifacts: Artifacts) -> None:
        self._artifacts = artifacts

    def write(self, job: Job, results: Iterable[TestResult], ending: Ending, meta: ReportMeta) -> ReportRef:
        """Build and upload the report of a job under its claim's fence; its manifest last."""
        results = list(results)
        viewer = version("playwright")
        self._ensure_viewer(viewer)
        written = [
            ("index.html", build_html(results, ending, meta), "text/html"),
            ("results.json", build_results(results, ending, meta), "application/json"),
            ("junit.xml", build_junit(results, ending, meta), "application/xml"),
        ]
        files = [{"path": path, "size": len(content), "contentType": kind} for path, content, kind in written]
        files += [
            {"path": item.href, "size": item.size_bytes, "contentType": item.content_type}
            for result in results
            for item in result.attachments
            if item.href
        ]
        files += [
            {"path": f"trace/{file.name}", "size": file.path.stat().st_size, "contentType": file.content_type}
            for file in trace_viewer_files()
        ]
        manifest = json.dumps({"version": 1, "files": files}).encode()
        for path, content, kind in [*written, ("manifest.json", manifest, "application/json")]:
            key = report_key(job.project, job.id, fence=job.fence, path=path, days=job.report_days)
            self._artifacts.put(key, content, kind)
        return ReportRef(fence=job.fence, complete=ending.complete, viewer=viewer)

    def _ensure_viewer(self, viewer: str) -> None:
        marker = viewer_key(viewer, "complete")
        if self._artifacts.size_and_age(marker) is not None:
            return
        for file in trace_viewer_files():
            self._artifacts.put_file(viewer_key(viewer, file.name), file.path, file.content_type)
        self._artifacts.put(marker, viewer.encode(), "text/plain")
