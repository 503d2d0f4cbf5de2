"""A fake of the HTTP API, with what the client may rely on: keys, problem documents, uploads, segments, redirects."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

from wainwright.client import Client
from wainwright.contracts.job_records import JobRecord, ReportLink
from wainwright.domain.failures import Failure, FailureCategory
from wainwright.domain.jobs import RunBy
from wainwright.domain.states import JobStatus
from wainwright.domain.tests import Tally

KEY = "ww_right"
JOB_ID = "0b9c6a52-8c8e-4f43-a6a0-6d0c8a1d5b11"
CREATED = "2026-11-22T02:42:45.123Z"

Event = tuple[str, dict[str, Any]]

Connect = Callable[..., Client]
"""Makes a client; see the fixture ``connect``."""


def job_record(status: JobStatus = JobStatus.PENDING, **changes: Any) -> JobRecord:
    """A job as the API tells it."""
    fields: dict[str, Any] = {
        "id": JOB_ID, "label": None, "type": "browser", "status": status, "progress": 0, "attempt": 1, "priority": 0,
        "low_priority": False, "template_id": None, "template_version": None, "batch_id": None, "depends_on": [],
        "url": None, "bundle_id": "0" * 64, "params": {},
        "config": {}, "created_at": CREATED, "updated_at": CREATED, "started_at": None, "completed_at": None,
        "waiting_ms": 0, "duration_ms": None, "has_errors": False, "run_by": RunBy(id="k", name="a key"),
        "results": None, "tests": Tally(), "failure": None, "error": None,
        "report": ReportLink(url=f"/v1/jobs/{JOB_ID}/report/index.html", ready=False, complete=False),
        "cost": {"seconds": 0.0},
    }  # fmt: skip
    return JobRecord.model_validate(fields | changes)


def ended(
    status: JobStatus, *, tests: Tally, category: FailureCategory | None = None, report: bool = True
) -> JobRecord:
    """A job that has ended."""
    failure = Failure(category=category, message="what happened\nmore") if category else None
    link = ReportLink(url=f"/v1/jobs/{JOB_ID}/report/index.html", ready=report, complete=report)
    return job_record(
        status, tests=tests, failure=failure, error=failure.to_line() if failure else None, report=link, progress=100,
        duration_ms=3_100, completed_at=CREATED,
    )  # fmt: skip


@dataclass
class FakeApi:
    """Answers requests. ``segments`` are told one per request; then the job has become ``final``."""

    final: JobRecord = field(default_factory=lambda: ended(JobStatus.COMPLETED, tests=Tally(total=1, passed=1)))
    segments: list[list[Event]] = field(default_factory=list)
    report: dict[str, bytes] = field(default_factory=dict)
    pages: list[dict[str, Any]] = field(default_factory=list)
    stays_pending: bool = False
    no_tickets: bool = False

    url: str = "http://127.0.0.1:1"
    asked: list[httpx.Request] = field(default_factory=list)
    planned: list[httpx.Response | Exception] = field(default_factory=list)
    bundles: dict[str, bytes] = field(default_factory=dict)
    elsewhere: str | None = None
    canceled: bool = False
    on_events: Callable[[], None] | None = None

    def handle(self, request: httpx.Request) -> httpx.Response:
        """Answer one request; first what was planned."""
        request.read()
        self.asked.append(request)
        if self.planned:
            planned = self.planned.pop(0)
            if isinstance(planned, Exception):
                raise planned
            return planned
        path = request.url.path
        if path.startswith("/upload/"):
            return self._upload(request)
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return problem(401, "unauthenticated", "the API key is unknown", advice="Create one.")
        return self._route(request, request.method, path.removeprefix("/v1"))

    def _route(self, request: httpx.Request, method: str, path: str) -> httpx.Response:
        job = f"/jobs/{JOB_ID}"
        match method, path:
            case "GET", "/health":
                body = {"status": "ok", "version": "9", "stage": "local", "project": "default", "newer": True}
                return httpx.Response(200, json=body)
            case "POST", "/bundles":
                return self._announce(json.loads(request.content))
            case "POST", "/jobs":
                record = job_record()
                body = {"jobId": record.id, "status": "pending", "job": record.model_dump(mode="json", by_alias=True)}
                return httpx.Response(202, json=body)
            case "GET", "/jobs":
                return httpx.Response(200, json=self.pages.pop(0))
            case "GET", _ if path == job:
                return _answer(self._job())
            case "GET", _ if path == f"{job}/events":
                return self._segment(request)
            case "POST", _ if path == f"{job}/cancel":
                return self._cancel()
            case "POST", _ if path == f"{job}/ticket" and not self.no_tickets:
                return httpx.Response(201, json=self._ticket())
            case "GET", _ if path.startswith(f"{job}/report/"):
                return self._report_file(path.removeprefix(f"{job}/report/"))
        return problem(404, "not-found", f"there is no {method} {path}")

    def _ticket(self) -> dict[str, Any]:
        addresses = {"reportUrl": f"{self.url}/r/t/index.html", "eventsUrl": f"{self.url}/r/t/events"}
        return addresses | {"expiresAt": CREATED}

    def _job(self) -> JobRecord:
        if self.canceled:
            return job_record(JobStatus.CANCELED, completed_at=CREATED)
        return job_record() if self.segments or self.stays_pending else self.final

    def _cancel(self) -> httpx.Response:
        if not (self.segments or self.stays_pending) or self.canceled:
            return problem(409, "refused", f"the job is {self._job().status} and can no longer be canceled")
        self.canceled = True
        return _answer(self._job())

    def _announce(self, body: dict[str, Any]) -> httpx.Response:
        sha256 = body["sha256"]
        upload = None
        if sha256 not in self.bundles:
            headers = {"x-checksum": sha256, "content-length": str(body["size"])}
            url = f"{self.url}/upload/{sha256}"
            upload = {"method": "PUT", "url": url, "headers": headers, "expiresAt": CREATED}
        return httpx.Response(200, json={"bundleId": sha256, "upload": upload})

    def _upload(self, request: httpx.Request) -> httpx.Response:
        sha256 = request.url.path.rpartition("/")[2]
        if "Authorization" in request.headers or request.headers.get("x-checksum") != sha256:
            return httpx.Response(403, text="<Error>SignatureDoesNotMatch</Error>")
        self.bundles[sha256] = request.content
        return httpx.Response(200)

    def _segment(self, request: httpx.Request) -> httpx.Response:
        if self.on_events is not None:
            self.on_events()
        if self.stays_pending:
            return sse(": nothing new\n\n")
        if not self.segments:
            return httpx.Response(204)
        seen = int(request.headers.get("Last-Event-ID", "0"))
        events = self.segments.pop(0)
        return sse("".join(_event(seen + number, *event) for number, event in enumerate(events, 1)))

    def _report_file(self, path: str) -> httpx.Response:
        if path not in self.report:
            return problem(404, "not-found", f"the report has no file {path}")
        if self.elsewhere is not None:
            return httpx.Response(307, headers={"Location": f"{self.elsewhere}/{path}"})
        return httpx.Response(200, content=self.report[path])


def sse(text: str) -> httpx.Response:
    """A segment of an event stream."""
    return httpx.Response(200, headers={"Content-Type": "text/event-stream; charset=utf-8"}, text=f"retry: 0\n\n{text}")


def problem(
    status: int, kind: str, detail: str, *, advice: str | None = None, retry_after: int | None = None
) -> httpx.Response:
    """A problem document."""
    headers = {"Content-Type": "application/problem+json"} | ({"Retry-After": str(retry_after)} if retry_after else {})
    body = {
        "type": f"/problems/{kind}",
        "title": kind,
        "status": status,
        "detail": detail,
        "advice": advice,
        "extra": 1,
    }
    return httpx.Response(status, headers=headers, content=json.dumps(body))


def manifest(files: dict[str, bytes]) -> bytes:
    """The manifest of a report with these files."""
    listed = [{"path": path, "size": len(content), "contentType": "text/plain"} for path, content in files.items()]
    return json.dumps({"version": 1, "files": listed}).encode()


def _answer(job: JobRecord) -> httpx.Response:
    return httpx.Response(200, json={"job": job.model_dump(mode="json", by_alias=True) | {"later": "added"}})


def _event(number: int, kind: str, data: dict[str, Any]) -> str:
    return f"id: {number}\nevent: {kind}\ndata: {json.dumps(data)}\n\n"


@contextmanager
def served(api: FakeApi) -> Iterator[FakeApi]:
    """Serve the fake on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def _handle(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            answer = api.handle(
                httpx.Request(
                    self.command, f"{api.url}{self.path}", headers=list(self.headers.items()), content=content
                )
            )
            self.send_response(answer.status_code)
            for name, value in answer.headers.items():
                if name.lower() not in ("content-length", "transfer-encoding"):
                    self.send_header(name, value)
            if answer.status_code != 204:
                self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _handle  # noqa: N815 - the names that http.server calls

        def log_message(self, *_args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        api.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield api
        finally:
            server.shutdown()
            thread.join()
