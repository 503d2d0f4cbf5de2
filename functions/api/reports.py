"""Calls of the reports and events of jobs."""

from typing import Annotated

from functions.api.answers import Response
from functions.api.context import Api
from functions.api.operations import Header, Router
from functions.api.report_pages import SANDBOX, SANDBOXED_PAGE, with_storage
from wainwright.contracts.http.jobs import TicketAnswer
from wainwright.contracts.names import TRACE_VIEWER
from wainwright.contracts.report_files import INDEX, REPORT_ZIP
from wainwright.contracts.scopes import Scope
from wainwright.domain.errors import Forbidden
from wainwright.usecases.caller import Caller
from wainwright.usecases.open_reports import OpenReports, ReportFile

_TEXT = ("text/", "application/json", "application/javascript", "application/xml", "image/svg+xml")

route = Router()


def _reports(api: Api) -> OpenReports:
    return OpenReports(api.jobs, api.access, api.artifacts, api.spool, api.clock, api.settings.reports_url)


@route("POST /jobs/{jobId}/ticket", Scope.READ, status=201, problems=(400, 404))
def create_ticket(api: Api, caller: Caller, job_id: str) -> TicketAnswer:
    """A short-lived address of the job's report."""
    address, expires_at = _reports(api).give_ticket(caller, job_id)
    return TicketAnswer(report_url=f"{address}/index.html", events_url=f"{address}/events", expires_at=expires_at)


@route(
    "GET /jobs/{jobId}/events",
    Scope.READ,
    problems=(400, 404),
    content="text/event-stream",
    served=False,
    also={204: "The terminal event was sent before."},
)
def stream_events(
    _api: Api,
    _caller: Caller,
    job_id: str,
    last_event_id: Annotated[str, Header("Continue after this event.", name="Last-Event-ID")] = "",
) -> None:
    """Events of a job as server-sent events, in short segments; `Last-Event-ID` resumes; 204 after the last.

    ``functions/stream_events`` answers it.
    """


@route(
    "GET /jobs/{jobId}/report/{path+}",
    Scope.READ,
    problems=(400, 404, 413),
    content="*/*",
    also={302: "A large file: a redirect to a temporary URL."},
)
def get_report(api: Api, caller: Caller, job_id: str, path: str) -> Response:
    """A file of the job's report, or `report.zip` with all of them; large files by redirect."""
    return _answer(_reports(api).read(caller, job_id, path), path)


def open_with_ticket(api: Api, ticket: str, path: str, *, service_worker: bool = False) -> Response:
    """Answer ``GET /r/{ticket}/{path}``: the ticket alone gives leave, for links carry no header.

    The report's links are relative, so without a path its index is named. ``service_worker``: the browser asks for the
    script of one, which sees the addresses of all pages of the origin, and so the tickets in them.

    Raises:
        Forbidden: a service worker that is not the trace viewer's. Further what :meth:`OpenReports.read_by_ticket` raises.
    """
    if service_worker and not path.startswith(TRACE_VIEWER):
        raise Forbidden("a file of a report cannot be a service worker")
    if not path:
        return Response(302, headers={"Location": f"/r/{ticket}/{INDEX}"})
    file = _reports(api).read_by_ticket(ticket, path)
    return _answer(with_storage(file) if path == INDEX else file, path)


def _answer(file: ReportFile, path: str) -> Response:
    """The file, or a redirect to a large one.

    The trace viewer alone is ours, byte for byte. All else was written by a job's code, or holds what it wrote, and gets an
    origin of its own, from which it reads no other report.
    """
    headers = {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "private, no-cache",
    }
    if not path.startswith(TRACE_VIEWER):
        headers["Content-Security-Policy"] = SANDBOXED_PAGE if path == INDEX else SANDBOX
    if file.redirect is not None:
        return Response(302, headers=headers | {"Location": file.redirect})
    if path == REPORT_ZIP:
        headers["Content-Disposition"] = f'attachment; filename="{REPORT_ZIP}"'
    if file.content_type.startswith(_TEXT):
        content_type = file.content_type if "charset" in file.content_type else f"{file.content_type}; charset=utf-8"
        return Response(200, content_type=content_type, body=file.content.decode("utf-8", "replace"), headers=headers)
    return Response(200, content_type=file.content_type, body=file.content, headers=headers)
