"""A lane's leases on the work list: cases are leased ahead of need, and let go as their outcomes are written."""

import logging
import threading
import time
from collections import deque
from collections.abc import Collection
from typing import Self

from wainwright.domain.errors import Lost
from wainwright.domain.jobs import Job
from wainwright.domain.lanes import OWNER
from wainwright.domain.work_list import WorkList, WorkOrder
from wainwright.usecases.share_work import ShareWork
from wainwright.worker.runners.suite import StopRequest, Take

OPENED_SECONDS = 0.2
"""Between two looks of a lane that came before the work list was there."""

IDLE_SECONDS = 0.25
"""Between two looks of a lane without work: some may be on the list again, or all done."""

LOST_SECONDS = 2.0
"""Between two looks for lanes that were lost, to bring back what they held."""

EVEN_SECONDS = 2.0
"""Between two looks for lanes that have nothing to do while cases wait behind the one that this lane runs."""

BATCH_SHARES = 2
"""In the place of ``SHARES_EACH``, for runners that start a process for each lease."""

MAX_BATCH = 200

log = logging.getLogger(__name__)


class CaseLeases:
    """A thread that leases cases for one lane; the suite's ``CaseFeed``.

    ``batches``: cases are not fed one by one but run as batches, for which :meth:`take_batch` waits. The owner itself says
    by :meth:`open` when the work list is there; other lanes look for it.
    """

    def __init__(self, share: ShareWork, job: Job, holder: str, *, batches: bool = False) -> None:
        self._share = share
        self._job = job
        self._holder = holder
        self._batches = batches
        self._changed = threading.Condition()
        self._order: WorkOrder | None = None
        self._position: dict[str, int] = {}
        self._held: set[int] = set()
        self._done: set[int] = set()
        self._waiting: deque[int] = deque()
        self._wanted = self._ahead = self._closing = False
        self._answer: Take = "wait"
        self._error: Exception | None = None
        self._looked_for_lost = 0.0
        self._thread = threading.Thread(target=self._lease_all, name="leases", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join()

    # For the suite

    def take(self) -> Take:
        """Return what to run next.

        Raises:
            FenceLost: the run has another owner.
        """
        with self._changed:
            if self._error is not None:
                raise self._error
            if self._waiting and self._order is not None:
                taken = (self._order.ids[self._waiting.popleft()],)
                self._changed.notify_all()
                return taken
            self._wanted = True
            self._changed.notify_all()
            return self._answer

    def take_batch(self, stop: StopRequest) -> tuple[str, ...]:
        """Wait for the next batch; it is empty when there will be no more, or once it is to stop. Raises as :meth:`take`."""
        with self._changed:
            self._wanted = True
            self._changed.notify_all()
            while stop.mode == "run":
                if self._error is not None:
                    raise self._error
                if self._waiting and self._order is not None:
                    taken = tuple(self._order.ids[position] for position in self._waiting)
                    self._waiting.clear()
                    return taken
                if self._answer == "over":
                    break
                self._changed.wait(IDLE_SECONDS)
        return ()

    def recorded(self, ids: Collection[str]) -> None:
        """Let go of these cases, whose outcomes have been written."""
        with self._changed:
            self._done.update(self._position[each] for each in ids if each in self._position)
            self._changed.notify_all()

    def open(self, order: WorkOrder) -> None:
        """Begin to lease: the work list is there."""
        with self._changed:
            self._order = order
            self._position = {each: at for at, each in enumerate(order.ids)}
            self._changed.notify_all()

    def give_back(self, spent: str | None = None) -> None:
        """Give back whatever has no outcome, but for a case that is not to be run again. To be called after the thread's end.

        Raises:
            FenceLost: the run has another owner.
        """
        if self._order is None:
            return
        unfinished = [at for at in self._held - self._done if self._order.ids[at] != spent]
        self._share.give_back(self._job, self._holder, unfinished)

    # The thread

    def _lease_all(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closing or self._due(), timeout=self._pause())
                if self._closing or self._answer == "over":
                    return
            try:
                self._step()
            except Lost as error:
                with self._changed:
                    self._error = error
                    self._changed.notify_all()
                return
            except Exception:
                # The network's faults pass, or the lease ends, which whoever holds the lane notices.
                log.exception("could not lease test cases", extra={"jobId": self._job.id})
                with self._changed:
                    self._changed.wait_for(lambda: self._closing, timeout=IDLE_SECONDS)

    def _due(self) -> bool:
        if self._order is None:
            return False
        if self._answer == "idle":
            return bool(self._done)
        return not self._waiting and (self._wanted or self._ahead)

    def _pause(self) -> float | None:
        if self._order is None:
            return None if self._holder == OWNER else OPENED_SECONDS
        return IDLE_SECONDS if self._answer == "idle" else EVEN_SECONDS

    def _step(self) -> None:
        if self._order is None:
            if (order := self._share.find_order(self._job)) is not None:
                self.open(order)
        elif self._answer == "idle":
            if not self._done and time.monotonic() - self._looked_for_lost >= LOST_SECONDS:
                self._looked_for_lost = time.monotonic()
                self._share.bring_back(self._job, self._order, self._holder)
            self._lease(self._order)
        elif not self._waiting and (self._wanted or self._ahead):
            self._lease(self._order)
        elif self._waiting and not self._batches:
            self._even_out()

    def _lease(self, order: WorkOrder) -> None:
        with self._changed:
            known, done = set(self._held), set(self._done)
            # While the last case runs, what comes back is for those who have none.
            share = self._number if self._wanted or self._ahead else None
        work, taken = self._share.lease(self._job, self._holder, order, share, known, done)
        with self._changed:
            self._held = (self._held - done) | set(taken)
            self._done -= done
            self._waiting.extend(taken)
            self._ahead = bool(taken) and not self._batches and work.may_lease_ahead(order)
            self._answer = "wait" if taken else "over" if work.is_finished else "idle"
            if taken:
                self._wanted = False
            self._changed.notify_all()

    def _number(self, work: WorkList, order: WorkOrder) -> int:
        return work.share(order, shares_each=BATCH_SHARES, most=MAX_BATCH) if self._batches else work.share(order)

    def _even_out(self) -> None:
        """Give back what waits behind the running case while another lane has nothing to do."""
        if not self._share.has_idle_lanes(self._job):
            return
        with self._changed:
            back, done = list(self._waiting), set(self._done)
            keeps = self._held - set(back) - done
            self._waiting.clear()
        try:
            self._share.give_back(self._job, self._holder, back, keeps)
        except Exception:
            with self._changed:
                self._waiting.extendleft(reversed(back))
            raise
        with self._changed:
            self._held = keeps
            self._done -= done
