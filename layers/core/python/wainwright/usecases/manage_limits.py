"""A project's limits: how much may run and wait, how long what it leaves is kept."""

from dataclasses import dataclass

from wainwright.domain.capacity import Limits
from wainwright.ports.job_store import JobStore
from wainwright.usecases.caller import Caller


@dataclass(frozen=True)
class ManageLimits:
    """Tells and sets limits. ``default_limits`` are those of a project that has none of its own."""

    jobs: JobStore
    default_limits: Limits

    def get(self, caller: Caller) -> Limits:
        """The limits that hold for the caller's project."""
        return self.jobs.load(caller.project).limits or self.default_limits

    def put(self, caller: Caller, limits: Limits) -> Limits:
        """Replace them all. What is running or waiting beyond lower limits is left to end by itself."""
        self.jobs.set_limits(caller.project, limits)
        return limits
