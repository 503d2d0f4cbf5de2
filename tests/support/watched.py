"""What must hold of every job: a JobStore that checks each step that is written, and a check of each row."""

from __future__ import annotations

from typing import Any, cast

from wainwright.domain.failures import FailureCategory
from wainwright.domain.jobs import Job, Outcome
from wainwright.domain.states import AT_REST, IN_WORK, TRANSITIONS, JobStatus
from wainwright.ports import Clock, JobStore


class WatchedStore:
    """Passes everything on to another store, and lets no step by that the design does not have."""

    def __init__(self, inner: JobStore, clock: Clock) -> None:
        self._inner = inner
        self._clock = clock
        self._ended: set[tuple[str, int]] = set()

    @classmethod
    def around(cls, inner: JobStore, clock: Clock) -> JobStore:
        """The watched store, as the port that it is."""
        return cast("JobStore", cls(inner, clock))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def write(self, before: Job | None, after: Job, **more: Any) -> Job:
        """Write, and check what was written."""
        written = self._inner.write(before, after, **more)
        if before is None:
            assert (written.status, written.run, written.fence) == (JobStatus.PENDING, 0, 0)
        else:
            self._check_step(before, written)
        if written.outcome is not None:
            self._ended.add((written.id, written.run))
        return written

    def _check_claim(self, before: Job, after: Job) -> None:
        assert after.fence == before.fence + 1
        if before.worker is not None:
            assert before.lease_until is not None
            assert before.lease_until <= self._clock(), "a run was taken from a worker whose lease had not ended"
        assert (after.id, after.run) not in self._ended, "a run with an outcome was run again"
        assert after.losses == before.losses + (before.worker is not None)
        assert after.status in IN_WORK

    def _check_end(self, outcome: Outcome, before: Job, after: Job) -> None:
        """What a worker said a run came to is what it came to."""
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

    def _check_step(self, before: Job, after: Job) -> None:
        changed = before.status is not after.status
        if changed:
            assert after.status in TRANSITIONS[before.status], f"{before.status} became {after.status}"
        assert after.status_sequence == before.status_sequence + changed
        assert after.version == before.version + 1
        assert after.run - before.run in {0, 1}
        assert after.attempt - before.attempt in {0, 1}
        if after.run > before.run:
            assert before.waiting
            assert not changed
        if after.worker is not None and after.worker != before.worker:
            self._check_claim(before, after)
        else:
            assert after.fence == before.fence
        if before.outcome is not None and after.outcome is None:
            self._check_end(before.outcome, before, after)


def check_row(job: Job) -> None:
    """What holds of any job's row at any time."""
    if job.status in AT_REST:
        assert (job.due_at, job.admitted_at, job.worker, job.lease_until, job.not_before) == (None,) * 5
        assert job.completed_at is not None
        assert job.outcome is None
    else:
        assert job.due_at is not None, "nobody would look after it"
        assert job.completed_at is None
    if job.status in IN_WORK:
        assert job.admitted_at is not None
        assert job.started_at is not None
    assert (job.worker is None) == (job.lease_until is None)
    assert (job.failure is not None) >= (job.status in {JobStatus.FAILED, JobStatus.CANCELED})
    assert job.failure is None or job.status is not JobStatus.COMPLETED
    if job.status is JobStatus.CANCELED:
        assert job.failure is not None
        assert job.failure.category is FailureCategory.CANCELED_BY_USER
    assert job.attempt >= 1
    assert job.losses <= 3
    if job.not_before is not None:
        assert job.waiting
