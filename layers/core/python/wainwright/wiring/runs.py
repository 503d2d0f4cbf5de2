"""End of jobs and runs, put together for the functions that share it."""

from wainwright.adapters.aws.clients import Clients
from wainwright.adapters.aws.job_store import DynamoJobStore
from wainwright.adapters.aws.queues import SqsWakeUps, SqsWorkQueue
from wainwright.adapters.clock import system_clock
from wainwright.settings import JobSettings
from wainwright.usecases.end_job import EndJob
from wainwright.usecases.finish_job import FinishJob


def finish_job(clients: Clients, settings: JobSettings) -> FinishJob:
    """Return the use case that ends a run."""
    end = end_job(clients, settings)
    return FinishJob(end.jobs, end, end.wakeups, system_clock)


def end_job(clients: Clients, settings: JobSettings) -> EndJob:
    """Return the use case that ends a job."""
    work = SqsWorkQueue(lambda: clients.sqs, settings.work_queue_url)
    wakeups = SqsWakeUps(lambda: clients.sqs, settings.jobs_queue_url)
    jobs = DynamoJobStore(clients.dynamodb, settings.table)
    return EndJob(jobs, settings.limits, work, wakeups)
