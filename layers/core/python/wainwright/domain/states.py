"""The states of a job and the one table of what may follow what.

Every write of a job goes through :func:`check_transition`; nothing else decides what is allowed.
"""

from enum import StrEnum
from types import MappingProxyType

from wainwright.domain.errors import TransitionRefused


class JobStatus(StrEnum):
    """States of a job. ``completed, failed, canceled, skipped`` are final unless somebody retries by hand."""

    PENDING = "pending"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    CANCELING = "canceling"
    CANCELED = "canceled"
    COMPLETED = "completed"
    FAILED = "failed"
    SKIPPED = "skipped"


_S = JobStatus

TRANSITIONS: MappingProxyType[JobStatus, frozenset[JobStatus]] = MappingProxyType(
    {
        _S.PENDING: frozenset({_S.RUNNING, _S.STOPPED, _S.CANCELED, _S.SKIPPED, _S.FAILED}),
        _S.RUNNING: frozenset({_S.PENDING, _S.COMPLETED, _S.FAILED, _S.STOPPING, _S.CANCELING}),
        _S.STOPPING: frozenset({_S.STOPPED, _S.COMPLETED, _S.FAILED, _S.CANCELING}),
        _S.CANCELING: frozenset({_S.CANCELED}),
        _S.STOPPED: frozenset({_S.PENDING, _S.CANCELED}),
        _S.FAILED: frozenset({_S.PENDING}),
        _S.COMPLETED: frozenset(),
        _S.CANCELED: frozenset(),
        _S.SKIPPED: frozenset(),
    }
)

FINAL: frozenset[JobStatus] = frozenset({_S.COMPLETED, _S.FAILED, _S.CANCELED, _S.SKIPPED})
"""States in which nothing more happens by itself."""

AT_REST: frozenset[JobStatus] = FINAL | {_S.STOPPED}
"""States in which a job holds no capacity and nobody has to keep it alive."""

IN_WORK: frozenset[JobStatus] = frozenset({_S.RUNNING, _S.STOPPING, _S.CANCELING})
"""States in which a worker has, or had, the job."""


def check_transition(before: JobStatus, after: JobStatus) -> None:
    """Raise TransitionRefused for a step that the table does not have. Staying in a state is no step."""
    if before is not after and after not in TRANSITIONS[before]:
        raise TransitionRefused(before, after)
