"""Launch as many workers as the admitted jobs need and the stage allows."""

import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from wainwright.domain.capacity import ProjectLoad
from wainwright.domain.workers import LAUNCH_DEADLINE, WorkerRecord, WorkerState, count_missing_workers
from wainwright.ports.clock import Clock
from wainwright.ports.job_store import JobStore
from wainwright.ports.workers import LaunchRefused, WorkerLauncher, WorkerStore

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LaunchWorkers:
    """Compares committed demand with the workers there are. To be called after demand was committed."""

    jobs: JobStore
    workers: WorkerStore
    launcher: WorkerLauncher
    clock: Clock
    max_workers: int
    min_warm: int = 0

    def __call__(self, at_least: int = 0, *, loads: Sequence[ProjectLoad] | None = None) -> int:
        """Launch what is missing; returns how many. ``at_least`` so many are needed, whatever the rows say.

        ``loads`` are the counters as the caller read them, if it has committed no demand since. Whoever has must not count on
        an earlier reading: of two that overlap, neither would see the other's.

        Raises:
            LaunchRefused: the platform refused one; what was launched before stays launched.
        """
        loads = self.jobs.loads() if loads is None else loads
        demand = max(sum(load.running for load in loads), at_least)
        if demand == 0 and self.min_warm == 0:
            return 0
        now = self.clock()
        supply = sum(1 for worker in self.workers.list() if worker.is_counted(now))
        missing = count_missing_workers(demand=demand, supply=supply, most=self.max_workers, warm=self.min_warm)
        for _ in range(missing):
            self._launch()
        return missing

    def _launch(self) -> None:
        worker_id = str(uuid.uuid4())
        row = WorkerRecord(id=worker_id, state=WorkerState.LAUNCHING, due_at=self.clock() + LAUNCH_DEADLINE)
        self.workers.add(row)
        try:
            task = self._launch_spot_first(worker_id)
        except LaunchRefused:
            self.workers.remove(worker_id)
            raise
        log.info("worker launched", extra={"worker": worker_id, "task": task})

    def _launch_spot_first(self, worker_id: str) -> str:
        try:
            return self.launcher.launch(worker_id, on_demand=False)
        except LaunchRefused as refused:
            if not refused.capacity:
                raise
            # Capacity providers do not fall back by themselves.
            log.info("no Spot capacity; launching on demand", extra={"worker": worker_id})
            return self.launcher.launch(worker_id, on_demand=True)
