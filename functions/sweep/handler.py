"""Every minute."""

import logging
import os
from functools import cache
from typing import Any

from wainwright.adapters.aws.clients import Clients
from wainwright.adapters.aws.job_store import DynamoJobStore
from wainwright.adapters.aws.queues import SqsWakeUps
from wainwright.adapters.aws.workers import DynamoWorkerStore
from wainwright.adapters.aws.workflows import StepFunctionsWorkflows
from wainwright.adapters.clock import system_clock
from wainwright.settings import WorkflowSettings
from wainwright.usecases.sweep_jobs import SweepJobs
from wainwright.wiring.runs import end_job, finish_job

log = logging.getLogger(__name__)


@cache
def sweep() -> SweepJobs:
    """Return the use case, put together at the first event."""
    settings, clients = WorkflowSettings.read(os.environ), Clients()
    return SweepJobs(
        jobs=DynamoJobStore(clients.dynamodb, settings.table),
        workers=DynamoWorkerStore(clients.dynamodb, settings.table),
        workflows=StepFunctionsWorkflows(lambda: clients.stepfunctions, settings.state_machine_arn),
        finish=finish_job(clients, settings),
        end=end_job(clients, settings),
        wakeups=SqsWakeUps(lambda: clients.sqs, settings.jobs_queue_url),
        clock=system_clock,
    )


def handler(event: dict[str, Any], _context: Any) -> dict[str, int]:
    """Mend what is overdue; with ``{"recover": true}``, after a loss of all executions and messages, whatever is not at rest."""
    looked = sweep()(everything=event.get("recover") is True)
    log.info("swept", extra={"jobs": looked})
    return {"jobs": looked}
