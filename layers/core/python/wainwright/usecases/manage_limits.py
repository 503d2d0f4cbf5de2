"""Read and set a project's limits."""

from dataclasses import dataclass

from wainwright.domain.capacity import Limits
from wainwright.ports.job_store import JobStore
from wainwright.usecases.caller import Caller


@dataclass(frozen=True)
class ManageLimits:
    """Reads and sets limits. ``default_limits`` are those of a project that has none of its own."""

    jobs: JobStore
    default_limits: Limits

    def get(self, caller: Caller) -> Limits:
        """Return the limits of the caller's project."""
        return self.jobs.load(caller.project).limits or self.default_limits

    def put(self, caller: Caller, limits: Limits) -> Limits:
        """Replace all limits. Jobs beyond lower limits are left to end by themselves."""
        self.jobs.set_limits(caller.project, limits)
        return limits
