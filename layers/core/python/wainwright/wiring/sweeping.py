"""The repairs of every minute."""

from wainwright.adapters.aws.clients import Clients
from wainwright.adapters.aws.job_store import DynamoJobStore
from wainwright.adapters.aws.queues import SqsWakeUps
from wainwright.adapters.aws.workers import DynamoWorkerStore
from wainwright.adapters.aws.workflows import StepFunctionsWorkflows
from wainwright.adapters.clock import system_clock
from wainwright.settings import WorkflowSettings
from wainwright.usecases.sweep_jobs import SweepJobs
from wainwright.wiring.runs import ending, finishing


def sweep_jobs(settings: WorkflowSettings) -> SweepJobs:
    """The repairs of every minute."""
    clients = Clients()
    return SweepJobs(
        jobs=DynamoJobStore(clients.dynamodb, settings.table),
        workers=DynamoWorkerStore(clients.dynamodb, settings.table),
        workflows=StepFunctionsWorkflows(lambda: clients.stepfunctions, settings.state_machine_arn),
        finish=finishing(clients, settings),
        end=ending(clients, settings),
        wakeups=SqsWakeUps(lambda: clients.sqs, settings.jobs_queue_url),
        clock=system_clock,
    )
