"""Costs of calls of DynamoDB: their number, and the number of rows that the database examined for them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Meter:
    """Counts one client's calls by name, and the rows that queries examined."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.examined = 0

    @property
    def total(self) -> int:
        """Number of calls."""
        return self.calls.total()

    def reset(self) -> None:
        """Begin anew."""
        self.calls.clear()
        self.examined = 0

    def _note(self, parsed: dict[str, Any], model: Any, **_: Any) -> None:
        self.calls[model.name] += 1
        self.examined += parsed.get("ScannedCount", 0)


@contextmanager
def metered(client: Any) -> Iterator[Meter]:
    """Watch a client's calls."""
    meter = Meter()
    events = client.meta.events
    events.register("after-call.dynamodb", meter._note)
    try:
        yield meter
    finally:
        events.unregister("after-call.dynamodb", meter._note)
