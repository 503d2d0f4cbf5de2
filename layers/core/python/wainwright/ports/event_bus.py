"""The event bus."""

from collections.abc import Iterable
from typing import Protocol

from wainwright.contracts.events import StatusChanged


class EventBus(Protocol):
    """A bus on which changes of status are published."""

    def publish(self, changes: Iterable[StatusChanged]) -> None:
        """Publish all of them. Raises Unavailable: the bus did not take all; the caller sends all again."""
