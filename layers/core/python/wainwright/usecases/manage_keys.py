"""Create and revoke API keys. A secret is shown once and kept nowhere; only its SHA-256 is."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from wainwright.contracts.names import check_project
from wainwright.contracts.scopes import Scope
from wainwright.domain.errors import NotFound
from wainwright.ports.access import AccessStore, ApiKey
from wainwright.ports.clock import Clock

PREFIX = "ww_"
"""Start of every key, by which people and secret scanners recognize one."""


def digest(secret: str) -> str:
    """Return the SHA-256 of a key or ticket, in hexadecimal. The secrets are random, so no salt or slow hash is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()


@dataclass(frozen=True)
class ManageKeys:
    """Creates and revokes the keys of projects."""

    access: AccessStore
    clock: Clock

    def create(self, project: str, scope: Scope, name: str) -> tuple[ApiKey, str]:
        """Return a new key and its secret of 256 random bits; raise InvalidInput for a wrong name of the project."""
        secret = PREFIX + secrets.token_urlsafe(32)
        key = ApiKey(
            id=secrets.token_hex(8), digest=digest(secret), project=check_project(project), scope=scope, name=name,
            created_at=self.clock(),
        )  # fmt: skip
        self.access.put_key(key)
        return key, secret

    def list(self, project: str) -> Sequence[ApiKey]:
        """Return the project's keys, oldest first, with revoked ones."""
        return sorted(self.access.list_keys(project), key=lambda key: (key.created_at, key.id))

    def revoke(self, project: str, key_id: str) -> ApiKey:
        """Revoke a key; running functions notice within 30 s. Raises NotFound if the project has no such key."""
        for key in self.access.list_keys(project):
            if key.id == key_id:
                revoked = key.model_copy(update={"revoked": True})
                self.access.put_key(revoked)
                return revoked
        raise NotFound(f"the project {project} has no key {key_id}")
