"""What an API key may do."""

from enum import StrEnum


class Scope(StrEnum):
    """``admin`` includes ``run``, and ``run`` includes ``read``."""

    READ = "read"
    RUN = "run"
    ADMIN = "admin"

    def allows(self, needed: "Scope") -> bool:
        """Whether a key of this scope may call what needs ``needed``."""
        order = list(Scope)
        return order.index(self) >= order.index(needed)
