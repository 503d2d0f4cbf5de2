"""Events of a job: what a live view is told, and what goes to the event bus."""

from enum import StrEnum
from typing import Any

from wainwright.domain.instants import Instant
from wainwright.domain.model import Record

EVENT_SOURCE = "wainwright"
STATUS_DETAIL_TYPE = "Job Status Changed"

MAX_JOB_EVENTS = 1_000
"""Events of a job beyond which lines that are added from outside are kept in its log alone (requirement D9)."""

MAX_EVENT_TEXT = 2_000
"""Characters of a line of the log that its event has; the log has all of them."""


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
