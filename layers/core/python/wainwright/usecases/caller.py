"""Who is asking."""

from dataclasses import dataclass

from wainwright.contracts.scopes import Scope
from wainwright.domain.errors import Forbidden
from wainwright.domain.jobs import RunBy


@dataclass(frozen=True)
class Caller:
    """The project and key that a request was authenticated as."""

    project: str
    key_id: str
    name: str
    scope: Scope

    @property
    def run_by(self) -> RunBy:
        """The caller as a job remembers it."""
        return RunBy(id=self.key_id, name=self.name)

    def need(self, scope: Scope) -> None:
        """Refuse what the key may not do.

        Raises:
            Forbidden: the key's scope does not include ``scope``.
        """
        if not self.scope.allows(scope):
            raise Forbidden(
                f"this call needs a key with the scope {scope}; this one has {self.scope}",
                advice="Ask the project's administrator for a key that may.",
            )
