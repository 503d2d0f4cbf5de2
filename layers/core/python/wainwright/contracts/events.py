"""Events of a job: what a live view is told, and what goes to the event bus."""

from enum import StrEnum
from typing import Any

from wainwright.domain.instants import Instant
from wainwright.domain.model import Record

EVENT_SOURCE = "wainwright"
STATUS_DETAIL_TYPE = "Job Status Changed"


class EventKind(StrEnum):
    """What an event tells. ``status`` events are derived from the row; the others are stored."""

    STATUS = "status"
    TEST = "test"
    COLLECTED = "collected"
    LOG = "log"
    PROGRESS = "progress"


class JobEvent(Record):
    """One stored event. ``sequence`` counts from 1 without gaps within its job."""

    sequence: int
    kind: EventKind
    at: Instant
    data: dict[str, Any]


class StatusChanged(Record):
    """Detail of the EventBridge event that every change of a job's status becomes."""

    project: str
    job_id: str
    status: str
    previous: str | None
    status_sequence: int
    label: str | None = None
    attempt: int
    failure_category: str | None = None
    at: Instant
