"""Calls that make jobs of what comes with them, and that read jobs."""

import hashlib

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2

from functions.api.answers import SAFE, answered
from functions.api.parsing import Call, body, idempotency_key, page_size, part, query, whole
from wainwright.contracts.http.bounds import MAX_WAIT_SECONDS
from wainwright.contracts.http.jobs import CreateJob, JobAnswer, JobCreated, JobList
from wainwright.contracts.job_records import JobRecord
from wainwright.domain.jobs import JobDetail
from wainwright.domain.states import AT_REST
from wainwright.ports.job_store import JobView
from wainwright.usecases.caller import Caller
from wainwright.usecases.present_job import present, present_new
from wainwright.usecases.read_jobs import read_query
from wainwright.usecases.state_names import read_states
from wainwright.wiring import http_api

GROWING = {"waiting_ms", "duration_ms", "cost"}
"""What changes by itself as time passes, or by being looked at: no news to who asks for some."""


def created(api: http_api.Api, view: JobView) -> Response[str]:
    """A job that was just accepted, or found by its key."""
    record = present(view, api.clock(), api.costs)
    headers = {"Location": f"/v1/jobs/{record.id}"}
    return answered(202, JobCreated(job_id=record.id, status=record.status, job=record), headers)


def create_job(api: http_api.Api, caller: Caller, event: APIGatewayProxyEventV2) -> Response[str]:
    """``POST /v1/jobs``."""
    key, request = idempotency_key(event), body(event, CreateJob)
    make = api.submit if request.template_id is None else api.invoke.create
    return created(api, make(caller, request, key))


def list_jobs(api: http_api.Api, caller: Caller, event: APIGatewayProxyEventV2) -> Response[str]:
    """``GET /v1/jobs``. Records of a list are made of rows alone: details and live progress are with the single job."""
    given = query(event)
    page = api.read.find(caller, read_query(given, limit=page_size(given)))
    now = api.clock()
    records = [present_new(job, JobDetail(), now) for job in page.jobs]
    return answered(200, JobList(jobs=records, cursor=page.cursor))


def get_job(api: http_api.Api, caller: Caller, event: APIGatewayProxyEventV2) -> Response[str]:
    """``GET /v1/jobs/{jobId}``."""
    given = query(event)
    seconds = whole(given, "wait", 0, 0, MAX_WAIT_SECONDS)
    states = read_states(given["status"]) if "status" in given else AT_REST
    view = api.read.wait(caller, part(event), seconds=seconds, states=states)
    record = present(view, api.clock(), api.costs)
    tag = _tag(record)
    if _knows(event.headers.get("if-none-match"), tag):
        return Response(304, headers=SAFE | {"ETag": tag})
    return answered(200, JobAnswer(job=record), {"ETag": tag, "Cache-Control": "private, no-cache"})


def _tag(record: JobRecord) -> str:
    text = record.model_dump_json(exclude=GROWING)
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:16]}"'


def _knows(header: str | None, tag: str) -> bool:
    known = [each.strip().removeprefix("W/") for each in (header or "").split(",")]
    return tag in known or "*" in known


CALLS: dict[str, Call] = {"createJob": create_job, "listJobs": list_jobs, "getJob": get_job}
