"""The tests of a project that are in quarantine, for the worker that runs its jobs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from wainwright.domain.quarantine import Quarantine
from wainwright.ports.clock import Clock
from wainwright.ports.quarantine import QuarantineStore

KEPT = timedelta(seconds=60)
"""Time for which entries are cached: jobs of one project come in bursts, and few of them after a change."""


@dataclass(frozen=True)
class ReadQuarantine:
    """Reads one project at a time, and caches the entries of the last one for KEPT."""

    store: QuarantineStore
    clock: Clock
    _kept: dict[str, tuple[datetime, Mapping[str, Quarantine]]] = field(default_factory=dict, repr=False)

    def __call__(self, project: str) -> Mapping[str, Quarantine]:
        """Return the entries in force, by test id."""
        now = self.clock()
        until, entries = self._kept.get(project, (now, {}))
        if now >= until:
            entries = {entry.test_id: entry for entry in self.store.list(project)}
            self._kept.clear()
            self._kept[project] = (now + KEPT, entries)
        return {test_id: entry for test_id, entry in entries.items() if entry.holds(now)}
