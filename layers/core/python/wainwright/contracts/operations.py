"""The HTTP API as a table: what the function serves, what OpenAPI describes, what the documentation must name."""

from dataclasses import dataclass

from wainwright.contracts import http
from wainwright.contracts.scopes import Scope
from wainwright.domain.model import Record


@dataclass(frozen=True)
class Query:
    """A query parameter. ``kind`` is its JSON schema type."""

    name: str
    kind: str
    summary: str


@dataclass(frozen=True)
class Operation:
    """One call of the API. ``path`` is below ``/v1``; braces mark path parameters, ``{path+}`` takes the rest."""

    id: str
    method: str
    path: str
    scope: Scope
    summary: str
    answer: type[Record] | None
    status: int = 200
    body: type[Record] | None = None
    queries: tuple[Query, ...] = ()
    problems: tuple[int, ...] = ()


_LIMIT = Query("limit", "integer", "rows on a page, 1 to 1000; 50 if not given")
_CURSOR = Query("cursor", "string", "the cursor of the page before")

OPERATIONS: tuple[Operation, ...] = (
    Operation("health", "GET", "/health", Scope.READ, "Whether the system answers, and who asks.", http.Health),
    Operation("openapi", "GET", "/openapi.json", Scope.READ, "This document.", None),
    Operation(
        "createBundle", "POST", "/bundles", Scope.RUN, "Announce a test directory's archive; says how to upload it.",
        http.BundleAnswer, body=http.CreateBundle, problems=(400, 413),
    ),
    Operation(
        "createJob", "POST", "/jobs", Scope.RUN, "Create a job from a script or a bundle.",
        http.JobCreated, status=202, body=http.CreateJob, problems=(400, 409, 413, 429),
    ),
    Operation(
        "listJobs", "GET", "/jobs", Scope.READ, "Jobs of the project, newest first.", http.JobList,
        queries=(Query("status", "string", "only jobs in this state"), _LIMIT, _CURSOR), problems=(400,),
    ),
    Operation(
        "getJob", "GET", "/jobs/{jobId}", Scope.READ, "One job.", http.JobAnswer,
        queries=(
            Query("wait", "integer", "wait up to so many seconds (at most 20) for one of the states in `status`"),
            Query("status", "string", "states to wait for, separated by commas; the final ones if not given"),
        ),
        problems=(400, 404),
    ),
    Operation(
        "cancelJob", "POST", "/jobs/{jobId}/cancel", Scope.RUN, "Cancel a job; what it left is kept.",
        http.JobAnswer, problems=(400, 404, 409),
    ),
    Operation(
        "createTicket", "POST", "/jobs/{jobId}/ticket", Scope.READ, "A short-lived address of the job's report.",
        http.TicketAnswer, status=201, problems=(400, 404),
    ),
    Operation(
        "streamEvents", "GET", "/jobs/{jobId}/events", Scope.READ,
        "Events of a job as server-sent events, in short segments; `Last-Event-ID` resumes; 204 after the last.",
        None, problems=(400, 404),
    ),
    Operation(
        "getReport", "GET", "/jobs/{jobId}/report/{path+}", Scope.READ,
        "A file of the job's report; large files by redirect.", None, problems=(400, 404),
    ),
)  # fmt: skip
"""Every call. Each may also answer 401, 403, 429 of the gateway, 500 and 503."""
