"""The calls of ``/v1``, each: parse, one use case, map out."""

import hashlib
import json
from collections.abc import Callable
from typing import Any, TypeVar

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2
from pydantic import ValidationError

import wainwright
from functions.api import reports
from functions.api.answers import SAFE, answered
from wainwright import wiring
from wainwright.contracts.http import (
    MAX_BODY_BYTES,
    MAX_WAIT_SECONDS,
    BundleAnswer,
    CreateBundle,
    CreateJob,
    Health,
    JobAnswer,
    JobCreated,
    JobList,
    TicketAnswer,
)
from wainwright.contracts.openapi import document
from wainwright.contracts.operations import Operation
from wainwright.contracts.problems import input_fault
from wainwright.domain.errors import InvalidInput, TooLarge
from wainwright.domain.jobs import JobDetail
from wainwright.domain.model import Record
from wainwright.domain.states import AT_REST, JobStatus
from wainwright.ports import JobView, Progress
from wainwright.usecases.caller import Caller
from wainwright.usecases.present_job import present

MAX_PAGE = 1_000
DEFAULT_PAGE = 50
MAX_KEY = 255
"""Bytes of an Idempotency-Key."""

MAX_DIGITS = 9
"""Digits of a number in a query."""

Call = Callable[[wiring.Api, Caller, APIGatewayProxyEventV2], Response[Any]]
Body = TypeVar("Body", bound=Record)


def rule(operation: Operation) -> str:
    """The operation's path as the router spells it."""
    return "/v1" + operation.path.replace("{path+}", ".+").replace("{", "<").replace("}", ">")


def served(
    app: APIGatewayHttpResolver, api: Callable[[], wiring.Api], operation: Operation
) -> Callable[..., Response[Any]]:
    """What the router calls: authenticates, checks the scope, calls."""
    call = CALLS[operation.id]

    def serve(**_path: str) -> Response[Any]:
        event = app.current_event
        caller = api().authenticate(event.headers.get("authorization"))
        caller.need(operation.scope)
        return call(api(), caller, event)

    return serve


def _job_id(event: APIGatewayProxyEventV2) -> str:
    """The part after ``/v1/jobs/``. Read from the path, since a catch-all route has no parameter of this name."""
    return event.path.split("/")[3]


def _body(event: APIGatewayProxyEventV2, model: type[Body]) -> Body:
    try:
        text = event.decoded_body or ""
    except ValueError as error:
        raise InvalidInput("body", "the body is not UTF-8 text", advice="Send a JSON object.") from error
    if len(text.encode()) > MAX_BODY_BYTES:
        raise TooLarge(
            f"the body is larger than {MAX_BODY_BYTES} bytes", advice="Upload large suites by POST /v1/bundles."
        )
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        raise input_fault(error) from error


def _query(event: APIGatewayProxyEventV2, *known: str) -> dict[str, str]:
    """The query's parameters.

    Raises:
        InvalidInput: one is unknown; a misspelt filter must not select everything.
    """
    given = event.query_string_parameters or {}
    for name in given:
        if name not in known:
            raise InvalidInput(
                name, f"there is no parameter {name}", advice=f"Known here: {', '.join(known) or 'none'}."
            )
    return given


def _whole(query: dict[str, str], name: str, default: int, least: int, most: int) -> int:
    text = query.get(name, str(default))
    digits = text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS
    if not digits or not least <= int(text) <= most:
        raise InvalidInput(name, f"{name} is to be a whole number from {least} to {most}, not {text[:40]!r}")
    return int(text)


def _states(text: str) -> list[JobStatus]:
    found = []
    for word in text.split(","):
        try:
            found.append(JobStatus(word.strip().lower()))
        except ValueError as error:
            known = ", ".join(JobStatus)
            raise InvalidInput("status", f"there is no state {word!r}", advice=f"States are {known}.") from error
    return found


def _health(api: wiring.Api, caller: Caller, _event: APIGatewayProxyEventV2) -> Response[str]:
    return answered(200, Health(version=wainwright.__version__, stage=api.stage, project=caller.project))


def _openapi(_api: wiring.Api, _caller: Caller, _event: APIGatewayProxyEventV2) -> Response[str]:
    return Response(200, content_type="application/json", body=json.dumps(document()), headers=SAFE)


def _create_bundle(api: wiring.Api, caller: Caller, event: APIGatewayProxyEventV2) -> Response[str]:
    answer: BundleAnswer = api.accept_bundle(caller, _body(event, CreateBundle))
    return answered(200, answer)


def _create_job(api: wiring.Api, caller: Caller, event: APIGatewayProxyEventV2) -> Response[str]:
    key = event.headers.get("idempotency-key")
    if key is not None and not 1 <= len(key.encode()) <= MAX_KEY:
        raise InvalidInput("Idempotency-Key", f"an Idempotency-Key has 1 to {MAX_KEY} bytes")
    view = api.submit(caller, _body(event, CreateJob), key)
    record = present(view, api.clock())
    headers = {"Location": f"/v1/jobs/{record.id}"}
    return answered(202, JobCreated(job_id=record.id, status=record.status, job=record), headers)


def _list_jobs(api: wiring.Api, caller: Caller, event: APIGatewayProxyEventV2) -> Response[str]:
    query = _query(event, "status", "limit", "cursor")
    states = _states(query["status"]) if "status" in query else [None]
    if len(states) > 1:
        raise InvalidInput("status", "give one state")
    page = api.read.list_jobs(
        caller, status=states[0], limit=_whole(query, "limit", DEFAULT_PAGE, 1, MAX_PAGE), cursor=query.get("cursor")
    )
    now = api.clock()
    records = [present(JobView(job=job, detail=JobDetail(), progress=Progress()), now) for job in page.jobs]
    return answered(200, JobList(jobs=records, cursor=page.cursor))


def _get_job(api: wiring.Api, caller: Caller, event: APIGatewayProxyEventV2) -> Response[str]:
    query = _query(event, "wait", "status")
    seconds = _whole(query, "wait", 0, 0, MAX_WAIT_SECONDS)
    states = _states(query["status"]) if "status" in query else AT_REST
    view = api.read.wait(caller, _job_id(event), seconds=seconds, states=states)
    record = present(view, api.clock())
    tag = f'"{hashlib.sha256(f"{view.job.version}.{view.progress.sequence}".encode()).hexdigest()[:16]}"'
    if event.headers.get("if-none-match") == tag:
        return Response(304, headers={"ETag": tag} | SAFE)
    return answered(200, JobAnswer(job=record), {"ETag": tag, "Cache-Control": "private, no-cache"})


def _cancel_job(api: wiring.Api, caller: Caller, event: APIGatewayProxyEventV2) -> Response[str]:
    job_id = _job_id(event)
    api.control.cancel(caller, job_id)
    return answered(200, JobAnswer(job=present(api.read.get(caller, job_id), api.clock())))


def _create_ticket(api: wiring.Api, caller: Caller, event: APIGatewayProxyEventV2) -> Response[str]:
    answer: TicketAnswer = api.reports.give_ticket(caller, _job_id(event))
    return answered(201, answer)


def _get_report(api: wiring.Api, caller: Caller, event: APIGatewayProxyEventV2) -> Response[Any]:
    path = event.path.split("/report/", 1)[1]
    return reports.answer(api.reports.read(caller, _job_id(event), path), path)


CALLS: dict[str, Call] = {
    "health": _health,
    "openapi": _openapi,
    "createBundle": _create_bundle,
    "createJob": _create_job,
    "listJobs": _list_jobs,
    "getJob": _get_job,
    "cancelJob": _cancel_job,
    "createTicket": _create_ticket,
    "getReport": _get_report,
}
"""By operation id. ``streamEvents`` is a function of its own."""
