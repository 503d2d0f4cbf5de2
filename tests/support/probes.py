"""A look at the rows of a store that does not go through the store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from tests.support.memory.job_store import MemoryJobStore
from wainwright.domain.jobs import Job
from wainwright.ports.job_store import JobStore


@dataclass(frozen=True)
class LineRow:
    """A row of the waiting line as it is stored."""

    position: str
    job_id: str
    not_before: datetime | None


class Probe(Protocol):
    """A store, and a look at its rows that does not go through it."""

    store: JobStore

    def look(self) -> None:
        """Look at the rows as they are now; the other methods tell of this look."""

    def rows(self) -> Sequence[Job]:
        """All jobs."""

    def line(self, project: str) -> Sequence[LineRow]:
        """All rows of a waiting line, in the order in which they are stored."""

    def counters(self) -> dict[str, tuple[int, int]]:
        """(queued, running) of each project."""

    def remains(self, gone: Mapping[str, str]) -> Iterable[str]:
        """Keys of rows that have to do with deleted jobs, given as ids and projects."""

    def trouble(self, kind: str) -> None:
        """Let the next write, or the next deletion, meet trouble."""

    def close(self) -> None:
        """The machine is done with it."""


class MemoryProbe:
    """A MemoryJobStore."""

    def __init__(self) -> None:
        self.memory = MemoryJobStore()
        self.store: JobStore = self.memory

    def look(self) -> None:
        """A dictionary is always looked at as it is."""

    def rows(self) -> Sequence[Job]:
        return sorted(self.memory.all_jobs(), key=lambda job: job.id)

    def line(self, project: str) -> Sequence[LineRow]:
        waiting = [job for job in self.memory.all_jobs() if job.project == project and job.waiting]
        rows = [LineRow(job.line_position, job.id, job.not_before) for job in waiting]
        return sorted(rows, key=lambda row: row.position)

    def counters(self) -> dict[str, tuple[int, int]]:
        return {load.project: (load.queued, load.running) for load in self.memory.loads()}

    def remains(self, gone: Mapping[str, str]) -> Iterable[str]:
        memory = self.memory
        keys = {(project, job_id) for job_id, project in gone.items()}
        for part in memory.parts:
            yield from (str(key) for key in keys.intersection(part))
        for predecessor, successors in memory.successors.items():
            yield from (f"{predecessor} {job_id}" for job_id in successors.intersection(gone))

    def trouble(self, kind: str) -> None:
        """Nothing troubles a dictionary."""

    def close(self) -> None:
        pass
