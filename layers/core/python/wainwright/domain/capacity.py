"""How much a project may have running and queued, how long what it leaves is kept, and how much it has."""

from typing import Literal

from pydantic import Field

from wainwright.domain.model import Record

REPORT_CLASSES = (7, 30, 90, 365)
"""Days that reports can be kept for: each has a prefix in the bucket, with a lifecycle rule of its own."""


class Retention(Record):
    """How long things are kept (requirement D9). The counts are off unless set; ``archive`` keeps rows in the bucket."""

    job_days: int = Field(default=7, ge=1, le=3_650)
    report_days: Literal[7, 30, 90, 365] = 30
    max_completed: int | None = Field(default=None, ge=1)
    max_failed: int | None = Field(default=None, ge=1)
    archive: bool = False


class Limits(Record):
    """A project's limits; jobs' lanes count for ``running``, jobs for ``queued`` (requirement D4)."""

    running: int = Field(default=5, ge=1, le=1_000)
    queued: int = Field(default=50, ge=1, le=100_000)
    retention: Retention = Retention()


class ProjectLoad(Record):
    """One project's counters. ``served`` orders projects by turn: the one served longest ago goes first."""

    project: str
    running: int = 0
    queued: int = 0
    served: str = ""
    limits: Limits | None = None
