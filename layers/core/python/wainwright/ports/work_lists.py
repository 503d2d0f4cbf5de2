"""Work lists and lanes of jobs that run in several lanes."""

from collections.abc import Sequence
from typing import Protocol

from wainwright.domain.jobs import Job
from wainwright.domain.lanes import LaneRecord
from wainwright.domain.work_list import WorkList, WorkOrder


class WorkListStore(Protocol):
    """Work lists and lanes of running jobs, among the rows of their jobs. Each fence of a job has its own.

    ``job`` always says by its run and fence who calls: its owner, or a lane under its owner's fence.
    """

    def open(self, job: Job, work: WorkList, order: WorkOrder) -> None:
        """Put a new work list in the place of the one that an earlier fence had. May be repeated.

        Raises:
            FenceLost: the job's row has another run or fence by now.
        """

    def read(self, job: Job) -> WorkList | None:
        """The job's work list, read consistently; None before its owner has opened it.

        Raises:
            FenceLost: there is one of a later fence.
        """

    def order(self, job: Job) -> WorkOrder:
        """The cases of the job's work list in their order; to be called once there is one."""

    def last(self, job: Job) -> tuple[WorkList, WorkOrder] | None:
        """The list that the job's run had last, with its order, whichever of the run's owners made it; None if it had none."""

    def write(self, job: Job, work: WorkList) -> None:
        """Put a list in the place of the version before it.

        Raises:
            Conflict: somebody else wrote it meanwhile: read it and decide again.
        """

    def join(self, job: Job, lane: LaneRecord, before: LaneRecord | None) -> None:
        """Write the row of a worker's stay in a lane, where ``before`` (None: nothing) stands.

        Raises:
            Conflict: somebody else wrote it meanwhile.
            FenceLost: the job's row has another run or fence by now.
        """

    def update(self, job: Job, before: LaneRecord, after: LaneRecord) -> None:
        """Renew a lane's lease, or end it. Raises Conflict: the row is no longer ``before``."""

    def lanes(self, job: Job) -> Sequence[LaneRecord]:
        """The lanes under the job's fence, read consistently."""
