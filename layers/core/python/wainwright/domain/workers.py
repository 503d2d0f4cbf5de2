"""Workers: how many there are, and how many there should be."""

from datetime import datetime, timedelta
from enum import StrEnum

from wainwright.domain.instants import Instant
from wainwright.domain.record import Record

LAUNCH_DEADLINE = timedelta(minutes=5)
"""A worker that has not reported by then counts as lost. Fargate takes 45-75 s to start a browser image."""

SEEN_DEADLINE = timedelta(seconds=90)
"""A worker that was not seen for so long counts as lost. It reports every 20 s."""


class WorkerState(StrEnum):
    """State of a worker."""

    LAUNCHING = "launching"
    IDLE = "idle"
    BUSY = "busy"
    DRAINING = "draining"


class WorkerRecord(Record):
    """One worker's row. A launching one is written before it is launched: its id is the launch's idempotency token."""

    id: str
    state: WorkerState
    on_demand: bool = False
    task: str | None = None
    due_at: Instant

    def is_counted(self, now: datetime) -> bool:
        """Return True if the worker takes work, and was seen, or was launched, not too long ago."""
        return self.state is not WorkerState.DRAINING and self.due_at > now


def count_missing_workers(*, demand: int, supply: int, most: int, warm: int = 0) -> int:
    """Return the number of workers to launch: one for every admitted lane, at least ``warm``, together at most ``most``."""
    return max(0, min(most, max(demand, warm)) - supply)
