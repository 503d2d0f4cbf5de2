"""On changes of job rows: publishes changes of status on the event bus."""

import os
from functools import cache
from typing import Any

from wainwright.adapters.aws.clients import Clients
from wainwright.adapters.aws.event_bus import EventBridgeBus
from wainwright.adapters.aws.items import read_job
from wainwright.contracts.names import ENTITY_ATTRIBUTE, JOB_ENTITY
from wainwright.domain.jobs import Job
from wainwright.settings import PublishSettings
from wainwright.usecases.publish_changes import PublishChanges


@cache
def publish() -> PublishChanges:
    """Return the use case, put together at the first event."""
    settings = PublishSettings.read(os.environ)
    return PublishChanges(EventBridgeBus(Clients().events, settings.event_bus))


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Publish a batch of the table's stream. A failure fails the batch, and the stream delivers it again."""
    publish()([change for record in event["Records"] if (change := _change(record["dynamodb"]))])
    return {"batchItemFailures": []}


def _change(record: dict[str, Any]) -> tuple[Job | None, Job] | None:
    new, old = record.get("NewImage"), record.get("OldImage")
    if not new or new.get(ENTITY_ATTRIBUTE, {}).get("S") != JOB_ENTITY:
        return None
    return (read_job(old) if old else None), read_job(new)
