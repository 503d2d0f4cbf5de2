"""A queue in this process, before the system's own: so many jobs at a time, the most important first (requirement A12)."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

from wainwright.client.jobs import JobOutcome
from wainwright.client.patterns.sync_and_async import ClientT, Pattern, both
from wainwright.client.patterns.work import Watch, Work


@dataclass(frozen=True)
class QueueStats:
    """Numbers of jobs that wait here, run, have ended, and of these completed and failed."""

    queued: int
    running: int
    completed: int
    successful: int
    failed: int


class JobQueue(Pattern[ClientT]):
    """Starts jobs by priority, higher first and then in order, at most ``max_concurrent`` at a time.

    Jobs may be added while it processes; ``stats`` may be asked from another thread. The system has a queue of its own,
    shared by everybody of the project: ``CreateJob(priority=…)``.
    """

    def __init__(self, client: ClientT, *, max_concurrent: int = 3) -> None:
        super().__init__(client)
        self._max_concurrent = max_concurrent
        self._numbers = count(1)
        self._queue: list[tuple[int, int, Work]] = []
        self._watch = Watch()

    def add(self, work: Work, priority: int = 0) -> int:
        """Put a job into the queue; returns its number here."""
        number = next(self._numbers)
        heapq.heappush(self._queue, (-priority, number, work))
        return number

    def stats(self) -> QueueStats:
        """Count the jobs."""
        outcomes = list(self._watch.outcomes.values())
        successful = sum(outcome.success for outcome in outcomes)
        return QueueStats(
            len(self._queue), len(self._watch.running), len(outcomes), successful, len(outcomes) - successful
        )

    @both
    async def process(self, *, on_change: Callable[[QueueStats], object] | None = None) -> dict[int, JobOutcome]:
        """Run what is in the queue until nothing is left; returns the outcomes by the numbers of ``add``.

        ``on_change`` gets the stats when a job has started or ended.
        """
        while self._queue or self._watch.running:
            before = self.stats()
            while self._queue and len(self._watch.running) < self._max_concurrent:
                _, number, work = heapq.heappop(self._queue)
                await self._watch.start(self.calls, number, work)
            if on_change is not None and before != self.stats():
                on_change(self.stats())
            before = self.stats()
            await self._watch.look(self.calls)
            if on_change is not None and before != self.stats():
                on_change(self.stats())
        return dict(self._watch.outcomes)
