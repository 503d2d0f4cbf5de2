"""What jobs cost."""

from typing import Protocol

from wainwright.domain.costs import Cost
from wainwright.domain.jobs import Job


class Costs(Protocol):
    """Tells what jobs cost."""

    def of(self, job: Job) -> Cost | None:
        """What a job has cost so far; None where that is not known."""
        ...
