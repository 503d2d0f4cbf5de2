"""Set and delete a project's secrets. No value is ever returned."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from wainwright.domain.errors import NotFound, Refused
from wainwright.domain.instants import cut
from wainwright.domain.secrets import MAX_SECRETS, check_secret_name, check_secret_value
from wainwright.ports.clock import Clock
from wainwright.ports.secrets import SecretStore


@dataclass(frozen=True)
class ManageSecrets:
    """Administers the secrets of projects."""

    store: SecretStore
    clock: Clock

    def list(self, project: str) -> Mapping[str, datetime]:
        """Return when each was set, by names in order."""
        updated = self.store.index(project).updated
        return {name: updated[name] for name in sorted(updated)}

    def put(self, project: str, name: str, value: str) -> datetime:
        """Set a secret, new or not, and return when; jobs that start from now on get it.

        Raises:
            InvalidInput: name or value cannot be a secret's.
            Refused: the project has as many as it may.
            Unavailable: it could not be stored.
        """
        check_secret_name(name)
        check_secret_value(value)
        now = cut(self.clock())
        if not self.store.put(project, name, value, now=now, most=MAX_SECRETS):
            raise Refused(
                f"the project has {MAX_SECRETS} secrets, which is the maximum",
                advice="Delete one that is no longer needed.",
            )
        return now

    def delete(self, project: str, name: str) -> None:
        """Delete a secret; running jobs keep it until they end. Raises NotFound if the project has no such secret."""
        check_secret_name(name)
        if not self.store.delete(project, name):
            raise NotFound(f"the project has no secret {name}", advice="GET /v1/secrets lists the project's secrets.")
