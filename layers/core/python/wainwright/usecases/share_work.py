"""The work list of a run with several lanes: the owner opens it, all lanes lease from it."""

import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from wainwright.contracts.messages import WorkMessage
from wainwright.domain.errors import Conflict, Unavailable
from wainwright.domain.jobs import Job
from wainwright.domain.lanes import OWNER, LaneRecord
from wainwright.domain.work_list import WorkList, WorkOrder
from wainwright.ports.clock import Clock
from wainwright.ports.job_store import JobStore
from wainwright.ports.queues import WorkQueue
from wainwright.ports.updates import retry_conflicts
from wainwright.ports.work_lists import WorkListStore

TRIES = 60
"""The list is one row, which each writer puts in the place of the one that he read: one of them always gets through."""

log = logging.getLogger(__name__)

T = TypeVar("T")
Share = Callable[[WorkList, WorkOrder], int]
"""Returns the number of cases that a lane leases now."""


@dataclass(frozen=True)
class ShareWork:
    """``job`` always says by its run and fence who calls: the run's owner, or a lane under the owner's fence."""

    jobs: JobStore
    lists: WorkListStore
    queue: WorkQueue
    clock: Clock
    pause: Callable[[float], None] = time.sleep

    def invite(self, job: Job) -> None:
        """Ask for as many helpers as the job has lanes besides its owner's. Nobody waits for those who do not come."""
        for lane in range(1, job.lanes):
            message = WorkMessage(project=job.project, job_id=job.id, run=job.run, lane=lane, fence=job.fence)
            self.queue.send(message)

    def open(self, job: Job, cases: Sequence[tuple[str, str]], durations: Mapping[str, float]) -> WorkOrder:
        """Make the work list of cases given as (id, file); lanes may lease from then on. Raises as the store."""
        order = WorkOrder.of(cases, durations, job.lanes)
        self.lists.open(job, WorkList(fence=job.fence, run=job.run, lanes=job.lanes, total=len(order)), order)
        return order

    def find_order(self, job: Job) -> WorkOrder | None:
        """The cases of the work list, once its owner has opened it. Raises as :meth:`lease`."""
        return self.lists.order(job) if self.lists.read(job) else None

    def has_idle_lanes(self, job: Job) -> bool:
        """True if nothing is left on the list while a lane holds nothing. Raises as :meth:`lease`."""
        work = self.lists.read(job)
        return work is not None and work.is_empty and len(work.held) < work.lanes

    def is_finished(self, job: Job) -> bool:
        """True if nothing is left on the list, and nothing held. Raises as :meth:`lease`."""
        work = self.lists.read(job)
        return work is not None and work.is_finished

    def live_lanes(self, job: Job) -> Sequence[LaneRecord]:
        """Return the lanes that have a worker."""
        now = self.clock()
        return [lane for lane in self.lists.lanes(job) if lane.is_live(now)]

    def lease(
        self,
        job: Job,
        holder: str,
        order: WorkOrder,
        share: Share | None,
        known: Collection[int],
        done: Collection[int],
    ) -> tuple[WorkList, tuple[int, ...]]:
        """Lease the next cases, and hold those that are ``done`` no more; None for ``share``: the latter alone.

        ``known`` are the positions that the holder knows to be its own. Should it hold others, by a write whose answer was
        lost, those are given in place of new ones.

        Raises:
            FenceLost: the run has another owner.
            Unavailable: the list could not be written.
        """

        def step(work: WorkList) -> tuple[WorkList, tuple[int, ...]]:
            if missed := tuple(sorted(set(work.held.get(holder, ())) - set(known))):
                return work, missed
            number = share(work, order) if share else 0
            return work.lease(holder, number, done) if number or done else (work, ())

        return self._change(job, step)

    def give_back(self, job: Job, holder: str, unfinished: Collection[int], keeps: Collection[int] = ()) -> WorkList:
        """Put cases on the list again. The holder is done with what it neither gives back nor ``keeps``. Raises as lease."""

        def step(work: WorkList) -> tuple[WorkList, None]:
            if holder not in work.held:
                return work, None
            return work.give_back(holder, unfinished, keeps=keeps), None

        return self._change(job, step)[0]

    def bring_back(self, job: Job, order: WorkOrder, holder: str) -> None:
        """Put what lanes held that are not at work any more on the list again. Raises as lease."""
        work = self.lists.read(job)
        tokens = [token for token in (work.held if work else {}) if token not in (OWNER, holder)]
        rows = {lane.token: lane for lane in self.lists.lanes(job)} if tokens else {}
        for token in tokens:
            lane = rows.get(token)
            if lane is None or lane.left or self._dismiss(job, lane):
                self._bring_back(job, order, token, lane)

    def _dismiss(self, job: Job, lane: LaneRecord) -> bool:
        """End a stay whose lease ran out; False if it has not, or was renewed meanwhile."""
        if lane.is_live(self.clock()):
            return False
        try:
            self.lists.update(job, lane, lane.leave())
        except Conflict:
            return False
        log.warning(
            "a lane was lost", extra={"jobId": job.id, "run": job.run, "lane": lane.lane, "worker": lane.worker}
        )
        return True

    def _bring_back(self, job: Job, order: WorkOrder, token: str, lane: LaneRecord | None) -> None:
        """Of a stay that has ended: nothing that it writes is taken any more, so what has no outcome now gets none from it."""
        work = self.lists.read(job)
        held = work.held.get(token, ()) if work else ()
        ended = {test.id for test in self.jobs.tests(job.project, job.id, [order.ids[at] for at in held])
                 if test.attempt == job.attempt}  # fmt: skip
        spent = lane.end.test_id if lane and lane.end else None
        self.give_back(job, token, [at for at in held if order.ids[at] not in ended and order.ids[at] != spent])

    def dismiss_all(self, job: Job) -> Sequence[LaneRecord]:
        """End all stays in lanes: nothing that they write is taken any more. Returns the lanes as they were then."""

        def attempt() -> Sequence[LaneRecord]:
            lanes = self.lists.lanes(job)
            for lane in lanes:
                if not lane.left:
                    self.lists.update(job, lane, lane.leave())
            return lanes

        return retry_conflicts(attempt, f"the lanes of job {job.id}", tries=TRIES, pause=self.pause)

    def _change(self, job: Job, step: Callable[[WorkList], tuple[WorkList, T]]) -> tuple[WorkList, T]:
        """Read the list, and write what a step makes of it, until nobody wrote it meanwhile."""

        def attempt() -> tuple[WorkList, T]:
            work = self.lists.read(job)
            if work is None:
                raise Unavailable(f"the work list of job {job.id} is not there")
            after, found = step(work)
            if after is not work:
                self.lists.write(job, after)
            return after, found

        return retry_conflicts(attempt, f"the work list of job {job.id}", tries=TRIES, pause=self.pause)
