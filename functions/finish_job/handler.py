"""The last state of the job state machine; also called for executions that ended without it."""

import json
import os
from functools import cache
from typing import Any

from wainwright.adapters.aws.clients import Clients
from wainwright.contracts.messages import ExecutionError, FinishInput
from wainwright.settings import JobSettings
from wainwright.usecases.finish_job import FinishJob
from wainwright.wiring.runs import finish_job


@cache
def finish() -> FinishJob:
    """Return the use case, put together at the first event."""
    return finish_job(Clients(), JobSettings.read(os.environ))


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """End a run, told by the workflow or by the rule on executions; return the job's status."""
    request = _from_execution(event["detail"]) if "detail" in event else FinishInput.model_validate(event)
    job = finish()(request.project, request.job_id, request.run, request.error)
    return {"jobId": request.job_id, "run": request.run, "status": job.status if job else None}


def _from_execution(detail: dict[str, Any]) -> FinishInput:
    """Return the input of an execution that FAILED, TIMED_OUT or was ABORTED, and why it ended."""
    request = FinishInput.model_validate(json.loads(detail["input"]))
    name = "States.Timeout" if detail["status"] == "TIMED_OUT" else detail.get("error") or detail["status"]
    return request.model_copy(update={"error": ExecutionError(error=name, cause=detail.get("cause"))})
