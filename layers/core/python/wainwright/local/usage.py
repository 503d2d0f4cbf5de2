"""Usage counted for each job, in memory and in a folder that outlives a restart."""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from pathlib import Path

from wainwright.adapters.costs import read_usage, usage_file, write_usage
from wainwright.domain.costs import CostGroup, JobUsage, Usage, WorkerSize, add_usages

_KEPT_IN_MEMORY = 500
_GONE_REMEMBERED = 2_000


def usage_of(
    group: CostGroup, caller: str, service: str, operation: str, units: Mapping[str, float], calls: float = 1
) -> Usage:
    """Usage of one kind; units of which there are none are left out. Not validated: there is one for each call."""
    used = {name: amount for name, amount in units.items() if amount}
    return Usage.model_construct(
        group=group, caller=caller, service=service, operation=operation, calls=calls, units=used
    )


def part_of(usage: Usage, part: float) -> Usage:
    """A share of what several jobs used."""
    units = {name: amount * part for name, amount in usage.units.items()}
    return usage.model_copy(update={"calls": usage.calls * part, "units": units})


class UsageBook:
    """Adds up usage by job. Readers of the folder see it after :meth:`flush`."""

    def __init__(self, folder: Path, worker: WorkerSize) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        self._folder = folder
        self._worker = worker
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._new: dict[str | None, list[Usage]] = {}
        self._known: OrderedDict[str | None, JobUsage] = OrderedDict()
        self._gone: OrderedDict[str, None] = OrderedDict()

    def add(self, job_id: str | None, usages: Iterable[Usage]) -> None:
        """Add usage to a job's, or to nobody's."""
        with self._lock:
            if job_id not in self._gone:
                self._new.setdefault(job_id, []).extend(usages)

    def discard(self) -> None:
        """Drop what has not been written yet."""
        with self._lock:
            self._new.clear()

    def forget(self, job_id: str) -> None:
        """Drop what is known of a job that was deleted, and what may still come."""
        with self._writing, self._lock:
            self._gone[job_id] = None
            while len(self._gone) > _GONE_REMEMBERED:
                self._gone.popitem(last=False)
            self._new.pop(job_id, None)
            self._known.pop(job_id, None)
            usage_file(self._folder, job_id).unlink(missing_ok=True)

    def flush(self) -> None:
        """Write what is new."""
        with self._writing:
            with self._lock:
                new, self._new = self._new, {}
            for job_id, usages in new.items():
                before = self._known.pop(job_id, None) or read_usage(self._folder, job_id)
                used = add_usages([*(before.used if before else ()), *usages])
                usage = JobUsage(job_id=job_id, worker=self._worker, used=used)
                write_usage(self._folder, usage)
                self._known[job_id] = usage
                while len(self._known) > _KEPT_IN_MEMORY:
                    self._known.popitem(last=False)
