"""How much a project may have running and queued, and how much it has."""

from pydantic import Field

from wainwright.domain.model import Record


class Limits(Record):
    """A project's limits; jobs' lanes count for ``running``, jobs for ``queued`` (requirement D4)."""

    running: int = Field(default=5, ge=1, le=1_000)
    queued: int = Field(default=50, ge=1, le=100_000)


class ProjectLoad(Record):
    """One project's counters. ``served`` orders projects by turn: the one served longest ago goes first."""

    project: str
    running: int = 0
    queued: int = 0
    served: str = ""
    limits: Limits | None = None
