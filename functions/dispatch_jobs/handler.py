"""On wake-ups from the jobs queue, and when a worker's task has stopped."""

import logging
import os
from functools import cache
from typing import Any

from pydantic import ValidationError

from wainwright.adapters.aws.clients import Clients
from wainwright.adapters.aws.job_store import DynamoJobStore
from wainwright.adapters.aws.workers import DynamoWorkerStore, FargateLauncher
from wainwright.adapters.aws.workflows import StepFunctionsWorkflows
from wainwright.adapters.clock import system_clock
from wainwright.contracts.messages import WakeUp
from wainwright.ports.workers import LaunchRefused
from wainwright.settings import DispatchSettings
from wainwright.usecases.dispatch_jobs import DispatchJobs
from wainwright.usecases.launch_workers import LaunchWorkers
from wainwright.wiring.runs import finish_job

log = logging.getLogger(__name__)


@cache
def dispatch() -> DispatchJobs:
    """Return the use case, put together at the first event."""
    settings, clients = DispatchSettings.read(os.environ), Clients()
    jobs = DynamoJobStore(clients.dynamodb, settings.table)
    workers = DynamoWorkerStore(clients.dynamodb, settings.table)
    launcher = FargateLauncher(
        ecs=lambda: clients.ecs, cluster=settings.cluster, task_definition=settings.task_definition,
        subnets=tuple(settings.subnets.split(",")), security_group=settings.security_group,
    )  # fmt: skip
    launch = LaunchWorkers(jobs, workers, launcher, system_clock, settings.max_workers, settings.min_warm)
    workflows = StepFunctionsWorkflows(lambda: clients.stepfunctions, settings.state_machine_arn)
    finish = finish_job(clients, settings)
    return DispatchJobs(jobs, workflows, finish, launch, system_clock, settings.limits, settings.max_workers)


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Look at all waiting lines once, however many wake-ups came together.

    A failure fails the batch: its messages come again. Missing capacity for workers is no failure: what was admitted stays
    so, and each worker that exits, each wake-up and the sweep try again. Only wake-ups come again that want workers for what
    no row tells of.
    """
    if event.get("detail-type") == "ECS Task State Change":
        worker_id = event["detail"].get("startedBy")
        log.info("worker's task stopped", extra={"worker": worker_id, "reason": event["detail"].get("stoppedReason")})
        if worker_id:
            dispatch().launch_workers.workers.remove(worker_id)
    records = event.get("Records", [])
    wanted = {record["messageId"]: _wanted_workers(record["body"]) for record in records}
    try:
        admitted = dispatch()(max(wanted.values(), default=0))
    except LaunchRefused as refused:
        if not refused.capacity:
            raise
        log.warning("no more workers may run", extra={"reason": str(refused), "wakeUps": len(records)})
        return {"batchItemFailures": [{"itemIdentifier": name} for name, count in wanted.items() if count]}
    log.info("dispatched", extra={"admitted": admitted, "wakeUps": len(records)})
    return {"batchItemFailures": []}


def _wanted_workers(body: str) -> int:
    try:
        return WakeUp.model_validate_json(body).workers
    except ValidationError:
        return 0  # whatever it is, it woke us
