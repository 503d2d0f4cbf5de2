"""The two queues: wake-ups for dispatch, and work for the workers."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from wainwright.contracts.messages import WorkMessage


class WakeUps(Protocol):
    """The jobs queue."""

    def send(self, project: str, *, delay: timedelta = timedelta(0), workers: int = 0) -> None:
        """Have dispatch look at a project's line, after a delay of at most 900 s, and see that there are ``workers``."""


@dataclass(frozen=True)
class ReceivedWork:
    """A work message in hand, until its visibility ends."""

    message: WorkMessage
    receipt: str
    received: int = 1


class WorkQueue(Protocol):
    """The work queue, as a worker sees it."""

    def receive(self, wait: timedelta) -> ReceivedWork | None:
        """The next message, or None when none came in time."""

    def extend(self, receipt: str, visibility: timedelta) -> None:
        """Keep the message in hand for so long from now; zero gives it back at once."""

    def delete(self, receipt: str) -> None:
        """The message is done with."""

    def send(self, message: WorkMessage) -> None:
        """Ask for help with a run, or for a report: a message without a task token."""
