"""Calls that make jobs and their bundles, and that find, read and steer jobs."""

import hashlib
import re
from datetime import datetime
from typing import Annotated

from functions.api.answers import SAFE, Response, answered
from functions.api.context import Api
from functions.api.operations import Header, Query, Router
from functions.api.parameters import (
    DEFAULT_PAGE,
    Cursor,
    IdempotencyKey,
    Limit,
    choice,
    matching,
    read_flag,
    read_instant,
    read_states,
    time_range,
    whole_number,
)
from wainwright.contracts.http.bounds import MAX_WAIT_SECONDS
from wainwright.contracts.http.bundles import BundleAnswer, CreateBundle, Upload
from wainwright.contracts.http.jobs import CreateJob, JobAnswer, JobCreated, JobList, PatchJob, RetryJob
from wainwright.contracts.names import is_template_id
from wainwright.contracts.scopes import Scope
from wainwright.domain.errors import InvalidInput
from wainwright.domain.job_query import JobQuery, SortBy
from wainwright.domain.states import AT_REST, JobStatus
from wainwright.ports.job_store import JobView
from wainwright.usecases.caller import Caller
from wainwright.usecases.control_job import ControlJob
from wainwright.usecases.invoke_template import InvokeTemplate
from wainwright.usecases.keep_bundles import KeepBundles
from wainwright.usecases.present_job import present, present_rows
from wainwright.usecases.read_jobs import ReadJobs
from wainwright.usecases.submit_job import SubmitJob

TYPES = frozenset({"browser"})
"""Types that jobs can have."""

MAX_LABEL = 200
NOT_IN_ETAG = {"waiting_ms", "duration_ms", "cost"}
"""Fields left out of the ETag: they change as time passes, or because somebody looks."""

NO_JOBS = "cannot be the label of a job"
_BATCH_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")

route = Router()


@route("POST /bundles", Scope.RUN, problems=(400, 413))
def create_bundle(api: Api, caller: Caller, body: CreateBundle) -> BundleAnswer:
    """Announce a test directory's archive; says how to upload it."""
    upload = KeepBundles(api.artifacts, api.clock).announce(caller.project, sha256=body.sha256, size=body.size)
    if upload is None:
        return BundleAnswer(bundle_id=body.sha256, upload=None)
    put, expires_at = upload
    return BundleAnswer(
        bundle_id=body.sha256, upload=Upload(url=put.url, headers=dict(put.headers), expires_at=expires_at)
    )


@route("POST /jobs", Scope.RUN, status=202, location="/v1/jobs/{0.job_id}", problems=(400, 404, 409, 413, 429))
def create_job(api: Api, caller: Caller, body: CreateJob, idempotency_key: IdempotencyKey = None) -> JobCreated:
    """Create a job from scripts, a bundle, instructions or a template."""
    make = submitting(api) if body.template_id is None else invoking(api).create
    return created(api, make(caller, body, idempotency_key))


def submitting(api: Api) -> SubmitJob:
    """Return the use case that accepts jobs."""
    settings = api.settings
    return SubmitJob(api.jobs, api.artifacts, api.wakeups, api.clock, settings.limits, settings.timeout_ms)


def invoking(api: Api) -> InvokeTemplate:
    """Return the use case that makes jobs of templates."""
    return InvokeTemplate(api.templates, submitting(api), api.clock)


def created(api: Api, view: JobView) -> JobCreated:
    """Return the answer for a job that was just accepted, or found by its key."""
    record = present(view, api.clock(), api.costs)
    return JobCreated(job_id=record.id, status=record.status, job=record)


def _read_types(name: str, text: str) -> frozenset[str]:
    named = frozenset(word.strip().lower() for word in text.split(","))
    for each in sorted(named - TYPES):
        raise InvalidInput(name, f"there is no type {each[:40]!r}", advice=f"Types are {', '.join(sorted(TYPES))}.")
    return named


_read_sort_by = choice({each: each for each in SortBy}, f"is one of {', '.join(SortBy)}", fold=str)
_read_ascending = choice({"asc": True, "desc": False}, "is asc or desc")


def _time_bound(summary: str) -> Query:
    return Query(f"RFC 3339 or epoch milliseconds; {summary}", read_instant)


@route("GET /jobs", Scope.READ, problems=(400,))
def list_jobs(
    api: Api,
    caller: Caller,
    status: Annotated[
        frozenset[JobStatus],
        Query("only jobs in these states, separated by commas; FINISHED is completed or failed", read_states),
    ] = frozenset(),
    type: Annotated[frozenset[str], Query("only jobs of these types, separated by commas", _read_types)] = frozenset(),
    template_id: Annotated[str | None, Query("only jobs of this template", matching(is_template_id, NO_JOBS))] = None,
    batch_id: Annotated[str | None, Query("only jobs of this batch", matching(_BATCH_ID.fullmatch, NO_JOBS))] = None,
    has_errors: Annotated[bool | None, Query("only jobs with, or without, errors", read_flag, "boolean")] = None,
    label: Annotated[
        str | None, Query("only jobs with this label", matching(lambda text: 0 < len(text) <= MAX_LABEL, NO_JOBS))
    ] = None,
    create_from: Annotated[datetime | None, _time_bound("the lower bound of creation")] = None,
    create_to: Annotated[datetime | None, _time_bound("the upper bound of creation")] = None,
    start_from: Annotated[datetime | None, _time_bound("the lower bound of start")] = None,
    start_to: Annotated[datetime | None, _time_bound("the upper bound of start")] = None,
    end_from: Annotated[datetime | None, _time_bound("the lower bound of end")] = None,
    end_to: Annotated[datetime | None, _time_bound("the upper bound of end")] = None,
    sort_by: Annotated[
        SortBy, Query("createdAt, startedAt or completedAt; createdAt if not given", _read_sort_by)
    ] = SortBy.CREATED,
    sort_order: Annotated[bool, Query("desc or asc; desc if not given", _read_ascending)] = False,
    limit: Limit = DEFAULT_PAGE,
    cursor: Cursor = None,
) -> JobList:
    """Find jobs, newest first; filters combine.

    Records of a list are made of rows alone: details and live progress are with the single job.
    """
    query = JobQuery(
        statuses=status, types=type, template_id=template_id, batch_id=batch_id, has_errors=has_errors, label=label,
        created=time_range(("createFrom", "createTo"), create_from, create_to),
        started=time_range(("startFrom", "startTo"), start_from, start_to),
        ended=time_range(("endFrom", "endTo"), end_from, end_to),
        sort_by=sort_by, ascending=sort_order, limit=limit, cursor=cursor,
    )  # fmt: skip
    page = ReadJobs(api.jobs, api.clock).find(caller, query)
    return JobList(jobs=present_rows(page.jobs, api.clock()), cursor=page.cursor)


@route(
    "GET /jobs/{jobId}",
    Scope.READ,
    problems=(400, 404),
    answer=JobAnswer,
    also={304: "Nothing changed since the ETag in If-None-Match."},
)
def get_job(
    api: Api,
    caller: Caller,
    job_id: str,
    wait: Annotated[
        int,
        Query(
            "seconds (at most 20) to wait for one of the states in `status`",
            whole_number(0, MAX_WAIT_SECONDS),
            "integer",
        ),
    ] = 0,
    status: Annotated[
        frozenset[JobStatus],
        Query("states to wait for, separated by commas; the final ones if not given", read_states),
    ] = AT_REST,
    if_none_match: Annotated[str, Header("The ETag of the answer before.", name="If-None-Match")] = "",
) -> Response:
    """One job."""
    view = ReadJobs(api.jobs, api.clock, api.pause).wait(caller, job_id, seconds=wait, states=status)
    record = present(view, api.clock(), api.costs)
    tag = f'"{hashlib.sha256(record.model_dump_json(exclude=NOT_IN_ETAG).encode()).hexdigest()[:16]}"'
    known = [each.strip().removeprefix("W/") for each in if_none_match.split(",")]
    if tag in known or "*" in known:
        return Response(304, headers=SAFE | {"ETag": tag})
    return answered(200, JobAnswer(job=record), {"ETag": tag, "Cache-Control": "private, no-cache"})


def _steering(api: Api) -> ControlJob:
    return ControlJob(api.jobs, api.artifacts, api.wakeups, api.end_job, api.clock, api.spool)


def _answer(api: Api, caller: Caller, job_id: str) -> JobAnswer:
    view = ReadJobs(api.jobs, api.clock).get(caller, job_id)
    return JobAnswer(job=present(view, api.clock(), api.costs))


@route("PATCH /jobs/{jobId}", Scope.RUN, problems=(400, 404, 409))
def patch_job(api: Api, caller: Caller, job_id: str, body: PatchJob) -> JobAnswer:
    """Change priority, low priority or label."""
    _steering(api).change(caller, job_id, priority=body.priority, low_priority=body.low_priority, label=body.label)
    return _answer(api, caller, job_id)


@route("DELETE /jobs/{jobId}", Scope.RUN, status=204, problems=(400, 404, 409))
def delete_job(api: Api, caller: Caller, job_id: str) -> None:
    """Delete a job that is at rest, its logs and its report."""
    _steering(api).delete(caller, job_id)


@route("POST /jobs/{jobId}/cancel", Scope.RUN, problems=(400, 404, 409))
def cancel_job(api: Api, caller: Caller, job_id: str) -> JobAnswer:
    """Cancel a job; what it left is kept."""
    _steering(api).cancel(caller, job_id)
    return _answer(api, caller, job_id)


@route("POST /jobs/{jobId}/stop", Scope.RUN, problems=(400, 404, 409))
def stop_job(api: Api, caller: Caller, job_id: str) -> JobAnswer:
    """Stop a job so that it can be resumed."""
    _steering(api).stop(caller, job_id)
    return _answer(api, caller, job_id)


@route("POST /jobs/{jobId}/resume", Scope.RUN, problems=(400, 404, 409))
def resume_job(api: Api, caller: Caller, job_id: str) -> JobAnswer:
    """Go on with a stopped job; what had passed does not run again."""
    _steering(api).resume(caller, job_id)
    return _answer(api, caller, job_id)


@route("POST /jobs/{jobId}/retry", Scope.RUN, problems=(400, 404, 409))
def retry_job(api: Api, caller: Caller, job_id: str, body: RetryJob | None = None) -> JobAnswer:
    """Try a failed job again, by the same id."""
    _steering(api).retry(caller, job_id, only_failed=(body or RetryJob()).only_failed)
    return _answer(api, caller, job_id)
