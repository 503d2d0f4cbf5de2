"""A project's limits and load: jobs queued, lanes running, how long finished jobs are kept; and the changes of its load."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field

from wainwright.domain.errors import CapacityExceeded
from wainwright.domain.instants import to_text
from wainwright.domain.record import Record

if TYPE_CHECKING:
    from wainwright.domain.jobs import Job

RETRY_AFTER_SECONDS = 5
"""After a refusal for want of capacity."""

REPORT_CLASSES = (7, 30, 90, 365)
"""Days that reports can be kept for: each has a prefix in the bucket, with a lifecycle rule of its own."""


class Retention(Record):
    """Retention of jobs and reports (requirement D9). The counts are off unless set; ``archive`` keeps rows in the bucket."""

    job_days: int = Field(default=7, ge=1, le=3_650)
    report_days: Literal[7, 30, 90, 365] = 30
    max_completed: int | None = Field(default=None, ge=1)
    max_failed: int | None = Field(default=None, ge=1)
    archive: bool = False


class Limits(Record):
    """A project's limits: lanes of jobs that run, and jobs that wait, in the line or for other jobs (requirement D4)."""

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


@dataclass(frozen=True)
class LoadChange:
    """Changes to one project's counters by one write of its jobs. A store applies it as it is, all or nothing.

    ``served`` replaces the project's, unless it is empty: the write takes lanes. ``bounds`` are conditions: the highest
    value that a counter may have before the change.
    """

    queued: int
    running: int
    served: str
    bounds: Mapping[str, int]
    limits: Limits | None

    @classmethod
    def of(cls, changes: Iterable[tuple["Job | None", "Job"]], limits: Limits | None = None) -> Self:
        """Return the sum over jobs (before, after). Only counters that it raises are bounded, and only with ``limits``."""
        queued = running = 0
        served = ""
        for before, after in changes:
            queued += after.is_queued - (before is not None and before.is_queued)
            lanes = after.held_lanes - (before.held_lanes if before is not None else 0)
            running += lanes
            if lanes > 0:
                served = max(served, to_text(after.updated_at))
        bounds = {}
        if limits is not None and running > 0:
            bounds["running"] = limits.running - running
        if limits is not None and queued > 0:
            bounds["queued"] = limits.queued - queued
        return cls(queued, running, served, bounds, limits)

    def __bool__(self) -> bool:
        return bool(self.queued or self.running or self.served)

    def refusal(self) -> CapacityExceeded:
        """Return the error of a write whose bounds do not hold."""
        if self.limits is None:
            raise AssertionError("a change without limits is never refused")
        if "queued" in self.bounds:
            return CapacityExceeded(
                f"the project has {self.limits.queued} jobs queued, which is its limit", retry_after=RETRY_AFTER_SECONDS,
                advice="Wait until some have started, or have the project's administrator raise the limit.",
            )  # fmt: skip
        return CapacityExceeded(
            f"the project has all of its {self.limits.running} lanes running", retry_after=RETRY_AFTER_SECONDS
        )
