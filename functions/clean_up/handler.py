"""Every twelve hours."""

import logging
import os
from datetime import timedelta
from functools import cache
from typing import Any

from wainwright.adapters.aws.artifacts import S3Artifacts
from wainwright.adapters.aws.clients import Clients
from wainwright.adapters.aws.job_store import DynamoJobStore
from wainwright.adapters.clock import system_clock
from wainwright.settings import CleanUpSettings
from wainwright.usecases.clean_up import CleanUp
from wainwright.wiring.storing import spool_of

MARGIN_MS = 30_000
"""Left of the function's time when it stops taking further jobs."""

log = logging.getLogger(__name__)


@cache
def clean_up() -> CleanUp:
    """Return the use case, put together at the first event."""
    settings, clients = CleanUpSettings.read(os.environ), Clients()
    jobs = DynamoJobStore(clients.dynamodb, settings.table)
    artifacts = S3Artifacts(clients.s3, settings.bucket)
    return CleanUp(jobs, artifacts, system_clock, settings.limits, spool_of(settings))


def handler(_event: dict[str, Any], context: Any) -> dict[str, int]:
    """Delete what has outlived its project's retention."""
    budget = timedelta(milliseconds=max(context.get_remaining_time_in_millis() - MARGIN_MS, 0))
    removed = clean_up()(budget=budget)
    log.info("cleaned", extra={"removed": removed})
    return {"removed": removed}
