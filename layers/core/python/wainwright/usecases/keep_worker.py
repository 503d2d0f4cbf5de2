"""A worker's own row: its state, and until when it counts."""

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from wainwright.domain.workers import SEEN_DEADLINE, WorkerRecord, WorkerState
from wainwright.ports.clock import Clock
from wainwright.ports.job_store import JobStore
from wainwright.ports.queues import ReceivedWork, WorkQueue
from wainwright.ports.workers import WorkerStore

LAST_LOOK = timedelta(seconds=1)
"""The last long-poll of a draining worker."""


@dataclass(frozen=True)
class KeepWorker:
    """Keeps one worker's row."""

    REPORT_SECONDS: ClassVar[float] = 20.0
    """Seconds between two reports of a worker."""

    worker_id: str
    workers: WorkerStore
    jobs: JobStore
    queue: WorkQueue
    clock: Clock

    def report(self, state: WorkerState) -> None:
        """Write the worker's state; to be repeated well within the time after which it counts as lost."""
        self.workers.put(WorkerRecord(id=self.worker_id, state=state, due_at=self.clock() + SEEN_DEADLINE))

    def can_leave(self, min_warm: int) -> ReceivedWork | bool:
        """Tell if an idle worker may exit: True, False, or a message that came in the last moment.

        The worker commits that it drains before it reads demand; dispatch commits demand before it reads workers. So one of
        the two always sees the other.
        """
        self.report(WorkerState.DRAINING)
        demand = sum(load.running for load in self.jobs.loads())
        now = self.clock()
        others = [row for row in self.workers.list() if row.id != self.worker_id and row.is_counted(now)]
        if max(demand, min_warm) > len(others):
            self.report(WorkerState.IDLE)
            return False
        return self.queue.receive(LAST_LOOK) or True

    def leave(self) -> None:
        """Remove the worker's row."""
        self.workers.remove(self.worker_id)
