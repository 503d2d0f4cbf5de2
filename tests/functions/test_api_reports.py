"""Bundles, tickets, and reports."""

import hashlib
import io
import json
import zipfile

import pytest

from functions.api.handler import handler
from tests.functions.conftest import REPORTS_URL, Cloud
from tests.support.builders import PROJECT, a_job
from tests.support.events import Http
from wainwright.contracts.bundles import pack_files
from wainwright.contracts.names import bundle_key, report_key, viewer_key
from wainwright.domain.jobs import Job
from wainwright.domain.reports import ReportRef


@pytest.fixture
def job(cloud: Cloud) -> Job:
    job = cloud.jobs.write(None, a_job(report=ReportRef(fence=2, complete=True, viewer="1.2.3")))
    for path, content, kind in (
        ("index.html", "<title>Zoë</title>".encode(), "text/html"),
        ("results.json", b"{}", "application/json"),
        ("data/2-1-trace.zip", b"PK\x00\xff", "application/zip"),
        ("data/2-2-page.html", b"<script>alert(1)</script>", "text/html"),
        ("data/2-3-video.webm", b"x" * (4 * 1_048_576 + 1), "video/webm"),
    ):
        cloud.artifacts.put(report_key(PROJECT, job.id, fence=2, path=path), content, kind)
    cloud.artifacts.put(viewer_key("1.2.3", "index.html"), b"<html>", "text/html")
    return job


@pytest.fixture
def browser(cloud: Cloud) -> Http:
    """Somebody who cannot send a key."""
    return Http(handler, None)


def ticket_path(http: Http, job: Job) -> str:
    answer = http.post(f"/v1/jobs/{job.id}/ticket")
    assert answer.status == 201
    assert set(answer.json) == {"reportUrl", "eventsUrl", "expiresAt"}
    url: str = answer.json["reportUrl"]
    assert url.startswith(f"{REPORTS_URL}/r/")
    return url.removeprefix(REPORTS_URL)


class TestBundles:
    def test_a_new_bundle_is_announced_uploaded_and_run(self, http: Http, cloud: Cloud) -> None:
        archive = pack_files({"test_a.py": b"def test_a(): pass"})
        digest = hashlib.sha256(archive).hexdigest()

        answer = http.post("/v1/bundles", {"sha256": digest, "size": len(archive)})
        assert answer.status == 200
        upload = answer.json["upload"]
        assert (answer.json["bundleId"], upload["method"]) == (digest, "PUT")
        assert bundle_key(PROJECT, digest) in upload["url"]
        cloud.artifacts.put(bundle_key(PROJECT, digest), archive, "application/gzip")

        again = http.post("/v1/bundles", {"sha256": digest, "size": len(archive)})
        assert again.json == {"bundleId": digest, "upload": None}
        assert http.post("/v1/jobs", {"bundleId": digest}).status == 202

    def test_names_the_field_at_fault(self, http: Http) -> None:
        too_large = http.post("/v1/bundles", {"sha256": "a" * 64, "size": 200 * 1_048_576})
        assert too_large.problem(400, "invalid-input")["field"] == "size"
        assert http.post("/v1/bundles", {"sha256": "a", "size": 1}).problem(400, "invalid-input")["field"] == "sha256"


class TestReports:
    def test_gives_a_page_with_its_letters_unhurt(self, http: Http, job: Job) -> None:
        answer = http.get(f"/v1/jobs/{job.id}/report/index.html")

        assert (answer.status, answer.content.decode()) == (200, "<title>Zoë</title>")
        assert answer.headers["content-type"] == "text/html; charset=utf-8"

    def test_gives_a_binary_file_with_its_bytes_unhurt(self, http: Http, job: Job) -> None:
        answer = http.get(f"/v1/jobs/{job.id}/report/data/2-1-trace.zip")

        assert (answer.content, answer.headers["content-type"]) == (b"PK\x00\xff", "application/zip")

    def test_gives_the_trace_viewer(self, http: Http, job: Job) -> None:
        assert http.get(f"/v1/jobs/{job.id}/report/trace/index.html").content == b"<html>"

    def test_a_large_file_is_a_redirect_to_where_it_lies(self, http: Http, job: Job) -> None:
        answer = http.get(f"/v1/jobs/{job.id}/report/data/2-3-video.webm")

        assert (answer.status, answer.content) == (302, b"")
        assert f"reports/30d/{PROJECT}/{job.id}/data/2-3-video.webm" in answer.headers["location"]
        assert "X-Amz-Signature" in answer.headers["location"]
        assert "response-content-disposition=attachment" in answer.headers["location"], "the bucket shows no page"

    def test_gives_a_zip_of_all_files(self, http: Http, browser: Http, cloud: Cloud, job: Job) -> None:
        listed = [
            {"path": path, "size": 9, "contentType": "text/html"}
            for path in ("index.html", "data/2-1-trace.zip", "trace/index.html")
        ]
        manifest = json.dumps({"version": 1, "files": listed}).encode()
        cloud.artifacts.put(report_key(PROJECT, job.id, fence=2, path="manifest.json"), manifest, "application/json")

        answer = http.get(f"/v1/jobs/{job.id}/report/report.zip")

        assert (answer.status, answer.headers["content-type"]) == (200, "application/zip")
        assert answer.headers["content-disposition"] == 'attachment; filename="report.zip"'
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            assert archive.read(f"report-{job.id}/index.html").decode() == "<title>Zoë</title>"
            assert len(archive.namelist()) == 5
        by_ticket = browser.get(ticket_path(http, job).replace("index.html", "report.zip"))
        assert by_ticket.content == answer.content

    @pytest.mark.parametrize("by_ticket", [False, True])
    @pytest.mark.parametrize(
        ("path", "policy"),
        [
            ("index.html", "sandbox allow-scripts allow-popups allow-popups-to-escape-sandbox allow-downloads"),
            ("results.json", "sandbox"),
            ("data/2-1-trace.zip", "sandbox"),
            ("data/2-2-page.html", "sandbox"),
            ("data/2-3-video.webm", "sandbox"),
            ("trace/index.html", None),
        ],
    )
    def test_whatever_a_jobs_code_wrote_has_no_origin_and_attachments_run_no_script(
        self, http: Http, browser: Http, job: Job, path: str, policy: str | None, by_ticket: bool
    ) -> None:
        url = ticket_path(http, job).replace("index.html", path)
        answer = browser.get(url) if by_ticket else http.get(f"/v1/jobs/{job.id}/report/{path}")

        assert answer.headers.get("content-security-policy") == policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "private, no-cache"

    def test_the_trace_viewer_alone_may_be_a_service_worker(self, http: Http, browser: Http, job: Job) -> None:
        index = ticket_path(http, job)
        asking = {"Service-Worker": "script"}

        for path in ("index.html", "data/2-2-page.html", "data/2-3-video.webm", "missing.js", ""):
            browser.get(index.replace("index.html", path), headers=asking).problem(403, "forbidden")
        assert browser.get(index.replace("index.html", "trace/index.html"), headers=asking).status == 200

    def test_a_browser_gets_the_page_with_storage_and_a_program_gets_it_as_it_was_written(
        self, http: Http, browser: Http, cloud: Cloud, job: Job
    ) -> None:
        page = "<!DOCTYPE html><html><head><title>Zoë</title></head>".encode()
        cloud.artifacts.put(report_key(PROJECT, job.id, fence=2, path="index.html"), page, "text/html")

        shown = browser.get(ticket_path(http, job)).content

        assert http.get(f"/v1/jobs/{job.id}/report/index.html").content == page
        assert shown.startswith(b"<!DOCTYPE html><html><head><script>")
        assert shown.endswith("</script><title>Zoë</title></head>".encode())

    @pytest.mark.parametrize("path", ["../../../other/x", "data/..", "a b", "%2e%2e"])
    def test_refuses_names_that_lead_elsewhere(self, http: Http, job: Job, path: str) -> None:
        assert http.get(f"/v1/jobs/{job.id}/report/{path}").problem(400, "invalid-input")["field"] == "path"

    def test_tells_of_what_is_not_there(self, http: Http, cloud: Cloud, job: Job) -> None:
        http.get(f"/v1/jobs/{job.id}/report/missing.html").problem(404, "not-found")
        http.get(f"/v1/jobs/{job.id}/report/index.html", key=cloud.key(project="other")).problem(404, "not-found")
        unready = cloud.jobs.write(None, a_job())
        assert http.get(f"/v1/jobs/{unready.id}/report/index.html").problem(404, "not-found")["advice"]


class TestTickets:
    def test_a_ticket_opens_the_report_without_a_key(self, http: Http, browser: Http, job: Job) -> None:
        index = ticket_path(http, job)

        assert browser.get(index).content.decode() == "<title>Zoë</title>"
        attachment = browser.get(index.replace("index.html", "data/2-2-page.html"))
        assert attachment.headers["content-security-policy"] == "sandbox"
        assert browser.get(index.replace("index.html", "data/2-3-video.webm")).status == 302

    def test_a_ticket_without_a_file_leads_to_the_first_page(self, http: Http, browser: Http, job: Job) -> None:
        index = ticket_path(http, job)

        answer = browser.get(index.removesuffix("/index.html"))

        assert (answer.status, answer.headers["location"]) == (302, index)

    def test_a_ticket_opens_nothing_of_the_api(self, http: Http, browser: Http, job: Job) -> None:
        secret = ticket_path(http, job).split("/")[2]

        browser.get(f"/v1/jobs/{job.id}", key=secret).problem(401, "unauthenticated")

    def test_a_made_up_ticket_opens_nothing(self, browser: Http, job: Job) -> None:
        assert browser.get("/r/x/index.html").problem(401, "unauthenticated")["advice"]
        assert browser.get(f"/r/{job.id}/index.html").status == 401

    def test_a_ticket_leads_nowhere_else(self, http: Http, browser: Http, job: Job) -> None:
        index = ticket_path(http, job)

        browser.get(index.replace("index.html", "../x")).problem(400, "invalid-input")
        browser.get(index.replace("index.html", "missing")).problem(404, "not-found")


def test_a_file_that_could_not_be_uploaded_is_named_with_the_reason_and_what_to_do(http: Http, cloud: Cloud) -> None:
    report = ReportRef(fence=2, complete=True, viewer="1.2.3").with_missing(["index.html"], "S3 answered SlowDown")
    job = cloud.jobs.write(None, a_job(report=report))

    problem = http.get(f"/v1/jobs/{job.id}/report/index.html").problem(404, "not-stored")
    record = http.get(f"/v1/jobs/{job.id}").json["job"]["report"]

    assert "index.html" in problem["detail"]
    assert "S3 answered SlowDown" in problem["detail"]
    assert "retry" in problem["advice"]
    assert record == {
        "url": f"/v1/jobs/{job.id}/report/index.html", "ready": True, "complete": False,
        "missing": ["index.html"], "missingCount": 1, "missingReason": "S3 answered SlowDown",
    }  # fmt: skip
