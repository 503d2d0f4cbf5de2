"""Lanes of a run besides the owner's, each with a lease of its own."""

from datetime import datetime
from typing import Any, Self

from pydantic import Field

from wainwright.domain.instants import Instant
from wainwright.domain.jobs import LEASE
from wainwright.domain.record import Record

MAX_LANES = 100
"""Of one job. They all number their events in one sequence, and lease from one list."""

OWNER = "owner"
"""Name by which lane 0 holds cases; other lanes do by the tokens of their stays."""


class LaneEnd(Record):
    """The end of a lane, in the words of its runner, for the run's owner.

    ``test_id`` is the test that ran when its process died: it has no outcome. ``interrupted`` are results, in the runner's
    JSON, of tests that were ended by force; ``missing`` tells of evidence of theirs that is nowhere, and ``spooled`` names
    files of it that were on the worker's disk and not in the bucket.
    """

    reason: str
    message: str = ""
    test_id: str | None = None
    exit_code: int | None = None
    signal: int | None = None
    oom_kills: int | None = None
    interrupted: tuple[dict[str, Any], ...] = ()
    missing: tuple[str, ...] = ()
    spooled: tuple[str, ...] = ()


class LaneRecord(Record):
    """One lane of a run, as its row keeps it. Lane 0, the owner itself, has none.

    ``token`` is of one worker's stay in the lane: what it writes is refused once the row has another, or has ``left``.
    ``joined`` counts the workers that the lane has had.
    """

    lane: int = Field(ge=1)
    token: str
    worker: str
    lease_until: Instant
    joined: int = 1
    left: bool = False
    end: LaneEnd | None = None

    def is_live(self, now: datetime) -> bool:
        """True while a worker is in the lane."""
        return not self.left and self.lease_until > now

    def renew(self, now: datetime) -> Self:
        """Extend the lease."""
        return self.model_copy(update={"lease_until": now + LEASE})

    def leave(self, end: LaneEnd | None = None) -> Self:
        """End the stay: nothing that its worker writes is taken any more."""
        return self.model_copy(update={"left": True, "end": end})

    @property
    def name(self) -> str:
        """Name of the stay, which no other of the run has."""
        return f"{self.lane}" if self.joined == 1 else f"{self.lane}.{self.joined}"
