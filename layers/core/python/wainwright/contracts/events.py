"""Events of a job, for live views and for the event bus."""

from enum import StrEnum
from typing import Any

from wainwright.domain.instants import Instant
from wainwright.domain.record import Record

EVENT_SOURCE = "wainwright"
STATUS_DETAIL_TYPE = "Job Status Changed"

MAX_JOB_EVENTS = 1_000
"""Events of a job; further lines that are added from outside are kept in its log alone (requirement D9)."""

MAX_EVENT_TEXT = 2_000
"""Characters of a log line in its event; the log has all of them."""


class EventKind(StrEnum):
    """Kinds of events. ``status`` events are derived from the row; the others are stored."""

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
    """Detail of the EventBridge event for a change of a job's status."""

    project: str
    job_id: str
    status: str
    previous: str | None
    status_sequence: int
    label: str | None = None
    attempt: int
    failure_category: str | None = None
    at: Instant
