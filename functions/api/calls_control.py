"""Calls that steer jobs: change, stop, resume, retry, cancel, delete."""

from collections.abc import Callable

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2

from functions.api.answers import SAFE, answered
from functions.api.parsing import Call, body, part
from wainwright.contracts.http.jobs import JobAnswer, PatchJob, RetryJob
from wainwright.domain.jobs import Job
from wainwright.usecases.caller import Caller
from wainwright.usecases.control_job import ControlJob
from wainwright.usecases.present_job import present
from wainwright.wiring import http_api


def patch_job(api: http_api.Api, caller: Caller, event: APIGatewayProxyEventV2) -> Response[str]:
    """``PATCH /v1/jobs/{jobId}``."""
    api.control.change(caller, part(event), body(event, PatchJob))
    return _now(api, caller, event)


def retry_job(api: http_api.Api, caller: Caller, event: APIGatewayProxyEventV2) -> Response[str]:
    """``POST /v1/jobs/{jobId}/retry``. The body may be left out."""
    request = body(event, RetryJob, default=RetryJob())
    api.control.retry(caller, part(event), only_failed=request.only_failed)
    return _now(api, caller, event)


def delete_job(api: http_api.Api, caller: Caller, event: APIGatewayProxyEventV2) -> Response[str]:
    """``DELETE /v1/jobs/{jobId}``."""
    api.control.delete(caller, part(event))
    return Response(204, headers=SAFE)


def _steps(step: Callable[[ControlJob, Caller, str], Job]) -> Call:
    """A call that takes nothing but the job's id."""

    def call(api: http_api.Api, caller: Caller, event: APIGatewayProxyEventV2) -> Response[str]:
        step(api.control, caller, part(event))
        return _now(api, caller, event)

    return call


def _now(api: http_api.Api, caller: Caller, event: APIGatewayProxyEventV2) -> Response[str]:
    return answered(200, JobAnswer(job=present(api.read.get(caller, part(event)), api.clock(), api.costs)))


CALLS: dict[str, Call] = {
    "patchJob": patch_job,
    "deleteJob": delete_job,
    "stopJob": _steps(ControlJob.stop),
    "resumeJob": _steps(ControlJob.resume),
    "retryJob": retry_job,
    "cancelJob": _steps(ControlJob.cancel),
}
