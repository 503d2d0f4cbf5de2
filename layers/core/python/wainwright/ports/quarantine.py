"""Tests in quarantine."""

from collections.abc import Sequence
from typing import Protocol

from wainwright.domain.quarantine import Quarantine


class QuarantineStore(Protocol):
    """Tests in quarantine, in force or not: some time after its last day an entry goes by itself."""

    def list(self, project: str) -> Sequence[Quarantine]:
        """All of a project, by test id."""

    def put(self, project: str, entry: Quarantine) -> None:
        """Put a test into quarantine, or change its entry."""

    def remove(self, project: str, test_id: str) -> bool:
        """Take a test out; False if it was not in."""
