"""Admission, and the launching of workers."""

from dataclasses import dataclass

from wainwright.adapters.aws.clients import Clients
from wainwright.adapters.aws.job_store import DynamoJobStore
from wainwright.adapters.aws.workers import DynamoWorkerStore, FargateLauncher
from wainwright.adapters.aws.workflows import StepFunctionsWorkflows
from wainwright.adapters.clock import system_clock
from wainwright.ports.workers import WorkerStore
from wainwright.settings import DispatchSettings
from wainwright.usecases.dispatch_jobs import DispatchJobs
from wainwright.usecases.launch_workers import LaunchWorkers
from wainwright.wiring.runs import finishing


@dataclass(frozen=True)
class Dispatch:
    """What ``functions/dispatch_jobs`` does."""

    dispatch: DispatchJobs
    workers: WorkerStore


def dispatch_jobs(settings: DispatchSettings) -> Dispatch:
    """Admission and the launching of workers."""
    clients = Clients()
    jobs = DynamoJobStore(clients.dynamodb, settings.table)
    workers = DynamoWorkerStore(clients.dynamodb, settings.table)
    launcher = FargateLauncher(
        ecs=lambda: clients.ecs, cluster=settings.cluster, task_definition=settings.task_definition,
        subnets=tuple(settings.subnets.split(",")), security_group=settings.security_group,
    )  # fmt: skip
    launch = LaunchWorkers(jobs, workers, launcher, system_clock, settings.max_workers, settings.min_warm)
    workflows = StepFunctionsWorkflows(lambda: clients.stepfunctions, settings.state_machine_arn)
    finish = finishing(clients, settings)
    dispatch = DispatchJobs(jobs, workflows, finish, launch, system_clock, settings.limits, settings.max_workers)
    return Dispatch(dispatch=dispatch, workers=workers)
