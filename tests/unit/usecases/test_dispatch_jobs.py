"""Admitting waiting jobs."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.support.builders import PROJECT, SCRIPT, START, a_caller, a_job
from tests.support.memory.services import MemoryWorkflows
from tests.support.system import System
from wainwright.contracts.http.jobs import CreateJob
from wainwright.contracts.messages import ExecutionInput, TokenResult
from wainwright.domain.capacity import Limits
from wainwright.domain.errors import Conflict
from wainwright.domain.jobs import Job
from wainwright.domain.states import JobStatus
from wainwright.ports.workers import LaunchRefused
from wainwright.usecases.dispatch_jobs import LOOK_AHEAD, QUEUE_ALLOWANCE_SECONDS


def started(system: System) -> list[str]:
    """Ids of the jobs whose executions were started, in order."""
    return [request.job_id for request in system.workflows.started.values()]


def test_admits_a_job_and_starts_its_execution(system: System) -> None:
    job = system.submitted()

    assert system.dispatch() == 1

    admitted = system.job(job)
    assert (admitted.run, admitted.admitted_at, admitted.status) == (1, START, JobStatus.PENDING)
    request = system.workflows.started[f"{job.id}-1"]
    assert (request.project, request.job_id, request.run) == (PROJECT, job.id, 1)
    assert request.timeout_seconds == 60 + QUEUE_ALLOWANCE_SECONDS


def test_does_nothing_where_nothing_waits(system: System) -> None:
    assert system.dispatch() == 0
    assert system.launcher.launched == []


def test_starts_by_priority_then_age_low_priority_last(system: System) -> None:
    system = System(limits=Limits(running=9, queued=9), max_workers=9)
    wanted = {}
    for name, fields in {
        "low": {"lowPriority": True, "priority": 1_000},
        "old": {},
        "young": {},
        "urgent": {"priority": 5},
    }.items():
        wanted[name] = system.submitted(CreateJob.model_validate({"script": SCRIPT, **fields})).id
        system.pass_time(1)

    system.dispatch()

    assert started(system) == [wanted[name] for name in ("urgent", "old", "young", "low")]


def test_projects_take_turns_the_one_served_longest_ago_first(system: System) -> None:
    system = System(limits=Limits(running=9, queued=9), max_workers=4)
    for project in ("ada", "ada", "ada", "bob", "bob", "cleo"):
        system.submitted(project=project)

    system.dispatch()

    assert [request.project for request in system.workflows.started.values()] == ["ada", "bob", "cleo", "ada"]


def test_who_was_served_last_waits_for_the_others(system: System) -> None:
    system = System(limits=Limits(running=9, queued=9), max_workers=1)
    for _ in range(2):
        system.submitted(project="ada")
    system.dispatch()
    system.pass_time(1)
    system.submitted(project="bob")
    system.control.cancel(a_caller("ada"), started(system)[0])

    system.dispatch()

    assert [request.project for request in system.workflows.started.values()] == ["ada", "bob"]


def test_stops_at_a_projects_limit_and_goes_on_with_others(system: System) -> None:
    system = System(limits=Limits(running=2, queued=9), max_workers=9)
    for project in ("ada", "ada", "ada", "bob"):
        system.submitted(project=project)

    assert system.dispatch() == 3
    assert system.dispatch() == 0

    assert system.jobs.load("ada").running == 2
    assert system.jobs.load("bob").running == 1


def test_stops_at_what_the_stage_can_run(system: System) -> None:
    system = System(limits=Limits(running=9, queued=9), max_workers=2)
    for _ in range(4):
        system.submitted()

    assert system.dispatch() == 2
    assert system.dispatch() == 0


def test_passes_over_a_job_that_is_not_to_start_yet(system: System) -> None:
    later = a_job(not_before=START + timedelta(seconds=30), priority=9)
    system.jobs.write(None, later)
    job = system.submitted()

    system.dispatch()
    assert started(system) == [job.id]

    system.pass_time(30)
    system.dispatch()
    assert started(system) == [job.id, later.id]


def test_looks_past_rows_that_changed_meanwhile(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    gone, taken, free = system.submitted(), system.submitted(), system.submitted()
    line = system.jobs.waiting_line(PROJECT, START, 10)
    system.control.cancel(a_caller(), gone.id)
    write = system.jobs.write

    def contested(before: Job | None, after: Job, **more: Any) -> Job:
        if after.id == taken.id:
            raise Conflict("another dispatch was first")
        return write(before, after, **more)

    monkeypatch.setattr(system.jobs, "waiting_line", lambda *_: line)
    monkeypatch.setattr(system.jobs, "write", contested)

    assert system.dispatch() == 1
    assert started(system) == [free.id]


def test_reads_each_line_once_and_little_more_of_it_than_may_start(monkeypatch: pytest.MonkeyPatch) -> None:
    system = System(limits=Limits(running=3, queued=50), max_workers=5)
    for project in ("ada", "bob"):
        for _ in range(20):
            system.submitted(project=project)
    reads: list[tuple[str, int]] = []
    waiting_line = system.jobs.waiting_line

    def noted(project: str, now: datetime, limit: int) -> Sequence[str]:
        reads.append((project, limit))
        return waiting_line(project, now, limit)

    monkeypatch.setattr(system.jobs, "waiting_line", noted)

    assert system.dispatch() == 5
    assert sorted(reads) == [("ada", 3 + LOOK_AHEAD), ("bob", 3 + LOOK_AHEAD)]

    reads.clear()
    assert system.dispatch() == 0
    assert reads == []  # the stage is full


def test_counts_demand_anew_only_where_it_has_admitted_something(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[str] = []

    def noted(store: object, method: str, name: str) -> None:
        read = getattr(store, method)

        def reading() -> Any:
            reads.append(name)
            return read()

        monkeypatch.setattr(store, method, reading)

    noted(system.jobs, "loads", "loads")
    noted(system.workers, "list", "workers")

    system.dispatch()
    assert reads == ["loads"]  # nobody needs a worker

    system.submitted()
    reads.clear()
    system.dispatch()
    assert reads == ["loads", "loads", "workers"]  # others may have admitted too, each before it looked

    reads.clear()
    system.dispatch()
    assert reads == ["loads", "workers"]  # as after a launch that broke off


def test_starts_an_execution_only_after_the_admission_is_committed(system: System) -> None:
    class Looking(MemoryWorkflows):
        def start(self, request: ExecutionInput) -> bool:
            job = system.jobs.get(request.project, request.job_id)
            assert job is not None
            seen.append((job.run, job.waiting))
            return super().start(request)

    seen: list[tuple[int, bool]] = []
    system = System(workflows_type=Looking)
    system.submitted()

    system.dispatch()

    assert seen == [(1, False)]


def test_launches_workers_only_after_demand_is_committed(system: System) -> None:
    system.submitted()
    system.submitted()

    system.dispatch()

    assert len(system.launcher.launched) == 2
    assert {row.id for row in system.workers.list()} == {worker for worker, _ in system.launcher.launched}


def test_an_execution_that_is_there_already_is_left_alone(system: System) -> None:
    job = system.submitted()
    request = ExecutionInput(project=PROJECT, job_id=job.id, run=1, timeout_seconds=60)
    system.workflows.start(request)

    system.dispatch()

    assert system.job(job).admitted_at is not None


def test_an_execution_that_ended_without_finish_is_finished(system: System) -> None:
    job = system.submitted()
    system.workflows.start(ExecutionInput(project=PROJECT, job_id=job.id, run=1, timeout_seconds=60))
    system.workflows.succeed(f"token-{job.id}-1", TokenResult(job_id=job.id, run=1, fence=0))

    system.dispatch()

    ended = system.job(job)
    assert (ended.status, ended.held_lanes) == (JobStatus.FAILED, 0)


def test_a_refused_launch_leaves_what_was_admitted_admitted_and_is_told(system: System) -> None:
    job = system.submitted()
    system.launcher.refuse = LaunchRefused("no such cluster", capacity=False)

    with pytest.raises(LaunchRefused):
        system.dispatch()

    assert system.job(job).admitted_at is not None
    assert started(system) == [job.id]
