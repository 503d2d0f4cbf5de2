"""Lanes: the workers that help a run's owner with its test cases, each with a lease of its own."""

from datetime import datetime
from typing import Any, Self

from pydantic import Field

from wainwright.domain.instants import Instant
from wainwright.domain.jobs import LEASE
from wainwright.domain.model import Record

MAX_LANES = 100
"""Of one job. They all number their events in one sequence, and lease from one list."""


class LaneEnd(Record):
    """How a lane ended, in the words of its runtime, where that matters to the run's owner.

    ``test_id`` is the test that ran when its process died: it has no outcome. ``interrupted`` is what tests left that were cut
    off, as results without an outcome, in the runtime's JSON; ``missing`` tells of evidence of theirs that is nowhere, and
    ``spooled`` names files of it that were on the worker's disk and not in the bucket.
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

    def live(self, now: datetime) -> bool:
        """Whether somebody is at work in the lane."""
        return not self.left and self.lease_until > now

    def renew(self, now: datetime) -> Self:
        """The worker is still there."""
        return self.model_copy(update={"lease_until": now + LEASE})

    def leave(self, end: LaneEnd | None = None) -> Self:
        """The worker has gone, or counts as lost: nothing that it writes is taken any more."""
        return self.model_copy(update={"left": True, "end": end})

    @property
    def name(self) -> str:
        """What keeps the files of this stay apart from those of any other of the run."""
        return f"{self.lane}" if self.joined == 1 else f"{self.lane}.{self.joined}"
