"""The time of worker processes by job: a worker works for a job from receiving its message until it asks for another."""

import threading
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spent:
    """Time and log of a worker for a job since it was last asked."""

    job_id: str
    seconds: float
    log_bytes: int


@dataclass(slots=True)
class _Worker:
    job_id: str | None = None
    since: float = 0.0
    log_bytes: int = 0


class WorkerTimes:
    """Follows workers by their task's id. ``log_bytes`` tells how large the log of a task is, ``clock`` seconds."""

    def __init__(self, log_bytes: Callable[[str], int], clock: Callable[[], float]) -> None:
        self._log_bytes = log_bytes
        self._clock = clock
        self._lock = threading.Lock()
        self._workers: dict[str, _Worker] = {}

    def job_of(self, worker_id: str | None) -> str | None:
        """The job that a worker has."""
        with self._lock:
            worker = self._workers.get(worker_id) if worker_id is not None else None
            return worker.job_id if worker is not None else None

    def take(self, worker_id: str | None, job_id: str | None) -> None:
        """A worker has received a job's message, or none."""
        if worker_id is not None:
            with self._lock:
                worker = self._workers.setdefault(worker_id, _Worker())
                worker.job_id, worker.since = job_id, self._clock()

    def spend(self, worker_id: str | None) -> Spent | None:
        """Return the worker's time and log for its job since the last call; None if it has no job."""
        if worker_id is None:
            return None
        log_bytes = self._log_bytes(worker_id)
        with self._lock:
            worker = self._workers.setdefault(worker_id, _Worker())
            now = self._clock()
            seconds, logged = now - worker.since, max(log_bytes - worker.log_bytes, 0)
            worker.since, worker.log_bytes = now, log_bytes
            return None if worker.job_id is None else Spent(worker.job_id, seconds, logged)
