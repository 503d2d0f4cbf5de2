"""Acts of users, as rules of a state machine: submit, chain, steer, rank, limit, delete, clean."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import hypothesis.strategies as st
from botocore.exceptions import ClientError
from hypothesis.stateful import precondition, rule

from tests.support.builders import a_caller
from tests.support.stage import BUNDLE, LIMITS, PROJECTS
from tests.support.upholding import KEPT, Upholding
from wainwright.contracts.http.jobs import CreateJob
from wainwright.contracts.names import archive_key
from wainwright.domain.capacity import Limits, Retention
from wainwright.domain.errors import Conflict, NotFound, Refused
from wainwright.domain.jobs import Job
from wainwright.domain.retry import RetryPolicy
from wainwright.domain.states import AT_REST, JobStatus
from wainwright.usecases.clean_up import CleanUp

picks = st.integers(min_value=0, max_value=999)
projects = st.sampled_from(PROJECTS)
counts = st.sampled_from([None, None, 1, 2])
seldom = st.integers(0, 3).map(lambda number: number == 0)
meanwhiles = st.sampled_from(["", "", "", "end", "cancel", "delete", "again"])
"""Acts of another on the same job between the read and the write."""

CONTROLLED = {JobStatus.STOPPED: "resume", JobStatus.FAILED: "retry"}


class Steering(Upholding):
    """Rules of users. Each knows what has to come of what it asks."""

    @rule(
        project=projects, priority=st.integers(-1, 1), low=st.booleans(), tries=st.integers(1, 3),
        delay=st.sampled_from([0, 10_500, 100_000]),
    )  # fmt: skip
    def submit(self, project: str, priority: int, low: bool, tries: int, delay: int) -> None:
        """A project has as many jobs queued as it may."""
        retry = RetryPolicy(max_attempts=tries, delay_ms=delay)
        self.accept(project, CreateJob(bundle_id=BUNDLE, priority=priority, low_priority=low, retry=retry))

    @rule(project=projects, key=st.sampled_from(["k1", "k2"]), label=st.sampled_from(["a", "a", "b"]), twice=seldom)
    def submit_with_key(self, project: str, key: str, label: str, twice: bool) -> None:
        """There is one job for each idempotency key, also when a request arrives twice at once."""
        request = CreateJob(bundle_id=BUNDLE, label=label)
        self.accept(project, request, key, (lambda: nothing(self.accept(project, request, key))) if twice else None)

    @precondition(lambda self: self.accepted)
    @rule(chosen=st.lists(picks, min_size=1, max_size=2), other=meanwhiles)
    def submit_after(self, chosen: list[int], other: str) -> None:
        """A job that depends on any others of its project, whatever has become of them."""
        first = self.rows[chosen[0] % len(self.rows)]
        known = [job.id for job in self.rows if job.project == first.project and job.id not in self.dying]
        known += [job_id for job_id, project in self.gone.items() if project == first.project]
        if known:
            ids = tuple(known[pick % len(known)] for pick in chosen)
            meanwhile = self._somebody_else(other, ids[0])
            self.accept(first.project, CreateJob(bundle_id=BUNDLE, depends_on=ids), meanwhile=meanwhile)

    @rule(project=projects, length=st.integers(1, 3), both=st.booleans())
    def submit_chain(self, project: str, length: int, both: bool) -> None:
        """One job after the other; each may depend on the one before the one before, too."""
        job = self.accept(project, CreateJob(bundle_id=BUNDLE))
        ids: list[str] = []
        for _ in range(length):
            if job is None:
                return
            ids.append(job.id)
            job = self.accept(project, CreateJob(bundle_id=BUNDLE, depends_on=tuple(ids[-1 - both :])))

    def _somebody_else(self, what: str, job_id: str) -> Callable[[], None] | None:
        """Return another's act on the same job at the same time, if it can be done."""
        job = self.watched.jobs.get(job_id)
        if job is None or not what or job.id in self.dying:
            return None
        caller = a_caller(job.project)
        held = [held for held in self.live if held.claim.job.id == job_id]
        if what == "end" and held:
            return lambda: self.end_and_finish(held[-1], None)
        if what == "cancel" and not job.is_final:
            return lambda: nothing(self.system.control.cancel(caller, job_id))
        if what == "delete" and job.status in AT_REST:
            return lambda: self._delete(job, "")
        if what == "again" and job.status in CONTROLLED:
            return lambda: self._again(job, only_failed=True)
        return None

    @precondition(lambda self: any(job.id not in self.dying for job in self.rows))
    @rule(pick=picks, other=meanwhiles)
    def cancel(self, pick: int, other: str) -> None:
        """A job is canceled in any state that has an end before it."""
        job = self.some_job(pick)
        self.watched.meanwhile = self._somebody_else(other, job.id)
        try:
            canceled = self.system.control.cancel(a_caller(job.project), job.id)
        except NotFound:
            assert job.id in self.gone
        except Refused:
            assert self.watched.jobs[job.id].is_final
        else:
            assert canceled.status in {JobStatus.CANCELED, JobStatus.CANCELING}
            self.check_followed(canceled)
        finally:
            self.watched.meanwhile = None

    @precondition(lambda self: any(job.id not in self.dying for job in self.rows))
    @rule(pick=picks)
    def stop(self, pick: int) -> None:
        """A job is asked to stop."""
        job = self.some_job(pick)
        try:
            stopped = self.system.control.stop(a_caller(job.project), job.id)
        except Refused:
            assert job.status in AT_REST | {JobStatus.CANCELING}
        else:
            assert stopped.status in {JobStatus.STOPPED, JobStatus.STOPPING}

    @precondition(lambda self: any(job.status in CONTROLLED and job.id not in self.dying for job in self.rows))
    @rule(pick=picks, only_failed=st.booleans())
    def resume_or_retry(self, pick: int, only_failed: bool) -> None:
        """A stopped or failed job goes back to the line, by hand."""
        resting = [job for job in self.rows if job.status in CONTROLLED and job.id not in self.dying]
        self._again(resting[pick % len(resting)], only_failed=only_failed)

    def _again(self, job: Job, *, only_failed: bool) -> None:
        caller = a_caller(job.project)
        if job.status is JobStatus.STOPPED:
            again = self.system.control.resume(caller, job.id)
            assert (again.attempt, again.fresh_since, again.ran_ms) == (job.attempt, job.fresh_since, job.ran_ms)
            assert again.blocked_on == job.blocked_on
        else:
            again = self.system.control.retry(caller, job.id, only_failed=only_failed)
            fresh = job.fresh_since if only_failed else job.attempt + 1
            assert (again.attempt, again.fresh_since, again.ran_ms) == (job.attempt + 1, fresh, 0)
        assert again.status is JobStatus.PENDING

    @precondition(lambda self: any(job.id not in self.dying for job in self.rows))
    @rule(pick=picks)
    def resume_or_retry_what_is_not_at_rest(self, pick: int) -> None:
        """Only what was stopped goes on, and only what has failed is tried again."""
        job = self.some_job(pick)
        for status, again in (
            (JobStatus.STOPPED, lambda: self.system.control.resume(a_caller(job.project), job.id)),
            (JobStatus.FAILED, lambda: self.system.control.retry(a_caller(job.project), job.id, only_failed=True)),
        ):
            if job.status is not status:
                _refused(again)
        assert self.watched.jobs[job.id] == job

    @precondition(lambda self: any(job.id not in self.dying for job in self.rows))
    @rule(
        pick=picks, priority=st.sampled_from([None, -5, 0, 5]), low=st.sampled_from([None, True, False]),
        label=st.sampled_from([None, "named"]),
    )  # fmt: skip
    def change(self, pick: int, priority: int | None, low: bool | None, label: str | None) -> None:
        """Priorities can be changed until a job has ended, its label ever."""
        self.patch(self.some_job(pick), priority, low, label)

    def patch(self, job: Job, priority: int | None, low: bool | None, label: str | None) -> None:
        """Only what is given is changed."""
        caller = a_caller(job.project)
        try:
            changed = self.system.control.change(caller, job.id, priority=priority, low_priority=low, label=label)
        except Refused:
            assert job.is_final
            assert (priority, low) != (None, None)
            assert self.watched.jobs[job.id] == job
            return
        assert not job.is_final or (priority, low) == (None, None)
        given = {"priority": priority, "low_priority": low, "label": label}
        wanted = {name: value for name, value in given.items() if value is not None}
        at = self.now if wanted else job.updated_at
        noted = {"updated_at": at, "version": job.version + 1, "operation": changed.operation}
        assert changed == job.model_copy(update=wanted | noted)

    @rule(
        project=projects, running=st.integers(1, 3), queued=st.integers(1, 4), completed=counts, failed=counts,
        archive=st.booleans(),
    )  # fmt: skip
    def limit(
        self, project: str, running: int, queued: int, completed: int | None, failed: int | None, archive: bool
    ) -> None:
        """Limits are raised and lowered at any time; nothing that is there is touched."""
        retention = Retention(max_completed=completed, max_failed=failed, archive=archive)
        limits = Limits(running=running, queued=queued, retention=retention)
        self.system.jobs.set_limits(project, limits)
        assert self.system.jobs.load(project).limits == limits
        self.limits[project] = limits
        self.probe.look()
        assert list(self.probe.rows()) == sorted(self.watched.jobs.values(), key=lambda job: job.id)

    @precondition(lambda self: self.accepted or self.gone)
    @rule(pick=picks, other=meanwhiles, dies=seldom)
    def delete(self, pick: int, other: str, dies: bool) -> None:
        """A job at rest is deleted, even where a deletion was broken off before; no other job is, and none twice."""
        known = [*self.accepted, *self.gone]
        job_id = known[pick % len(known)]
        if job_id in self.gone:
            _not_found(lambda: self.system.control.delete(a_caller(self.gone[job_id]), job_id))
            return
        job = self.watched.jobs[job_id]
        self.watched.meanwhile = self._somebody_else(other, job_id)
        try:
            self._delete(job, "deletion dies" if dies and job.status in AT_REST else "")
        except Refused:
            assert job.status not in AT_REST
        except Conflict:
            assert job_id in self.gone or self.watched.jobs[job_id].version > job.version
        except ClientError:
            self.dying.add(job_id)
        finally:
            self.watched.meanwhile = None

    def _delete(self, job: Job, trouble: str) -> None:
        if trouble and self.watched.meanwhile is None:
            self.probe.trouble(trouble)
        self.system.control.delete(a_caller(job.project), job.id)
        if job.id in self.accepted:  # else somebody else was first
            self.forget(job.id)

    @rule(enough=seldom, days=st.sampled_from([0, 0, 8]))
    def clean_up(self, enough: bool, days: int) -> None:
        """Jobs past their time, or beyond their project's count, go. Seldom, or little would grow old together."""
        if not enough:
            return
        self.system.pass_time(timedelta(days=days).total_seconds())
        outlived = {job.id: self.limits_of(job.project).retention.archive for job in self._outlived()}
        clean = CleanUp(self.system.jobs, self.system.artifacts, self.system.clock, LIMITS, self.system.spool)
        assert clean(budget=timedelta(hours=1)) == len(outlived)
        for job_id, archived in outlived.items():
            key = archive_key(self.accepted[job_id], job_id)
            assert (key in self.system.artifacts.objects) == archived
            self.forget(job_id)

    def _outlived(self) -> list[Job]:
        found: set[str] = set()
        jobs = self.watched.jobs.values()
        for project in PROJECTS:
            own = [job for job in jobs if job.project == project and job.completed_at is not None]
            own.sort(key=lambda job: (job.completed_at, job.id), reverse=True)
            found |= {job.id for job in own if job.completed_at is not None and job.completed_at + KEPT <= self.now}
            retention = self.limits_of(project).retention
            for status, most in (
                (JobStatus.COMPLETED, retention.max_completed),
                (JobStatus.FAILED, retention.max_failed),
            ):
                beyond = [job.id for job in own if job.status is status][most:] if most is not None else []
                found |= set(beyond)
        return [job for job in jobs if job.id in found]


def nothing(_: object) -> None:
    """Ignore what came of it."""


def _refused(step: Callable[[], object]) -> None:
    try:
        step()
    except Refused:
        return
    raise AssertionError("that should have been refused")


def _not_found(step: Callable[[], object]) -> None:
    try:
        step()
    except NotFound:
        return
    raise AssertionError("there is such a job though it was deleted")
