"""A queue in this process, before the system's own: so many jobs at a time, the most important first (requirement A12)."""

import heapq
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

from wainwright.client.errors import ClientError
from wainwright.client.jobs import JobOutcome, outcome_of
from wainwright.client.patterns.both import ClientT, Pattern, both
from wainwright.client.patterns.work import Work, failed_outcome, look, start
from wainwright.contracts.job_records import JobRecord
from wainwright.domain.states import AT_REST


@dataclass(frozen=True)
class QueueStats:
    """Numbers of jobs that wait here, run, have ended, and of these completed and failed."""

    queued: int
    running: int
    completed: int
    successful: int
    failed: int


@dataclass(order=True)
class _Waiting:
    rank: tuple[int, int]
    work: Work = field(compare=False)

    @property
    def number(self) -> int:
        return self.rank[1]


class JobQueue(Pattern[ClientT]):
    """Starts jobs by priority, higher first and then in order, at most ``max_concurrent`` at a time.

    Jobs may be added while it processes; ``stats`` may be asked from another thread. The system has a queue of its own,
    shared by everybody of the project: ``CreateJob(priority=…)``.
    """

    def __init__(self, client: ClientT, *, max_concurrent: int = 3) -> None:
        super().__init__(client)
        self._max_concurrent = max_concurrent
        self._numbers = count(1)
        self._queue: list[_Waiting] = []
        self._running: dict[str, tuple[int, float]] = {}
        self._outcomes: dict[int, JobOutcome] = {}

    def add(self, work: Work, priority: int = 0) -> int:
        """Put a job into the queue; returns its number here."""
        number = next(self._numbers)
        heapq.heappush(self._queue, _Waiting((-priority, number), work))
        return number

    def stats(self) -> QueueStats:
        """Count the jobs."""
        outcomes = list(self._outcomes.values())
        successful = sum(outcome.success for outcome in outcomes)
        return QueueStats(len(self._queue), len(self._running), len(outcomes), successful, len(outcomes) - successful)

    @both
    async def process(self, *, on_change: Callable[[QueueStats], object] | None = None) -> dict[int, JobOutcome]:
        """Run what is in the queue until nothing is left; returns the outcomes by the numbers of ``add``.

        ``on_change`` gets the stats when a job has started or ended.
        """
        while self._queue or self._running:
            before = self.stats()
            while self._queue and len(self._running) < self._max_concurrent:
                await self._start(heapq.heappop(self._queue))
            if on_change is not None and before != self.stats():
                on_change(self.stats())
            before = self.stats()
            for job_id, job in (await look(self.calls, list(self._running))).items():
                self._note(job_id, job)
            if on_change is not None and before != self.stats():
                on_change(self.stats())
        return dict(self._outcomes)

    async def _start(self, waiting: _Waiting) -> None:
        try:
            created = await start(self.calls, waiting.work)
        except ClientError as error:
            self._outcomes[waiting.number] = failed_outcome("", error, 0)
        else:
            self._running[created.job_id] = (waiting.number, time.monotonic())

    def _note(self, job_id: str, job: JobRecord | ClientError) -> None:
        number, began = self._running[job_id]
        took = time.monotonic() - began
        if isinstance(job, ClientError):
            self._outcomes[number] = failed_outcome(job_id, job, took)
        elif job.status in AT_REST:
            self._outcomes[number] = outcome_of(job, took)
        else:
            return
        del self._running[job_id]
