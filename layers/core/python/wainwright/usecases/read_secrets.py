"""The values of a project's secrets, for the worker that runs its tests."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from wainwright.ports.clock import Clock
from wainwright.ports.secrets import SecretStore

KEPT = timedelta(seconds=60)
"""Time for which values are cached. Jobs of one project come in bursts, and Parameter Store answers forty calls a second for a
whole account. The next claim notices a change by its revision; the bound is for changes in Parameter Store itself, and so that
an idle worker does not hold values for long.
"""


@dataclass(frozen=True)
class _Kept:
    revision: int
    until: datetime
    values: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True)
class ReadSecrets:
    """Reads the values of one project at a time, and caches those of the last one for KEPT."""

    store: SecretStore
    clock: Clock
    _kept: dict[str, _Kept] = field(default_factory=dict, repr=False)

    def __call__(self, project: str) -> Mapping[str, str]:
        """Return all values by name; raise Unavailable if Parameter Store did not answer.

        A project without secrets costs one read of a row, and so does one whose values are cached.
        """
        now, index = self.clock(), self.store.index(project)
        kept = self._kept.get(project)
        if not index.updated or kept is None or kept.revision != index.revision or now >= kept.until:
            self._kept.clear()
        if not index.updated:
            return {}
        if project not in self._kept:
            found = self.store.values(project)
            values = {name: found[name] for name in index.updated if name in found}
            self._kept[project] = _Kept(index.revision, now + KEPT, values)
        return self._kept[project].values
