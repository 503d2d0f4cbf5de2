"""What is deleted when its time is over."""

from wainwright.adapters.aws.artifacts import S3Artifacts
from wainwright.adapters.aws.clients import Clients
from wainwright.adapters.aws.job_store import DynamoJobStore
from wainwright.adapters.clock import system_clock
from wainwright.settings import CleanUpSettings
from wainwright.usecases.clean_up import CleanUp
from wainwright.wiring.storing import spool_of


def clean_up(settings: CleanUpSettings) -> CleanUp:
    """Retention."""
    clients = Clients()
    jobs = DynamoJobStore(clients.dynamodb, settings.table)
    artifacts = S3Artifacts(clients.s3, settings.bucket)
    return CleanUp(jobs, artifacts, system_clock, settings.limits, spool_of(settings))
