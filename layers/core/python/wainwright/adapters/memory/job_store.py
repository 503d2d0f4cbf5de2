"""Jobs in a dictionary. One lock stands for the transactions of the real store."""

import json
import threading
import uuid
from collections.abc import Sequence
from datetime import datetime

from wainwright.contracts.events import JobEvent
from wainwright.domain.capacity import Limits, ProjectLoad
from wainwright.domain.errors import CapacityExceeded, Conflict, FenceLost, IdempotencyConflict, InvalidInput
from wainwright.domain.instants import to_text
from wainwright.domain.jobs import Job, JobDetail
from wainwright.domain.tests import Tally
from wainwright.ports import Idempotency, JobView, LineEntry, NewEvent, Page, Progress, StoredTest


class MemoryJobStore:
    """A :class:`~wainwright.ports.JobStore` that forgets."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._jobs: dict[tuple[str, str], Job] = {}
        self._details: dict[tuple[str, str], JobDetail] = {}
        self._progress: dict[tuple[str, str], Progress] = {}
        self._tests: dict[tuple[str, str], dict[str, StoredTest]] = {}
        self._events: dict[tuple[str, str], list[JobEvent]] = {}
        self._keys: dict[tuple[str, str], tuple[str, str]] = {}
        self._loads: dict[str, ProjectLoad] = {}

    def write(
        self,
        before: Job | None,
        after: Job,
        *,
        limits: Limits | None = None,
        detail: JobDetail | None = None,
        idempotency: Idempotency | None = None,
    ) -> Job:
        """See :meth:`wainwright.ports.JobStore.write`."""
        key = (after.project, after.id)
        with self._lock:
            current = self._jobs.get(key)
            if (current.version if current else None) != (before.version if before else None):
                raise Conflict(f"job {after.id} changed since it was read")
            if idempotency and (after.project, idempotency.key) in self._keys:
                raise IdempotencyConflict("this Idempotency-Key is taken")
            self._count(before, after, limits)
            written = after.model_copy(
                update={"version": (before.version if before else 0) + 1, "operation": str(uuid.uuid4())}
            )
            self._jobs[key] = written
            if detail is not None:
                self._details[key] = detail
            if idempotency:
                self._keys[after.project, idempotency.key] = (after.id, idempotency.digest)
            return written

    def _count(self, before: Job | None, after: Job, limits: Limits | None) -> None:
        load = self._loads.get(after.project, ProjectLoad(project=after.project))
        queued = int(after.waiting) - int(before.waiting if before else False)
        running = after.held_lanes - (before.held_lanes if before else 0)
        if limits and (
            (queued > 0 and load.queued + queued > limits.queued)
            or (running > 0 and load.running + running > limits.running)
        ):
            raise CapacityExceeded("over the project's limits", retry_after=5)
        served = to_text(after.updated_at) if running > 0 else load.served
        update = {"queued": load.queued + queued, "running": load.running + running, "served": served}
        self._loads[after.project] = load.model_copy(update=update)

    def get(self, project: str, job_id: str) -> Job | None:
        """See :meth:`wainwright.ports.JobStore.get`."""
        with self._lock:
            return self._jobs.get((project, job_id))

    def view(self, project: str, job_id: str) -> JobView | None:
        """See :meth:`wainwright.ports.JobStore.view`."""
        key = (project, job_id)
        with self._lock:
            job = self._jobs.get(key)
            if job is None:
                return None
            return JobView(
                job=job, detail=self._details.get(key, JobDetail()), progress=self._progress.get(key, Progress())
            )

    def get_idempotent(self, project: str, key: str) -> tuple[str, str] | None:
        """See :meth:`wainwright.ports.JobStore.get_idempotent`."""
        with self._lock:
            return self._keys.get((project, key))

    def waiting_line(self, project: str, now: datetime, limit: int) -> Sequence[LineEntry]:
        """See :meth:`wainwright.ports.JobStore.waiting_line`."""
        with self._lock:
            waiting = sorted(
                (job for job in self._jobs.values() if job.project == project and job.waiting),
                key=lambda job: job.line_position,
            )
            return [
                LineEntry(position=job.line_position, job_id=job.id, lanes=job.lanes, not_before=job.not_before)
                for job in waiting
                if job.not_before is None or job.not_before <= now
            ][:limit]

    def loads(self) -> Sequence[ProjectLoad]:
        """See :meth:`wainwright.ports.JobStore.loads`."""
        with self._lock:
            return list(self._loads.values())

    def load(self, project: str) -> ProjectLoad:
        """See :meth:`wainwright.ports.JobStore.load`."""
        with self._lock:
            return self._loads.get(project, ProjectLoad(project=project))

    def due(self, before: datetime, limit: int) -> Sequence[tuple[str, str]]:
        """See :meth:`wainwright.ports.JobStore.due`."""
        with self._lock:
            overdue = [(job.due_at, key) for key, job in self._jobs.items() if job.due_at and job.due_at <= before]
        return [key for _, key in sorted(overdue)[:limit]]

    def list_jobs(self, project: str, *, status: str | None, limit: int, cursor: str | None) -> Page:
        """See :meth:`wainwright.ports.JobStore.list_jobs`."""
        with self._lock:
            found = [
                job
                for job in self._jobs.values()
                if job.project == project and (status is None or job.status == status)
            ]
        found.sort(key=_place, reverse=True)
        if cursor is not None:
            start = _read_cursor(cursor, project, status)
            found = [job for job in found if _place(job) < start]
        more = len(found) > limit
        return Page(jobs=found[:limit], cursor=_cursor(found[limit - 1], status) if more else None)

    def record(
        self, job: Job, *, tests: Sequence[StoredTest] = (), events: Sequence[NewEvent] = (), tally: Tally | None = None
    ) -> Progress:
        """See :meth:`wainwright.ports.JobStore.record`."""
        key = (job.project, job.id)
        with self._lock:
            current = self._jobs.get(key)
            if current is None or (current.run, current.fence) != (job.run, job.fence):
                raise FenceLost(f"job {job.id} is no longer held under fence {job.fence}")
            before = self._progress.get(key, Progress())
            self._tests.setdefault(key, {}).update({test.id: test for test in tests})
            stored = self._events.setdefault(key, [])
            for number, event in enumerate(events, start=before.sequence + 1):
                stored.append(JobEvent(sequence=number, kind=event.kind, at=event.at, data=dict(event.data)))
            after = Progress(sequence=before.sequence + len(events), tests=before.tests if tally is None else tally)
            self._progress[key] = after
            return after

    def tests(self, project: str, job_id: str) -> Sequence[StoredTest]:
        """See :meth:`wainwright.ports.JobStore.tests`."""
        with self._lock:
            return list(self._tests.get((project, job_id), {}).values())

    def events(self, project: str, job_id: str, after: int, limit: int) -> Sequence[JobEvent]:
        """See :meth:`wainwright.ports.JobStore.events`."""
        with self._lock:
            stored = self._events.get((project, job_id), [])
            return [event for event in stored if event.sequence > after][:limit]


def _place(job: Job) -> tuple[str, str]:
    return to_text(job.created_at), job.id


def _cursor(last: Job, status: str | None) -> str:
    return json.dumps([last.project, status, *_place(last)])


def _read_cursor(cursor: str, project: str, status: str | None) -> tuple[str, str]:
    try:
        of_project, of_status, created, job_id = json.loads(cursor)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInput("cursor", "this is no cursor") from error
    if (of_project, of_status) != (project, status):
        raise InvalidInput("cursor", "this cursor belongs to another list")
    return created, job_id
