"""Rows of the one table: their keys and attributes, in DynamoDB's own JSON.

======================  ==============================  =======================================================
partition key           sort key                        row
======================  ==============================  =======================================================
``JOB#project#id``      ``#JOB #DETAIL #PROGRESS``      a job; read together by one query of ``#``
``JOB#project#id``      ``TEST#digest``                 the outcome of one test case
``JOB#project#id``      ``EVENT#sequence``              one stored event
``QUEUE#project``       position in the line            one waiting job
``PROJECTS``            project                         counters and limits of a project
``PROJECT#project``     ``IDEMPOTENCY#key``             what a key stands for
``PROJECT#project``     ``KEY#id``                      an API key, for listing
``KEY#sha256``          ``KEY``                         an API key, for finding
``TICKET#sha256``       ``TICKET``                      a ticket
``WORKERS``             worker id                       a worker
======================  ==============================  =======================================================
"""

import hashlib
import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from wainwright.contracts.events import JobEvent
from wainwright.contracts.names import JOB_ENTITY
from wainwright.domain.instants import to_text
from wainwright.domain.jobs import Job

Item = dict[str, dict[str, str]]

EVENTS_LAST = timedelta(hours=24)
DUE_SHARD = "DUE"


def text(value: str) -> dict[str, str]:
    """A string attribute."""
    return {"S": value}


def number(value: int) -> dict[str, str]:
    """A number attribute."""
    return {"N": str(value)}


def expiry(when: datetime) -> dict[str, str]:
    """The TTL attribute: seconds since the epoch, rounded up so that nothing expires early."""
    return number(math.ceil(when.timestamp()))


def key(partition: str, sort: str) -> Item:
    """A row's key."""
    return {"pk": text(partition), "sk": text(sort)}


def job_partition(project: str, job_id: str) -> str:
    """The partition of a job and all its parts."""
    return f"JOB#{project}#{job_id}"


def queue_partition(project: str) -> str:
    """The partition of a project's waiting line."""
    return f"QUEUE#{project}"


def project_partition(project: str) -> str:
    """The partition of a project's keys."""
    return f"PROJECT#{project}"


def job_item(job: Job) -> Item:
    """A job's row: the record as JSON, and beside it what conditions and indexes need."""
    item = key(job_partition(job.project, job.id), "#JOB") | {
        "entity": text(JOB_ENTITY),
        "body": text(job.model_dump_json(by_alias=True, exclude_defaults=True)),
        "version": number(job.version),
        "run": number(job.run),
        "fence": number(job.fence),
        "status": text(job.status),
        "byProject": text(job.project),
        "byStatus": text(f"{job.project}#{job.status}"),
        "createdAt": text(to_text(job.created_at)),
    }
    if job.due_at is not None:
        item |= {"dueShard": text(DUE_SHARD), "dueAt": text(to_text(job.due_at))}
    if job.expires_at is not None:
        item["expiresAt"] = expiry(job.expires_at)
    return item


def read_job(item: Mapping[str, Any]) -> Job:
    """The job of a row."""
    return Job.model_validate_json(item["body"]["S"])


def line_item(job: Job) -> Item:
    """A job's place in the waiting line."""
    item = key(queue_partition(job.project), job.line_position) | {"jobId": text(job.id), "lanes": number(job.lanes)}
    if job.not_before is not None:
        item["notBefore"] = text(to_text(job.not_before))
    return item


def test_key(project: str, job_id: str, test_id: str) -> Item:
    """The key of a test's outcome. Test ids may be longer than a sort key, so their digest stands for them."""
    return key(job_partition(project, job_id), f"TEST#{hashlib.sha256(test_id.encode()).hexdigest()[:32]}")


def event_item(project: str, job_id: str, event: JobEvent) -> Item:
    """One stored event; it expires after a day (requirement D9)."""
    return key(job_partition(project, job_id), f"EVENT#{event.sequence:010d}") | {
        "body": text(event.model_dump_json(by_alias=True)),
        "expiresAt": expiry(event.at + EVENTS_LAST),
    }
