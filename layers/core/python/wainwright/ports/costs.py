"""Costs of jobs."""

from typing import Protocol

from wainwright.domain.costs import Cost
from wainwright.domain.jobs import Job


class Costs(Protocol):
    """Tells what jobs cost."""

    def of(self, job: Job) -> Cost | None:
        """Return the cost of a job so far; None where that is not known."""
