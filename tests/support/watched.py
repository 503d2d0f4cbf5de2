"""Invariants of every job: a JobStore that checks each step that is written, and a check of each row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from wainwright.domain.capacity import Limits
from wainwright.domain.failures import FailureCategory
from wainwright.domain.jobs import BLOCKED_CHECK_AFTER, CHECK_AFTER, LEASE, Job, Outcome
from wainwright.domain.states import AT_REST, FINAL, IN_WORK, TRANSITIONS, JobStatus
from wainwright.ports.clock import Clock
from wainwright.ports.job_store import JobStore

AT_ONCE = 30
"""Successors that an ending takes along in its own transaction."""


class WatchedStore:
    """Passes everything on to another store, and lets no step by that the design does not have.

    ``limits_of`` tells the limits in force, ``vanished`` whether the execution of a job's run is unknown. ``meanwhile`` is
    done once, right before the next write or deletion takes place: what somebody else does between a read and its write.
    """

    def __init__(
        self, inner: JobStore, clock: Clock, limits_of: Callable[[str], Limits], vanished: Callable[[Job], bool]
    ) -> None:
        self._inner = inner
        self._clock = clock
        self._limits_of = limits_of
        self._vanished = vanished
        self._ended: set[tuple[str, int]] = set()
        self.jobs: dict[str, Job] = {}
        self.meanwhile: Callable[[], None] | None = None

    @property
    def port(self) -> JobStore:
        """The watched store, as the port that it is."""
        return cast("JobStore", self)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    update = JobStore.update  # through the watched write

    def write(self, before: Job | None, after: Job, *, also: Sequence[tuple[Job, Job]] = (), **more: Any) -> Job:
        """Write, and check what was written."""
        self._let_others_go_first()
        written = self._inner.write(before, after, also=also, **more)
        others = [
            (old, new.model_copy(update={"version": old.version + 1, "operation": written.operation}))
            for old, new in also
        ]
        for old, new in [(before, written), *others]:
            self._check_change(old, new)
        self.jobs |= {job.id: job for job in (written, *(new for _, new in others))}
        for old, new in [(before, written), *others]:
            self._check_chain(old, new)
            self._check_room(old, new)
        if written.outcome is not None:
            self._ended.add((written.id, written.run))
        return written

    def seal(self, job: Job) -> None:
        """Seal what is about to be deleted."""
        self._let_others_go_first()
        self._inner.seal(job)

    def delete(self, job: Job) -> None:
        """Delete, and forget the job."""
        self._let_others_go_first()
        self._inner.delete(job)
        deleted = self.jobs.pop(job.id, None)
        assert deleted is None or deleted.status in AT_REST, "a job that was not at rest was deleted"

    def _let_others_go_first(self) -> None:
        step, self.meanwhile = self.meanwhile, None
        if step is not None:
            step()

    def held_lanes(self, project: str) -> int:
        """Lanes that a project holds."""
        return sum(job.held_lanes for job in self.jobs.values() if job.project == project)

    def queued(self, project: str) -> int:
        """Jobs in a project's waiting line, or that wait for others."""
        return sum(job.is_queued for job in self.jobs.values() if job.project == project)

    def ended_badly(self, job_id: str) -> bool:
        """Return True if nothing that waits for this job can ever run."""
        return job_id not in self.jobs or self.jobs[job_id].status in FINAL - {JobStatus.COMPLETED}

    # Each step, before it is known what else was written with it

    def _check_change(self, before: Job | None, after: Job) -> None:
        if before is None:
            assert (after.status, after.run, after.fence) == (JobStatus.PENDING, 0, 0)
            return
        assert self.jobs[before.id].version == before.version, "written over what was not read"
        self._check_step(before, after)

    def _check_step(self, before: Job, after: Job) -> None:
        changed = before.status is not after.status
        if changed:
            assert after.status in TRANSITIONS[before.status], f"{before.status} became {after.status}"
        elif after.status in AT_REST:
            assert (after.completed_at, after.expires_at) == (before.completed_at, before.expires_at)
        assert after.status_sequence == before.status_sequence + changed
        assert after.version == before.version + 1
        assert after.run - before.run in {0, 1}
        assert after.attempt - before.attempt in {0, 1}
        assert (after.created_at, after.depends_on) == (before.created_at, before.depends_on)
        if after.run > before.run:
            assert not changed
            self._check_turn(before)
        if before.admitted_at is not None and after.status is JobStatus.PENDING and after.attempt == before.attempt:
            self._check_put_back(before, after)
        if after.worker is not None and after.worker != before.worker:
            self._check_claim(before, after)
        else:
            assert after.fence == before.fence
        if before.outcome is not None and after.outcome is None:
            self._check_end(before.outcome, before, after)

    def _check_turn(self, job: Job) -> None:
        """The first of those of the project that may start now is admitted."""
        now = self._clock()
        ready = [
            each
            for each in self.jobs.values()
            if each.project == job.project and each.waiting and (each.not_before or now) <= now
        ]
        first = min(ready, key=lambda each: (each.low_priority, -each.priority, each.created_at, each.id))
        assert first.id == job.id, f"{job.id} was admitted before {first.id}"

    def _check_put_back(self, before: Job, after: Job) -> None:
        """An admitted job stays so, whatever becomes of the limits, unless no worker has taken it yet."""
        if after.admitted_at is not None:
            return
        if before.status is JobStatus.PENDING:
            assert self.held_lanes(before.project) > self._limits_of(before.project).running, "put back with room left"
        else:
            assert self._vanished(before), "a run was begun anew though its execution was there"

    def _check_claim(self, before: Job, after: Job) -> None:
        assert after.fence == before.fence + 1
        if before.worker is not None:
            assert before.lease_until is not None
            assert before.lease_until <= self._clock(), "a run was taken from a worker whose lease had not ended"
        assert (after.id, after.run) not in self._ended, "a run with an outcome was run again"
        assert after.losses == before.losses + (before.worker is not None)
        assert after.status in IN_WORK

    def _check_end(self, outcome: Outcome, before: Job, after: Job) -> None:
        """A run comes to what its worker said."""
        if before.status is JobStatus.CANCELING:
            assert after.status is JobStatus.CANCELED
        elif outcome.status is JobStatus.COMPLETED:
            assert after.status is JobStatus.COMPLETED
        elif outcome.status is JobStatus.STOPPED and before.status is JobStatus.STOPPING:
            assert after.status is JobStatus.STOPPED
        else:
            assert outcome.failure is not None
            assert after.failure == outcome.failure
            tried_again = after.status is JobStatus.PENDING and after.attempt == before.attempt + 1
            assert tried_again or after.status is JobStatus.FAILED

    # Each step, with all that was written in the same transaction

    def _check_chain(self, before: Job | None, after: Job) -> None:
        """Jobs go on when those before them completed, and only then; an ending takes its direct successors along."""
        waits_no_more = set(before.blocked_on if before else after.depends_on) - set(after.blocked_on)
        waiting_ended = after.status in {JobStatus.SKIPPED, JobStatus.CANCELED}
        for job_id in () if waiting_ended else waits_no_more:
            if job_id not in self.jobs:
                assert before is None, "went on after a job that is gone"
                continue  # it was deleted while the request was looked at, having completed
            assert self.jobs[job_id].status is JobStatus.COMPLETED, "went on after a job that did not complete"
        if after.status is JobStatus.SKIPPED and before is not None and not before.is_final:
            assert any(self.ended_badly(job_id) for job_id in waits_no_more), "skipped though nothing is lost yet"
        if before is None:
            assert not any(self.jobs[job_id].is_final for job_id in after.blocked_on), "waits for what has ended"
            assert not any(self.jobs[job_id].is_leaf for job_id in after.blocked_on), "its ending would not look"
        elif after.is_final and not before.is_final and after.status is not JobStatus.SKIPPED:
            left = [job for job in self.jobs.values() if job.status is JobStatus.PENDING and after.id in job.blocked_on]
            assert not left or len(left) > AT_ONCE, "an ending left its successors behind"

    def _check_room(self, before: Job | None, after: Job) -> None:
        """Nobody is let in over the limit that is in force then."""
        limits = self._limits_of(after.project)
        if before is None and after.is_queued:
            assert self.queued(after.project) <= limits.queued
        if after.held_lanes > (before.held_lanes if before else 0):
            assert self.held_lanes(after.project) <= limits.running


def check_row(job: Job, now: datetime, kept: timedelta) -> None:
    """Check what holds of any job's row at any time. ``kept`` is how long jobs are kept once they are at rest."""
    if job.status in AT_REST:
        assert (job.admitted_at, job.worker, job.lease_until, job.not_before) == (None,) * 4
        assert job.due_at is not None or not job.owes_report, "nobody would look after its report"
        assert job.due_at is None or job.owes_report or not job.is_leaf, "it has a report, and no successors"
        assert job.completed_at is not None
        assert job.expires_at == job.completed_at + kept, "kept for longer or shorter than it should be"
        assert job.outcome is None
    else:
        assert job.due_at is not None, "nobody would look after it"
        assert job.due_at <= max(now, job.not_before or now) + (
            BLOCKED_CHECK_AFTER if job.blocked_on else LEASE + CHECK_AFTER
        )
        assert (job.completed_at, job.expires_at) == (None, None)
    if job.status in IN_WORK:
        assert job.admitted_at is not None
        assert job.started_at is not None
    assert (job.worker is None) == (job.lease_until is None)
    assert (job.failure is not None) >= (job.status in {JobStatus.FAILED, JobStatus.CANCELED, JobStatus.SKIPPED})
    assert job.failure is None or job.status is not JobStatus.COMPLETED
    if job.status is JobStatus.CANCELED:
        assert job.failure is not None
        assert job.failure.category is FailureCategory.CANCELED_BY_USER
    assert set(job.blocked_on) <= set(job.depends_on)
    if job.blocked_on:
        assert job.status in {JobStatus.PENDING, JobStatus.STOPPED}, "waits for nothing any more"
        assert job.run == 0, "ran before those that it depends on"
    assert 1 <= job.fresh_since <= job.attempt
    assert job.losses <= 3
    if job.not_before is not None:
        assert job.waiting
