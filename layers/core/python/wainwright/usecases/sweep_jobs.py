"""Every minute: whatever fell between two steps goes on. One query of what is overdue; no scan."""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain, zip_longest

from wainwright.domain.errors import Conflict
from wainwright.domain.jobs import BLOCKED_CHECK_AFTER, Job, Outcome
from wainwright.domain.states import AT_REST, IN_WORK, JobStatus
from wainwright.ports.clock import Clock
from wainwright.ports.job_store import JobStore
from wainwright.ports.queues import WakeUps
from wainwright.ports.workers import WorkerStore
from wainwright.ports.workflows import ExecutionState, Workflows
from wainwright.usecases.dispatch_jobs import start_run
from wainwright.usecases.end_job import EndJob
from wainwright.usecases.finish_job import FinishJob

MOST_DUE = 10_000
"""Rows that one sweep takes up, most overdue first: more than it has the time for."""

BUDGET = timedelta(seconds=40)
"""No repair begins later in a sweep, whose function has 55 s; the next sweep takes the rest."""

FOREVER = datetime(9999, 1, 1, tzinfo=UTC)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SweepJobs:
    """Repairs what is overdue, each time by the step that was left out."""

    jobs: JobStore
    workers: WorkerStore
    workflows: Workflows
    finish: FinishJob
    end: EndJob
    wakeups: WakeUps
    clock: Clock

    def __call__(self, *, everything: bool = False) -> int:
        """Repair what is overdue, or with ``everything`` all that ever will be; returns how many jobs were looked at."""
        began = self.clock()
        lost = self._remove_lost_workers(everything=everything)
        woken: set[str] = set()
        faults: list[Exception] = []
        looked = 0
        for project, job_id in _in_turn(self.jobs.due(FOREVER if everything else began, MOST_DUE)):
            if not everything and self.clock() - began >= BUDGET:
                log.warning("out of time; the rest is for the next sweep", extra={"jobs": looked})
                break
            looked += 1
            try:
                if self._mend_row(project, job_id, everything=everything):
                    woken.add(project)
            except Exception as error:
                # One row that cannot be mended must not keep the rows behind it from being mended.
                log.exception("could not be repaired", extra={"jobId": job_id})
                faults.append(error)
        if lost and not woken:
            woken.update(load.project for load in self.jobs.loads() if load.queued or load.running)
        for project in sorted(woken):
            self.wakeups.send(project)
        if faults:
            raise ExceptionGroup(f"{len(faults)} of {looked} overdue jobs could not be repaired", faults)
        return looked

    def _remove_lost_workers(self, *, everything: bool) -> int:
        now = self.clock()
        lost = [worker.id for worker in self.workers.list() if everything or worker.due_at <= now]
        for worker_id in lost:
            log.warning("worker not seen in time; its row is removed", extra={"worker": worker_id})
            self.workers.remove(worker_id)
        return len(lost)

    def _mend_row(self, project: str, job_id: str, *, everything: bool) -> bool:
        job = self.jobs.get(project, job_id)
        if job is None or job.due_at is None or (job.due_at > self.clock() and not everything):
            return False  # the index lags behind the row
        try:
            self._mend(job)
        except Conflict:
            return False  # the step was taken just now
        return True

    def _mend(self, job: Job) -> None:
        now = self.clock()
        if job.status in AT_REST:
            if job.is_final and not job.is_leaf:
                job = self.jobs.write(job, job.touch(now))  # should it take longer than a sweep may, others come first
                self.end.lead_successors(job, now)
            else:
                self.jobs.write(job, job.look_for_report(now))
            self.end.ask_for_report(job)  # the message that did is lost, or nobody could write it
        elif job.blocked_on and job.status is JobStatus.PENDING:
            if not self.end.follow(job, now):
                self.jobs.write(job, job.touch(now, BLOCKED_CHECK_AFTER))
        elif job.waiting:  # the wake-up was lost, or it is not its turn; dispatch is woken either way
            self._look_again_later(job)
        else:
            self._mend_run(job, now)

    def _mend_run(self, job: Job, now: datetime) -> None:
        state = self.workflows.state(job.id, job.run)
        log.info("overdue", extra={"jobId": job.id, "run": job.run, "status": job.status, "execution": state})
        abandoned = job.status is JobStatus.CANCELING and job.can_be_claimed(now)
        if job.outcome is not None or state is ExecutionState.ENDED or (state is ExecutionState.RUNNING and abandoned):
            self.finish(job.project, job.id, job.run)
        elif state is ExecutionState.RUNNING:  # it waits for its token: the queue hands its message to another worker
            self._look_again_later(job)
        elif job.status is JobStatus.RUNNING:  # the execution is unknown, as after a restart of the one-machine system
            self.jobs.write(job, job.restart(now))
        elif job.status in IN_WORK:
            self.end(job, job.finish(Outcome(status=JobStatus.STOPPED, fence=job.fence), now), now)
        else:
            self._look_again_later(job)
            start_run(self.workflows, self.finish, job)

    def _look_again_later(self, job: Job) -> None:
        self.jobs.write(job, job.touch(self.clock()))


def _in_turn(rows: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield rows, given as (project, job id), of one project after the other: however many one has, no other waits for them."""
    by_project: dict[str, list[tuple[str, str]]] = {}
    for row in rows:
        by_project.setdefault(row[0], []).append(row)
    return (row for row in chain.from_iterable(zip_longest(*by_project.values())) if row is not None)
