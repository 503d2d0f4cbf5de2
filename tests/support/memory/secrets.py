"""Secrets in a dictionary."""

from collections.abc import Mapping
from datetime import datetime

from wainwright.domain.instants import cut
from wainwright.ports.secrets import SecretIndex


class MemorySecretStore:
    """A :class:`~wainwright.ports.secrets.SecretStore` that forgets. ``reads`` counts how often values were asked for."""

    def __init__(self) -> None:
        self._values: dict[str, dict[str, str]] = {}
        self._index: dict[str, SecretIndex] = {}
        self.reads = 0

    def index(self, project: str) -> SecretIndex:
        return self._index.get(project, SecretIndex())

    def put(self, project: str, name: str, value: str, *, now: datetime, most: int) -> bool:
        updated = self.index(project).updated
        if name not in updated and len(updated) >= most:
            return False
        self._values.setdefault(project, {})[name] = value
        self._note(project, {**updated, name: cut(now)})
        return True

    def delete(self, project: str, name: str) -> bool:
        updated = dict(self.index(project).updated)
        if updated.pop(name, None) is None:
            return False
        self._values.get(project, {}).pop(name, None)
        self._note(project, updated)
        return True

    def values(self, project: str) -> Mapping[str, str]:
        self.reads += 1
        return dict(self._values.get(project, {}))

    def _note(self, project: str, updated: Mapping[str, datetime]) -> None:
        self._index[project] = SecretIndex(self.index(project).revision + 1, updated)
