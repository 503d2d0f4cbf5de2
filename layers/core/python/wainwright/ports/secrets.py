"""Secrets of projects."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class SecretIndex:
    """The names of a project's secrets, and when each was last set. ``revision`` is raised by every change."""

    revision: int = 0
    updated: Mapping[str, datetime] = field(default_factory=dict)


class SecretStore(Protocol):
    """Secrets of projects. Whoever sets them can read their names; values are for workers alone."""

    def index(self, project: str) -> SecretIndex:
        """The names; an empty index of revision 0 for a project that never had any."""

    def put(self, project: str, name: str, value: str, *, now: datetime, most: int) -> bool:
        """Set a secret; False if it would be one more than ``most``.

        Raises:
            InvalidInput: the value cannot be stored; the error says nothing of it.
            Unavailable: the store did not answer; the name may be there, with its old value or none.
        """

    def delete(self, project: str, name: str) -> bool:
        """Delete a secret; False if there is none of this name."""

    def values(self, project: str) -> Mapping[str, str]:
        """All values of a project by name. Raises Unavailable: the store did not answer."""
