"""The HTTP API as a table: what the function serves, what OpenAPI describes, what the documentation must name."""

from dataclasses import dataclass

from wainwright.contracts.scopes import Scope


@dataclass(frozen=True)
class Query:
    """A query parameter. ``kind`` is its JSON schema type."""

    name: str
    kind: str
    summary: str


@dataclass(frozen=True)
class Operation:
    """One call of the API. ``path`` is below ``/v1``; braces mark path parameters, ``{path+}`` takes the rest.

    What its bodies are is in :mod:`wainwright.contracts.bodies`.
    """

    id: str
    method: str
    path: str
    scope: Scope
    summary: str
    status: int = 200
    queries: tuple[Query, ...] = ()
    problems: tuple[int, ...] = ()


_LIMIT = Query("limit", "integer", "rows on a page, 1 to 1000; 50 if not given")
_CURSOR = Query("cursor", "string", "the cursor of the page before")

OPERATIONS: tuple[Operation, ...] = (
    Operation("health", "GET", "/health", Scope.READ, "Whether the system answers, and who asks."),
    Operation("openapi", "GET", "/openapi.json", Scope.READ, "This document."),
    Operation(
        "createBundle", "POST", "/bundles", Scope.RUN, "Announce a test directory's archive; says how to upload it.",
        problems=(400, 413),
    ),
    Operation(
        "createJob", "POST", "/jobs", Scope.RUN, "Create a job from scripts, a bundle, instructions or a template.",
        status=202, problems=(400, 404, 409, 413, 429),
    ),
    Operation(
        "listJobs", "GET", "/jobs", Scope.READ, "Find jobs, newest first; filters combine.",
        queries=(
            Query("status", "string", "only jobs in these states, separated by commas; FINISHED is completed or failed"),
            Query("type", "string", "only jobs of these types, separated by commas"),
            Query("templateId", "string", "only jobs of this template"),
            Query("batchId", "string", "only jobs of this batch"),
            Query("hasErrors", "boolean", "only jobs with, or without, errors"),
            Query("label", "string", "only jobs with this label"),
            *(
                Query(f"{which}{bound}", "string", f"RFC 3339 or epoch milliseconds; the {word} bound of {what}")
                for which, what in (("create", "creation"), ("start", "start"), ("end", "end"))
                for bound, word in (("From", "lower"), ("To", "upper"))
            ),
            Query("sortBy", "string", "createdAt, startedAt or completedAt; createdAt if not given"),
            Query("sortOrder", "string", "desc or asc; desc if not given"),
            _LIMIT, _CURSOR,
        ),
        problems=(400,),
    ),
    Operation(
        "getJob", "GET", "/jobs/{jobId}", Scope.READ, "One job.",
        queries=(
            Query("wait", "integer", "wait up to so many seconds (at most 20) for one of the states in `status`"),
            Query("status", "string", "states to wait for, separated by commas; the final ones if not given"),
        ),
        problems=(400, 404),
    ),
    Operation(
        "patchJob", "PATCH", "/jobs/{jobId}", Scope.RUN, "Change priority, low priority or label.",
        problems=(400, 404, 409),
    ),
    Operation(
        "deleteJob", "DELETE", "/jobs/{jobId}", Scope.RUN, "Delete a job that is at rest, its logs and its report.",
        status=204, problems=(400, 404, 409),
    ),
    Operation(
        "cancelJob", "POST", "/jobs/{jobId}/cancel", Scope.RUN, "Cancel a job; what it left is kept.",
        problems=(400, 404, 409),
    ),
    Operation(
        "stopJob", "POST", "/jobs/{jobId}/stop", Scope.RUN, "Stop a job so that it can be resumed.",
        problems=(400, 404, 409),
    ),
    Operation(
        "resumeJob", "POST", "/jobs/{jobId}/resume", Scope.RUN, "Go on with a stopped job; what had passed does not run again.",
        problems=(400, 404, 409),
    ),
    Operation(
        "retryJob", "POST", "/jobs/{jobId}/retry", Scope.RUN, "Try a failed job again, by the same id.",
        problems=(400, 404, 409),
    ),
    Operation(
        "listLogs", "GET", "/jobs/{jobId}/logs", Scope.READ, "The log of a job, oldest first.",
        queries=(
            Query("level", "string", "INFO or ERROR"),
            Query("message", "string", "a part of the message, in any case"),
            Query("from", "string", "RFC 3339 or epoch milliseconds; overrides period"),
            Query("to", "string", "RFC 3339 or epoch milliseconds; overrides period"),
            Query("period", "string", "today, yesterday, or a duration such as 2h 30m"),
            _LIMIT, _CURSOR,
        ),
        problems=(400, 404),
    ),
    Operation(
        "createLog", "POST", "/jobs/{jobId}/logs", Scope.RUN, "Add a line to the log of a job, ended or not.",
        status=201, problems=(400, 404, 413),
    ),
    Operation(
        "createTicket", "POST", "/jobs/{jobId}/ticket", Scope.READ, "A short-lived address of the job's report.",
        status=201, problems=(400, 404),
    ),
    Operation(
        "streamEvents", "GET", "/jobs/{jobId}/events", Scope.READ,
        "Events of a job as server-sent events, in short segments; `Last-Event-ID` resumes; 204 after the last.",
        problems=(400, 404),
    ),
    Operation(
        "getReport", "GET", "/jobs/{jobId}/report/{path+}", Scope.READ,
        "A file of the job's report, or `report.zip` with all of them; large files by redirect.",
        problems=(400, 404, 413),
    ),
    Operation(
        "createTemplate", "POST", "/templates", Scope.RUN, "Store what to run, by a name, with declared parameters.",
        status=201, problems=(400, 413),
    ),
    Operation(
        "listTemplates", "GET", "/templates", Scope.READ, "Templates of the project.",
        queries=(_LIMIT, _CURSOR), problems=(400,),
    ),
    Operation(
        "getTemplate", "GET", "/templates/{templateId}", Scope.READ, "One template.",
        queries=(Query("version", "integer", "a version other than the newest"),), problems=(400, 404),
    ),
    Operation(
        "updateTemplate", "PUT", "/templates/{templateId}", Scope.RUN, "A new version; jobs remember theirs.",
        problems=(400, 404, 409, 413),
    ),
    Operation(
        "deleteTemplate", "DELETE", "/templates/{templateId}", Scope.RUN, "Delete a template; its jobs stay.",
        status=204, problems=(404,),
    ),
    Operation(
        "invokeTemplate", "POST", "/templates/{templateId}/invoke", Scope.RUN,
        "Create a job: `url`, options, `config` keys and declared parameters, flat in one object.",
        status=202, problems=(400, 404, 409, 413, 429),
    ),
    Operation(
        "analytics", "GET", "/analytics", Scope.READ, "Success rate, durations, errors, flaky tests.",
        queries=(
            Query("templateId", "string", "only jobs of this template"),
            Query("from", "string", "RFC 3339 or epoch milliseconds, cut to the hour; seven days ago if not given"),
            Query("to", "string", "RFC 3339 or epoch milliseconds, cut to the hour; now if not given"),
            Query("jobIds", "string", "these jobs alone, at most 100, separated by commas"),
        ),
        problems=(400,),
    ),
    Operation(
        "analyzeTests", "GET", "/analytics/tests", Scope.READ,
        "Tests by how flaky they are, how often they fail, or how long they take.",
        queries=(
            Query("flaky", "boolean", "only tests that were, or were not, flaky"),
            Query("file", "string", "only tests of this file"),
            Query("sortBy", "string", "flakeRate, failureRate or duration; flakeRate if not given"),
            _LIMIT, _CURSOR,
        ),
        problems=(400,),
    ),
    Operation(
        "listQuarantine", "GET", "/quarantine", Scope.READ, "Tests in quarantine.",
    ),
    Operation(
        "putQuarantine", "PUT", "/quarantine", Scope.RUN,
        "Put a test into quarantine: until a day it runs, and its failures do not fail jobs.", problems=(400, 409),
    ),
    Operation(
        "deleteQuarantine", "DELETE", "/quarantine", Scope.RUN, "Take a test out of quarantine.", status=204,
        queries=(Query("testId", "string", "the exact id of the test"),), problems=(400, 404),
    ),
    Operation(
        "queue", "GET", "/queue", Scope.READ, "Who runs, who waits, what failed lately, what runs long.",
        queries=(Query("longRunningMinutes", "integer", "from how many minutes on a job runs long; 10 if not given"),),
        problems=(400,),
    ),
    Operation("getLimits", "GET", "/limits", Scope.READ, "Capacity and retention of the project."),
    Operation(
        "putLimits", "PUT", "/limits", Scope.ADMIN, "Set capacity and retention of the project.", problems=(400,),
    ),
    Operation("listKeys", "GET", "/keys", Scope.ADMIN, "API keys of the project, without secrets."),
    Operation(
        "createKey", "POST", "/keys", Scope.ADMIN, "Create an API key; its secret is in this answer alone.",
        status=201, problems=(400,),
    ),
    Operation(
        "revokeKey", "DELETE", "/keys/{keyId}", Scope.ADMIN, "Revoke an API key; noticed everywhere within 30 s.",
        status=204, problems=(404,),
    ),
    Operation(
        "listSecrets", "GET", "/secrets", Scope.ADMIN, "Secrets of the project: names and times, never values.",
    ),
    Operation(
        "putSecret", "PUT", "/secrets/{name}", Scope.ADMIN, "Set a secret, which tests get as an environment variable.",
        problems=(400, 404, 409, 413),
    ),
    Operation(
        "deleteSecret", "DELETE", "/secrets/{name}", Scope.ADMIN, "Delete a secret.",
        status=204, problems=(400, 404),
    ),
)  # fmt: skip
"""Every call. Each may also answer 401, 403, 429 of the gateway, 500 and 503."""
