"""The report of a run: built from what is recorded, whichever worker recorded it, and put into the bucket."""

import json
from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version

from wainwright.contracts.names import TRACE_VIEWER, report_key, viewer_key
from wainwright.domain.jobs import Job
from wainwright.domain.reports import ReportRef
from wainwright.usecases.upload_artifacts import UploadArtifacts, UploadResult
from wainwright.worker.evidence.report.html import AssetFile, build_html, trace_viewer_files
from wainwright.worker.evidence.report.junit import build_junit
from wainwright.worker.evidence.report.report_model import Ending, ReportMeta
from wainwright.worker.evidence.report.results_json import build_results
from wainwright.worker.runners.suite import TestResult

UNTOLD = "an earlier worker could not upload them"
"""Reason for which attachments are missing that this worker never had."""


def write_report(
    uploads: UploadArtifacts, job: Job, results: Iterable[TestResult], ending: Ending, meta: ReportMeta,
    spooled: Collection[str] = (), page: bytes | None = None,
) -> ReportRef:  # fmt: skip
    """Build and upload the report of a job under its claim's fence: its pages at once, and its manifest last.

    ``spooled`` are attachments that may not be in the bucket. They and what cannot be uploaded now are named as missing.
    ``page`` is that of the suite's own Playwright Test, to be used in the place of ours.
    """
    results = list(results)
    viewer = version("playwright")
    viewer_files = trace_viewer_files()
    written = [
        ("index.html", page or build_html(results, ending, meta), "text/html"),
        ("results.json", build_results(results, ending, meta), "application/json"),
        ("junit.xml", build_junit(results, ending, meta), "application/xml"),
    ]
    with ThreadPoolExecutor(len(written), thread_name_prefix="report") as senders:
        sent = {path: senders.submit(uploads.put, _key(job, path), content, kind) for path, content, kind in written}
        complete = _ensure_viewer(uploads, job, viewer, viewer_files)
    files = [{"path": path, "size": len(content), "contentType": kind} for path, content, kind in written]
    files += [
        {"path": item.href, "size": item.size_bytes, "contentType": item.content_type}
        for result in [*results, *ending.interrupted]
        for item in result.attachments
        if item.href
    ]
    files += [
        {"path": f"{TRACE_VIEWER}{file.name}", "size": file.path.stat().st_size, "contentType": file.content_type}
        for file in viewer_files
    ]
    manifest = json.dumps({"version": 1, "files": files}).encode()
    fates = {path: each.result() for path, each in sent.items()}
    fates["manifest.json"] = uploads.put(_key(job, "manifest.json"), manifest, "application/json")
    missing = [path for path, fate in fates.items() if fate is not UploadResult.UPLOADED]
    missing += [] if complete else [TRACE_VIEWER]
    missing += [path for path in sorted(spooled) if not uploads.is_stored(_key(job, path))]
    report = ReportRef(fence=job.fence, complete=ending.complete, viewer=viewer)
    return report.with_missing(missing, uploads.reason or UNTOLD)


def _ensure_viewer(uploads: UploadArtifacts, job: Job, viewer: str, files: Iterable[AssetFile]) -> bool:
    """Return True if the viewer, which all reports share, is in the bucket. If not, it is in the spool, with a note that this
    report waits for it."""
    marker = viewer_key(viewer, "complete")
    uploads.upload_spooled(viewer_key(viewer, ""))
    if uploads.is_stored(marker):
        return True
    if not uploads.is_spooled(marker):
        fates = {uploads.put_file(viewer_key(viewer, file.name), file.path, file.content_type) for file in files}
        marked = (marker, viewer.encode(), "text/plain")
        if fates <= {UploadResult.UPLOADED}:
            if uploads.put(*marked) is UploadResult.UPLOADED:
                return True
        elif UploadResult.LOST not in fates:
            uploads.set_aside(*marked)  # to follow the files that it speaks for
    uploads.set_aside(_key(job, TRACE_VIEWER), viewer_key(viewer, "").encode(), "text/plain")
    return False


def _key(job: Job, path: str) -> str:
    return report_key(job.project, job.id, fence=job.fence, path=path, days=job.report_days)
