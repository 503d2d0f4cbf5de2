"""The steps that jobs, workers and functions take, for a state machine to put in any order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tests.support.builders import a_caller, completed, failed
from tests.support.fragile import FragileQueue, FragileWorkflows
from tests.support.probes import Probe
from tests.support.system import NO_WAIT, System
from wainwright.contracts.events import EventKind
from wainwright.contracts.http import CreateJob
from wainwright.contracts.messages import ExecutionError
from wainwright.domain.capacity import Limits
from wainwright.domain.errors import CapacityExceeded, FenceLost
from wainwright.domain.failures import FailureCategory
from wainwright.domain.jobs import Job, Outcome
from wainwright.domain.retry import RetryPolicy
from wainwright.domain.states import JobStatus
from wainwright.domain.tests import Tally, TestOutcome
from wainwright.ports import NewEvent, StoredTest
from wainwright.usecases.run_job import Claim, Control

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
    """What a lifecycle machine works on: the system, and what the machine knows of it."""

    probe: Probe
    system: System
    queue: FragileQueue
    workflows: FragileWorkflows
    rows: Sequence[Job]
    accepted: dict[str, str]
    keys: dict[tuple[str, str], str]
    held: list[Held]
    recorded: dict[str, list[int]]
    numbers: int

    def accept(self, project: str, priority: int, low: bool, tries: int, delay: int, key: str | None) -> None:
        retry = RetryPolicy(max_attempts=tries, delay_ms=delay)
        label = key  # the same key always comes with the same request
        request = CreateJob(bundle_id=BUNDLE, label=label)
        if key is None:
            request = CreateJob(bundle_id=BUNDLE, priority=priority, low_priority=low, retry=retry)
        known = self.keys.get((project, key or ""))
        queued = sum(1 for job in self.rows if job.project == project and job.waiting)
        try:
            job = self.system.submit(a_caller(project), request, key).job
        except CapacityExceeded:
            assert queued >= LIMITS.queued
            assert known is None
            return
        if known is not None:
            assert job.id == known
            return
        assert queued < LIMITS.queued
        self.accepted[job.id] = project
        if key is not None:
            self.keys[project, key] = job.id

    @property
    def now(self) -> datetime:
        return self.system.clock()

    @property
    def live(self) -> list[Held]:
        return [held for held in self.held if held.alive]

    def some_live(self, pick: int) -> Held:
        return self.live[pick % len(self.live)]

    def some_job(self, pick: int) -> Job:
        return self.rows[pick % len(self.rows)]

    def new_worker(self) -> str:
        self.numbers += 1
        return f"w{self.numbers}"

    def take_message(self) -> None:
        work = self.queue.receive(NO_WAIT)
        if work is None:
            return
        claim = self.system.run_job.claim(work, self.new_worker())
        if claim is not None:
            assert (claim.job.id, claim.job.run) == (work.message.job_id, work.message.run)
            self.held.append(Held(claim))

    def finish_claim(self, claim: Claim) -> None:
        try:
            self.end_normally(claim, None)
        except FenceLost:
            return

    def end_normally(self, claim: Claim, kind: FailureCategory | None) -> None:
        fence = claim.job.fence
        match self.system.run_job.control(claim):
            case Control.CANCEL:
                outcome = Outcome(status=JobStatus.CANCELED, fence=fence)
            case Control.STOP if kind is None:
                outcome = Outcome(status=JobStatus.STOPPED, fence=fence)
            case _:
                outcome = completed(fence=fence) if kind is None else failed(kind, fence=fence)
        self.system.run_job.end(claim, outcome)

    def record_under(self, claim: Claim, count: int) -> bool:
        job = claim.job
        self.numbers += 1
        events = [NewEvent(EventKind.LOG, self.now, {"number": self.numbers * 10 + n}) for n in range(count)]
        tests = [StoredTest(id=f"t{self.numbers % 3}", outcome=TestOutcome.PASSED, attempt=job.attempt, body={})]
        try:
            self.system.jobs.record(job, events=events, tests=tests, tally=Tally(total=3, passed=1))
        except FenceLost:
            return False
        self.recorded.setdefault(job.id, []).extend(event.data["number"] for event in events)
        return True

    def finish(self, name: str) -> None:
        request, end = self.workflows.started[name], self.workflows.ended[name]
        error = ExecutionError(error=end[0], cause=end[1]) if isinstance(end, tuple) else None
        before = self.probe.store.get(request.project, request.job_id)
        after = self.system.finish(request.project, request.job_id, request.run, error)
        assert before is not None
        assert after is not None
        if before.run == request.run and before.admitted_at is not None:
            assert after.admitted_at is None
        else:
            assert after == before, "the end of another run changed the job"
