"""The caller of a request."""

from dataclasses import dataclass

from wainwright.contracts.scopes import Scope
from wainwright.domain.errors import Forbidden
from wainwright.domain.jobs import RunBy


@dataclass(frozen=True)
class Caller:
    """The project and key of an authenticated request."""

    project: str
    key_id: str
    name: str
    scope: Scope

    @property
    def run_by(self) -> RunBy:
        """The caller in the form that a job stores."""
        return RunBy(id=self.key_id, name=self.name)

    def need(self, scope: Scope) -> None:
        """Raise Forbidden if the key's scope does not include ``scope``."""
        if not self.scope.allows(scope):
            raise Forbidden(
                f"this call needs a key with the scope {scope}; this one has {self.scope}",
                advice="Ask the project's administrator for a key with this scope.",
            )
