"""The history of tests, and tests in quarantine, in dictionaries."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from tests.support.memory.job_store import MemoryJobStore
from wainwright.domain.jobs import Job
from wainwright.domain.quarantine import Quarantine
from wainwright.domain.test_history import Sample, TestStats, add_samples
from wainwright.ports.test_history import FileStats


class MemoryTestHistory:
    """A :class:`~wainwright.ports.test_history.TestHistory` that forgets."""

    def __init__(self, jobs: MemoryJobStore) -> None:
        self._jobs = jobs
        self._files: dict[tuple[str, str], dict[str, TestStats]] = {}
        self._lock = jobs.lock

    def note(self, job: Job, samples: Mapping[str, Mapping[str, Sample]], *, now: datetime) -> None:
        with self._lock:
            self._jobs.check_held(job)
            for file, tests in samples.items():
                self._files[job.project, file] = add_samples(self._files.get((job.project, file), {}), tests, now)

    def files(self, project: str, files: Collection[str]) -> Mapping[str, FileStats]:
        with self._lock:
            return {file: dict(self._files[project, file]) for file in files if (project, file) in self._files}

    def all(self, project: str, *, most: int) -> Mapping[str, FileStats]:
        with self._lock:
            found = {file: dict(tests) for (owner, file), tests in self._files.items() if owner == project}
        return dict(list(found.items())[:most])


class MemoryQuarantineStore:
    """A :class:`~wainwright.ports.quarantine.QuarantineStore` that forgets. ``reads`` counts how often a list was asked for."""

    def __init__(self) -> None:
        self._entries: dict[str, dict[str, Quarantine]] = {}
        self.reads = 0

    def list(self, project: str) -> Sequence[Quarantine]:
        self.reads += 1
        entries = self._entries.get(project, {})
        return [entries[test_id] for test_id in sorted(entries)]

    def put(self, project: str, entry: Quarantine) -> None:
        self._entries.setdefault(project, {})[entry.test_id] = entry

    def remove(self, project: str, test_id: str) -> bool:
        return self._entries.get(project, {}).pop(test_id, None) is not None
