"""The end of runs."""

from wainwright.adapters.aws.clients import Clients
from wainwright.adapters.aws.job_store import DynamoJobStore
from wainwright.adapters.aws.queues import SqsWakeUps, SqsWorkQueue
from wainwright.adapters.clock import system_clock
from wainwright.settings import ApiSettings, FinishSettings, WorkflowSettings
from wainwright.usecases.ask_for_report import AskForReport
from wainwright.usecases.end_job import EndJob
from wainwright.usecases.finish_job import FinishJob


def finish_job(settings: FinishSettings) -> FinishJob:
    """The end of a run."""
    clients = Clients()
    return finishing(clients, settings)


def finishing(clients: Clients, settings: FinishSettings | WorkflowSettings) -> FinishJob:
    """The end of a run, with clients that others use too."""
    jobs = DynamoJobStore(clients.dynamodb, settings.table)
    end = ending(clients, settings)
    return FinishJob(jobs, end, SqsWakeUps(lambda: clients.sqs, settings.jobs_queue_url), system_clock)


def ending(clients: Clients, settings: ApiSettings | FinishSettings | WorkflowSettings) -> EndJob:
    """The end of a job, with clients that others use too."""
    work = SqsWorkQueue(lambda: clients.sqs, settings.work_queue_url)
    wakeups = SqsWakeUps(lambda: clients.sqs, settings.jobs_queue_url)
    jobs = DynamoJobStore(clients.dynamodb, settings.table)
    return EndJob(jobs, settings.limits, AskForReport(work, wakeups))
