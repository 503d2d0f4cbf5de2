"""Jobs in a dictionary. One lock stands for the transactions of the real store."""

import threading
import uuid
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from wainwright.adapters.cursors import place_of, read_cursor, scope_of, write_cursor
from wainwright.contracts.events import JobEvent
from wainwright.domain.capacity import Limits, LoadChange, ProjectLoad
from wainwright.domain.errors import Conflict, FenceLost, IdempotencyConflict, Refused
from wainwright.domain.job_query import JobQuery
from wainwright.domain.jobs import Job, JobDetail
from wainwright.domain.lanes import LaneRecord
from wainwright.domain.states import AT_REST, IN_WORK
from wainwright.domain.statistics import Statistics, hour_of, hour_of_end
from wainwright.domain.tests import RunningTest, Tally
from wainwright.ports.job_store import Idempotency, JobStore, JobView, NewEvent, Page, Progress, StoredTest


class MemoryJobStore(JobStore):
    """A :class:`~wainwright.ports.job_store.JobStore` that forgets."""

    def __init__(self) -> None:
        self._lock = self.lock = threading.RLock()
        self.lanes: dict[tuple[str, str, int], dict[int, LaneRecord]] = {}
        self._jobs: dict[tuple[str, str], Job] = {}
        self._sealed: set[tuple[str, str]] = set()
        self._details: dict[tuple[str, str], JobDetail] = {}
        self._progress: dict[tuple[str, str], Progress] = {}
        self._tests: dict[tuple[str, str], dict[str, StoredTest]] = {}
        self._events: dict[tuple[str, str], list[JobEvent]] = {}
        self._keys: dict[tuple[str, str], tuple[str, str]] = {}
        self._loads: dict[str, ProjectLoad] = {}
        self.successors: dict[tuple[str, str], set[str]] = {}
        self._ended: list[tuple[str, str | None, datetime, Statistics]] = []

    @property
    def parts(self) -> Sequence[dict[tuple[str, str], Any]]:
        """All that is kept of jobs, by project and id."""
        return self._jobs, self._details, self._progress, self._tests, self._events, self.successors

    def all_jobs(self) -> Sequence[Job]:
        """Every job of every project."""
        return [*self._jobs.values()]

    def write(
        self,
        before: Job | None,
        after: Job,
        *,
        limits: Limits | None = None,
        detail: JobDetail | None = None,
        idempotency: Idempotency | None = None,
        also: Sequence[tuple[Job, Job]] = (),
        unchanged: Sequence[Job] = (),
    ) -> Job:
        operation = str(uuid.uuid4())
        changes = [(before, after), *also]
        with self._lock:
            expected = [*changes, *((job, job) for job in unchanged)]
            if any(not self._stands(old, new) for old, new in expected):
                raise Conflict(f"job {after.id}, or one that belongs to it, changed since it was read")
            if idempotency and (after.project, idempotency.key) in self._keys:
                raise IdempotencyConflict("this Idempotency-Key is already used")
            self._count(after.project, LoadChange.of(changes, limits))
            written, *_ = [self._put(old, new, operation) for old, new in changes]
            if detail is not None:
                self._details[written.project, written.id] = detail
            if idempotency:
                self._keys[after.project, idempotency.key] = (after.id, idempotency.digest)
            return written

    def _stands(self, before: Job | None, after: Job) -> bool:
        if (after.project, after.id) in self._sealed:
            return False
        current = self._jobs.get((after.project, after.id))
        return (current.version if current else None) == (before.version if before else None)

    def _put(self, before: Job | None, after: Job, operation: str) -> Job:
        version = (before.version if before else 0) + 1
        written = after.model_copy(update={"version": version, "operation": operation})
        self._jobs[written.project, written.id] = written
        if before is None:
            for predecessor in after.blocked_on:
                self.successors.setdefault((after.project, predecessor), set()).add(after.id)
        if (adds := Statistics.of_change(before, after)) is not None:
            self._ended.append((after.project, after.template_id, hour_of_end(after), adds))
        return written

    def _count(self, project: str, change: LoadChange) -> None:
        load = self._loads.get(project, ProjectLoad(project=project))
        if any(getattr(load, counter) > bound for counter, bound in change.bounds.items()):
            raise change.refusal()
        if change:
            update = {
                "queued": load.queued + change.queued, "running": load.running + change.running,
                "served": change.served or load.served,
            }  # fmt: skip
            self._loads[project] = load.model_copy(update=update)

    def get(self, project: str, job_id: str) -> Job | None:
        with self._lock:
            return self._jobs.get((project, job_id))

    def view(self, project: str, job_id: str) -> JobView | None:
        key = (project, job_id)
        with self._lock:
            job = self._jobs.get(key)
            if job is None:
                return None
            return JobView(
                job=job, detail=self._details.get(key, JobDetail()), progress=self._progress.get(key, Progress())
            )

    def get_idempotent(self, project: str, key: str) -> tuple[str, str] | None:
        with self._lock:
            return self._keys.get((project, key))

    def waiting_line(self, project: str, now: datetime, limit: int) -> Sequence[str]:
        with self._lock:
            waiting = sorted(
                (job for job in self._jobs.values() if job.project == project and job.waiting),
                key=lambda job: job.line_position,
            )
            return [job.id for job in waiting if job.not_before is None or job.not_before <= now][:limit]

    def loads(self) -> Sequence[ProjectLoad]:
        with self._lock:
            return list(self._loads.values())

    def load(self, project: str) -> ProjectLoad:
        with self._lock:
            return self._loads.get(project, ProjectLoad(project=project))

    def due(self, before: datetime, limit: int) -> Sequence[tuple[str, str]]:
        with self._lock:
            overdue = [(job.due_at, key) for key, job in self._jobs.items() if job.due_at and job.due_at <= before]
        return [key for _, key in sorted(overdue)[:limit]]

    def find(self, project: str, query: JobQuery, now: datetime) -> Page:
        scope = scope_of(project, query)
        passed = read_cursor(query.cursor, scope)
        with self._lock:
            listed = [job for key, job in self._jobs.items() if query.include_expired or key not in self._sealed]
        found = [job for job in listed if job.project == project and query.matches(job, now)]
        places = {place_of(query, job): job for job in found}
        beyond = [
            place
            for place in sorted(places, reverse=not query.ascending)
            if passed is None or (place > passed if query.ascending else place < passed)
        ]
        shown = beyond[: query.limit]
        cursor = write_cursor(scope, shown[-1]) if len(beyond) > len(shown) else None
        return Page(jobs=[places[place] for place in shown], cursor=cursor)

    def dependents(self, project: str, job_id: str) -> Sequence[str]:
        with self._lock:
            return sorted(self.successors.get((project, job_id), set()))

    def seal(self, job: Job) -> None:
        if job.status not in AT_REST:
            raise Refused(
                f"the job is {job.status}; only a job that has ended or stopped can be deleted",
                advice="Cancel it first.",
            )
        key = (job.project, job.id)
        with self._lock:
            if key not in self._jobs:
                return
            if self._jobs[key].version != job.version:
                raise Conflict(f"job {job.id} changed since it was read")
            self._jobs[key] = job.seal()
            self._sealed.add(key)

    def delete(self, job: Job) -> None:
        self.seal(job)
        key = (job.project, job.id)
        with self._lock:
            self._sealed.discard(key)
            for part in self.parts:
                part.pop(key, None)
            for predecessor in (*job.depends_on, *job.blocked_on):
                self.successors.get((job.project, predecessor), set()).discard(job.id)

    def set_detail(self, job: Job, detail: JobDetail) -> None:
        with self._lock:
            self.check_held(job)
            self._details[job.project, job.id] = detail

    def set_limits(self, project: str, limits: Limits) -> None:
        with self._lock:
            load = self._loads.get(project, ProjectLoad(project=project))
            self._loads[project] = load.model_copy(update={"limits": limits})

    def statistics(self, project: str, template_id: str | None, start: datetime, end: datetime) -> Statistics:
        first, last = hour_of(start), hour_of(end)
        with self._lock:
            return sum(
                (
                    adds
                    for of, template, hour, adds in self._ended
                    if of == project and template_id in (None, template) and first <= hour <= last
                ),
                Statistics(),
            )

    def record(
        self,
        job: Job,
        *,
        tests: Sequence[StoredTest] = (),
        events: Sequence[NewEvent] = (),
        tally: Tally | None = None,
        percent: int | None = None,
        adds: Tally | None = None,
        lane: LaneRecord | None = None,
        running: Sequence[RunningTest] | None = None,
    ) -> Progress:
        key = (job.project, job.id)
        with self._lock:
            self.check_held(job, lane)
            before = self._progress.get(key, Progress())
            self._tests.setdefault(key, {}).update({test.id: test for test in tests})
            after = Progress(
                sequence=self._number(key, before.sequence, events),
                tests=(before.tests if tally is None else tally) + (adds or Tally()),
                percent=before.percent if percent is None else percent,
                running=before.running if running is None else tuple(running),
            )
            self._progress[key] = after
            return after

    def add_events(self, project: str, job_id: str, events: Sequence[NewEvent], most: int) -> bool:
        key = (project, job_id)
        with self._lock:
            job, before = self._jobs.get(key), self._progress.get(key, Progress())
            if job is None or job.status in AT_REST or before.sequence + len(events) > most:
                return False
            self._progress[key] = replace(before, sequence=self._number(key, before.sequence, events))
            return True

    def _number(self, key: tuple[str, str], last: int, events: Sequence[NewEvent]) -> int:
        """Keep events with the numbers that follow ``last``; returns the new last one."""
        stored = self._events.setdefault(key, [])
        for number, event in enumerate(events, start=last + 1):
            stored.append(JobEvent(sequence=number, kind=event.kind, at=event.at, data=dict(event.data)))
        return last + len(events)

    def check_held(self, job: Job, lane: LaneRecord | None = None) -> None:
        """Raise FenceLost unless the job's row, and the lane's, are as the caller of a fenced write thinks they are."""
        current = self._jobs.get((job.project, job.id))
        is_as_known = current is not None and (current.run, current.fence) == (job.run, job.fence)
        if current is None or not is_as_known or current.status not in (AT_REST if job.status in AT_REST else IN_WORK):
            raise FenceLost(f"job {job.id} is no longer held under fence {job.fence}")
        if lane is not None:
            row = self.lanes.get((job.project, job.id, job.fence), {}).get(lane.lane)
            if row is None or row.left or row.token != lane.token:
                raise FenceLost(f"lane {lane.lane} of job {job.id} was dismissed")

    def tests(self, project: str, job_id: str, ids: Collection[str] | None = None) -> Sequence[StoredTest]:
        with self._lock:
            stored = self._tests.get((project, job_id), {}).values()
            return [test for test in stored if ids is None or test.id in ids]

    def events(self, project: str, job_id: str, after: int, limit: int) -> Sequence[JobEvent]:
        with self._lock:
            stored = self._events.get((project, job_id), [])
            return [event for event in stored if event.sequence > after][:limit]
