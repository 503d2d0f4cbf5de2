"""Files of reports as HTTP answers."""

from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from wainwright.contracts.report_files import REPORT_ZIP
from wainwright.wiring import http_api

if TYPE_CHECKING:
    from wainwright.usecases.open_reports import ReportFile

_TEXT = ("text/", "application/json", "application/javascript", "application/xml", "image/svg+xml")


def answer(file: "ReportFile", path: str) -> Response[Any]:
    """The file, or a redirect to where a large one lies. Attachments that are pages may run no script of this origin."""
    headers = {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "private, no-cache",
    }
    if file.redirect is not None:
        return Response(302, headers=headers | {"Location": file.redirect})
    if path == REPORT_ZIP:
        headers["Content-Disposition"] = f'attachment; filename="{REPORT_ZIP}"'
    if path.startswith("data/"):
        headers["Content-Security-Policy"] = "sandbox"
    if file.content_type.startswith(_TEXT):
        content_type = file.content_type if "charset" in file.content_type else f"{file.content_type}; charset=utf-8"
        return Response(200, content_type=content_type, body=file.content.decode("utf-8", "replace"), headers=headers)
    return Response(200, content_type=file.content_type, body=file.content, headers=headers)


def by_ticket(app: APIGatewayHttpResolver, api: http_api.Api, ticket: str) -> Response[Any]:
    """``GET /r/{ticket}/{path}``: the ticket alone gives leave, for links carry no header."""
    path = app.current_event.path.split("/", 3)[3]
    return answer(api.reports.read_by_ticket(ticket, path), path)


def to_index(ticket: str) -> Response[Any]:
    """``GET /r/{ticket}``: the report's links are relative, so its address ends in a file."""
    return Response(302, headers={"Location": f"/r/{ticket}/index.html"})
