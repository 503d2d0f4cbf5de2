"""Scopes of API keys."""

from enum import StrEnum


class Scope(StrEnum):
    """``admin`` includes ``run``, and ``run`` includes ``read``."""

    READ = "read"
    RUN = "run"
    ADMIN = "admin"

    def allows(self, needed: "Scope") -> bool:
        """True if a key of this scope may make a call that needs ``needed``."""
        order = list(Scope)
        return order.index(self) >= order.index(needed)
