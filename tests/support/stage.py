"""The steps that jobs, workers and functions take, for a state machine to put in any order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from tests.support.builders import a_caller, completed, failed
from tests.support.fragile import FragileQueue, FragileWorkflows
from tests.support.probes import Probe
from tests.support.system import NO_WAIT, System
from tests.support.watched import WatchedStore
from wainwright.contracts.events import EventKind
from wainwright.contracts.http.jobs import CreateJob
from wainwright.contracts.messages import ExecutionError
from wainwright.contracts.names import execution_name, report_key
from wainwright.domain.capacity import Limits
from wainwright.domain.errors import CapacityExceeded, FenceLost, IdempotencyConflict, InvalidInput, Refused
from wainwright.domain.failures import FailureCategory
from wainwright.domain.jobs import MAX_LOSSES, Job, Outcome
from wainwright.domain.reports import ReportRef
from wainwright.domain.states import AT_REST, JobStatus
from wainwright.domain.tests import Tally, TestOutcome
from wainwright.ports.job_store import NewEvent, StoredTest
from wainwright.ports.queues import ReceivedWork
from wainwright.usecases.hold_claim import Claim, Command

PROJECTS = ("ada", "bob")
LIMITS = Limits(running=2, queued=3)
MAX_WORKERS = 3
BUNDLE = "0" * 64


@dataclass
class Held:
    """A claim that a worker was given. A worker that is not alive has been killed, displaced, or is through with it."""

    claim: Claim
    alive: bool = True


class Stage:
    """A lifecycle machine's stage: the system, and what the machine knows of it.

    ``gone`` are deleted jobs and their projects; ``dying`` are those whose deletion was broken off.
    """

    probe: Probe
    system: System
    watched: WatchedStore
    queue: FragileQueue
    workflows: FragileWorkflows
    rows: Sequence[Job]
    accepted: dict[str, str]
    gone: dict[str, str]
    dying: set[str]
    keys: dict[tuple[str, str], tuple[str, CreateJob]]
    limits: dict[str, Limits]
    held: list[Held]
    recorded: dict[str, list[int]]
    numbers: int

    def accept(
        self, project: str, request: CreateJob, key: str | None = None, meanwhile: Callable[[], None] | None = None
    ) -> Job | None:
        """Send a request; what comes of it is what has to come of it. None if that was an error."""
        self.watched.meanwhile = meanwhile
        try:
            job = self.system.submit(a_caller(project), request, key).job
        except IdempotencyConflict:
            job_id, first = self.keys[project, key or ""]
            assert first != request or job_id in self.gone
            return None
        except CapacityExceeded:
            assert self.watched.queued(project) >= self.limits_of(project).queued
            assert (project, key) not in self.keys
            return None
        except InvalidInput:
            assert self.gone.keys() & set(request.depends_on)
            return None
        except Refused:
            assert any(self.watched.ended_badly(each) for each in request.depends_on)
            return None
        finally:
            self.watched.meanwhile = None
        known = self.keys.get((project, key or ""))
        if known is not None:
            assert known == (job.id, request), "the key stands for another request"
            return job
        assert job.id not in self.accepted
        assert set(job.depends_on) == set(request.depends_on)
        self.accepted[job.id] = project
        if key is not None:
            self.keys[project, key] = (job.id, request)
        return job

    def limits_of(self, project: str) -> Limits:
        """The limits in force."""
        return self.limits.get(project, LIMITS)

    @property
    def now(self) -> datetime:
        return self.system.clock()

    @property
    def live(self) -> list[Held]:
        return [held for held in self.held if held.alive]

    def some_live(self, pick: int) -> Held:
        return self.live[pick % len(self.live)]

    def some_job(self, pick: int) -> Job:
        """A job of which nobody has begun to delete the rows."""
        jobs = [job for job in self.rows if job.id not in self.dying]
        return jobs[pick % len(jobs)]

    def new_worker(self) -> str:
        self.numbers += 1
        return f"w{self.numbers}"

    def take_message(self) -> None:
        """A worker takes the next message, if there is one."""
        work = self.queue.receive(NO_WAIT)
        if work is None:
            return
        if work.message.report_only:
            self.write_late_report(work)
            return
        before = self.watched.jobs.get(work.message.job_id)
        to_run, room = self._is_to_run(work, before), before is not None and self._has_room(before)
        claim = self.system.claims.claim(work, self.new_worker())
        assert (claim is not None and claim.ending is None) == (to_run and room)
        if claim is not None:
            assert (claim.job.id, claim.job.run) == (work.message.job_id, work.message.run)
            if claim.ending is not None:
                self.system.claims.end(claim, claim.ending)
            else:
                self.held.append(Held(claim))
        elif before is not None and to_run:
            after = self.watched.jobs[before.id]
            assert (after.waiting, after.attempt) == (True, before.attempt), "not given back, or at the cost of a try"

    def write_late_report(self, work: ReceivedWork) -> None:
        view = self.system.late_reports.take(work)
        if view is None:
            return
        assert view.job.status in AT_REST
        report = ReportRef(fence=view.job.fence, complete=False, viewer="1")
        self.system.late_reports.keep(work, report)
        after = self.system.job(view.job)
        assert after.report == report
        assert (after.status, after.due_at, after.failure) == (view.job.status, None, view.job.failure)

    def _is_to_run(self, work: ReceivedWork, job: Job | None) -> bool:
        return (
            job is not None
            and (job.run, job.outcome) == (work.message.run, None)
            and job.admitted_at is not None
            and job.status in {JobStatus.PENDING, JobStatus.RUNNING}
            and job.can_be_claimed(self.now)
            and job.losses + (job.worker is not None) < MAX_LOSSES
        )

    def _has_room(self, job: Job) -> bool:
        held = self.watched.held_lanes(job.project)
        return job.status is not JobStatus.PENDING or held <= self.limits_of(job.project).running

    def finish_claim(self, claim: Claim) -> None:
        try:
            if claim.ending is not None:
                self.system.claims.end(claim, claim.ending)
            else:
                self.end_normally(claim, None)
        except FenceLost:
            return

    def end_normally(self, claim: Claim, kind: FailureCategory | None) -> None:
        """A worker ends its run, and leaves a report."""
        fence = claim.job.fence
        match self.system.claims.read_command(claim):
            case Command.CANCEL:
                outcome = Outcome(status=JobStatus.CANCELED, fence=fence)
            case Command.STOP if kind is None:
                outcome = Outcome(status=JobStatus.STOPPED, fence=fence)
            case _:
                outcome = completed(fence=fence) if kind is None else failed(kind, fence=fence)
        report = report_key(claim.job.project, claim.job.id, fence=fence, path="index.html")
        self.system.artifacts.put(report, b"", "text/html")
        self.system.claims.end(claim, outcome)

    def end_and_finish(self, held: Held, kind: FailureCategory | None) -> None:
        """A worker ends its run, and Finish runs at once."""
        held.alive = False
        try:
            self.end_normally(held.claim, kind)
        except FenceLost:
            return
        name = execution_name(held.claim.job.id, held.claim.job.run)
        if name in self.workflows.ended:
            self.finish(name)

    def record_under(self, claim: Claim, count: int) -> bool:
        job = claim.job
        self.numbers += 1
        events = [NewEvent(EventKind.LOG, self.now, {"number": self.numbers * 10 + n}) for n in range(count)]
        tests = [StoredTest(id=f"t{self.numbers % 3}", outcome=TestOutcome.PASSED, attempt=job.attempt, body={})]
        try:
            self.system.jobs.record(job, events=events, tests=tests, tally=Tally(total=3, passed=1))
        except FenceLost:
            return False
        assert job.id in self.accepted, "a deleted job was written to"
        self.recorded.setdefault(job.id, []).extend(event.data["number"] for event in events)
        return True

    def finish(self, name: str) -> None:
        """Finish runs for an execution that ended."""
        request, end = self.workflows.started[name], self.workflows.ended[name]
        error = ExecutionError(error=end[0], cause=end[1]) if isinstance(end, tuple) else None
        before = self.watched.jobs.get(request.job_id)
        after = self.system.finish(request.project, request.job_id, request.run, error)
        if before is None:
            assert after is None
            return
        assert after is not None
        if before.run == request.run and before.admitted_at is not None:
            assert after.admitted_at is None
            self.check_followed(after)
        else:
            assert after.id == before.id
            assert after.version == before.version, "the end of another run changed the job"

    def check_followed(self, job: Job) -> None:
        """Nothing waits for a job that has ended without completing, nor for what was skipped because of it."""
        lost = {job.id} if job.is_final and job.status is not JobStatus.COMPLETED else set()
        new = lost
        while new:
            after = [each for each in self.watched.jobs.values() if new.intersection(each.depends_on)]
            assert not any(each.status is JobStatus.PENDING and new.intersection(each.blocked_on) for each in after), (
                "a chain goes on waiting for what has ended"
            )
            new = {each.id for each in after if each.status is JobStatus.SKIPPED} - lost
            lost = lost | new
