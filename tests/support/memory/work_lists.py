"""Work lists and lanes in dictionaries, under the lock of the jobs that they belong to."""

from collections.abc import Sequence

from tests.support.memory.job_store import MemoryJobStore
from wainwright.domain.errors import Conflict, FenceLost
from wainwright.domain.jobs import Job
from wainwright.domain.lanes import LaneRecord
from wainwright.domain.work_list import WorkList, WorkOrder


class MemoryWorkListStore:
    """A :class:`~wainwright.ports.work_lists.WorkListStore` that forgets."""

    def __init__(self, jobs: MemoryJobStore) -> None:
        self._jobs = jobs
        self._lists: dict[tuple[str, str], tuple[WorkList, WorkOrder]] = {}

    def open(self, job: Job, work: WorkList, order: WorkOrder) -> None:
        with self._jobs.lock:
            self._jobs.check_held(job)
            self._lists[job.project, job.id] = (work, order)

    def read(self, job: Job) -> WorkList | None:
        with self._jobs.lock:
            work, _ = self._lists.get((job.project, job.id), (None, None))
        if work is not None and work.fence > job.fence:
            raise FenceLost(f"the work list of job {job.id} was made again")
        return work if work is not None and work.fence == job.fence else None

    def order(self, job: Job) -> WorkOrder:
        with self._jobs.lock:
            return self._lists[job.project, job.id][1]

    def last(self, job: Job) -> tuple[WorkList, WorkOrder] | None:
        with self._jobs.lock:
            found = self._lists.get((job.project, job.id))
        return found if found is not None and found[0].run == job.run else None

    def write(self, job: Job, work: WorkList) -> None:
        with self._jobs.lock:
            current, order = self._lists[job.project, job.id]
            if (current.fence, current.version) != (work.fence, work.version - 1):
                raise Conflict(f"the work list of job {job.id} changed since it was read")
            self._lists[job.project, job.id] = (work, order)

    def join(self, job: Job, lane: LaneRecord, before: LaneRecord | None) -> None:
        with self._jobs.lock:
            self._jobs.check_held(job)
            self._put(job, before, lane)

    def update(self, job: Job, before: LaneRecord, after: LaneRecord) -> None:
        with self._jobs.lock:
            self._put(job, before, after)

    def _put(self, job: Job, before: LaneRecord | None, after: LaneRecord) -> None:
        rows = self._jobs.lanes.setdefault((job.project, job.id, job.fence), {})
        if rows.get(after.lane) != before:
            raise Conflict(f"lane {after.lane} of job {job.id} changed since it was read")
        rows[after.lane] = after

    def lanes(self, job: Job) -> Sequence[LaneRecord]:
        with self._jobs.lock:
            return list(self._jobs.lanes.get((job.project, job.id, job.fence), {}).values())
