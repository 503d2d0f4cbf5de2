"""The repairs of every minute."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.support.builders import PROJECT, SCRIPT, START, a_caller, a_job, completed, failed
from tests.support.system import NO_WAIT, System
from wainwright.contracts.http.jobs import CreateJob
from wainwright.contracts.messages import TokenResult
from wainwright.domain.capacity import Limits
from wainwright.domain.errors import Conflict
from wainwright.domain.failures import FailureCategory
from wainwright.domain.jobs import BLOCKED_CHECK_AFTER, CHECK_AFTER, LEASE, REPORT_AFTER, Job
from wainwright.domain.states import JobStatus
from wainwright.domain.workers import LAUNCH_DEADLINE, WorkerRecord, WorkerState
from wainwright.ports.workers import LaunchRefused
from wainwright.ports.workflows import ExecutionState
from wainwright.usecases.sweep_jobs import BUDGET

OVERDUE = (LEASE + CHECK_AFTER).total_seconds() + 1


def woken(system: System) -> list[str]:
    projects = [project for project, _ in system.wakeups.sent]
    system.wakeups.sent.clear()
    return projects


def test_leaves_alone_what_is_not_overdue(system: System) -> None:
    job = system.submitted()
    woken(system)
    system.pass_time(CHECK_AFTER.total_seconds() - 1)

    assert system.sweep() == 0

    assert system.job(job) == job
    assert woken(system) == []


def test_wakes_dispatch_for_a_job_whose_wake_up_was_lost(system: System) -> None:
    job = system.submitted()
    woken(system)
    system.pass_time(60)

    assert system.sweep() == 1

    assert woken(system) == [PROJECT]
    assert system.job(job).due_at == START + timedelta(seconds=60) + CHECK_AFTER


def test_wakes_each_project_once(system: System) -> None:
    for project in ("bob", "ada", "ada"):
        system.submitted(project=project)
    woken(system)
    system.pass_time(60)

    assert system.sweep() == 3
    assert woken(system) == ["ada", "bob"]


def test_starts_the_execution_that_an_admission_was_not_followed_by(system: System) -> None:
    job = system.admitted()
    system.workflows.forget()
    system.queue.receive(NO_WAIT)
    system.pass_time(60)

    system.sweep()

    assert system.workflows.state(job.id, 1) is ExecutionState.RUNNING
    assert system.job(job).run == 1


def test_finishes_a_run_whose_outcome_is_there(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    claim = system.claimed()

    def die(*_: Any, **__: Any) -> None:
        raise ConnectionError

    monkeypatch.setattr(system.workflows, "succeed", die)
    with pytest.raises(ConnectionError):
        system.claims.end(claim, completed())
    system.pass_time(60)

    system.sweep()

    assert system.job(claim.job).status is JobStatus.COMPLETED


def test_finishes_a_run_whose_execution_ended_without_finish(system: System) -> None:
    claim = system.claimed()
    system.workflows.succeed(claim.work.message.token, TokenResult(job_id=claim.job.id, run=1, fence=1))
    system.pass_time(OVERDUE)

    system.sweep()

    job = system.job(claim.job)
    assert job.failure is not None
    assert (job.status, job.failure.category) == (JobStatus.FAILED, FailureCategory.INFRASTRUCTURE)


def test_wakes_dispatch_for_an_admitted_job_for_whose_worker_there_was_no_room(system: System) -> None:
    job = system.submitted()
    system.launcher.refuse = LaunchRefused("no room", capacity=True)
    with pytest.raises(LaunchRefused):
        system.dispatch()
    woken(system)
    for _ in range(2):  # each time anew
        system.pass_time(60)
        system.sweep()
        assert woken(system) == [PROJECT]
    system.launcher.refuse = None

    system.dispatch()
    assert len(system.launcher.launched) == 1
    assert system.next_claim().job.id == job.id


def test_leaves_a_lost_workers_run_to_the_queue(system: System) -> None:
    claim = system.claimed()
    system.pass_time(OVERDUE)

    system.sweep()

    job = system.job(claim.job)
    assert (job.status, job.run, job.fence) == (JobStatus.RUNNING, 1, 1)
    assert job.due_at == system.clock() + CHECK_AFTER
    assert system.next_claim("w2").job.losses == 1


def test_ends_a_canceled_run_whose_worker_is_lost(system: System) -> None:
    claim = system.claimed()
    system.control.cancel(a_caller(), claim.job.id)
    system.pass_time(OVERDUE)

    system.sweep()

    assert system.job(claim.job).status is JobStatus.CANCELED


def test_leaves_a_canceled_run_to_the_worker_that_still_has_it(system: System) -> None:
    claim = system.claimed()
    system.control.cancel(a_caller(), claim.job.id)

    system.sweep(everything=True)

    assert system.job(claim.job).status is JobStatus.CANCELING


def test_a_run_whose_execution_vanished_gets_a_new_run_in_the_same_attempt(system: System) -> None:
    claim = system.claimed()
    system.workflows.forget()
    system.pass_time(OVERDUE)
    woken(system)

    system.sweep()

    job = system.job(claim.job)
    assert (job.status, job.waiting, job.attempt) == (JobStatus.PENDING, True, 1)
    assert woken(system) == [PROJECT]
    system.dispatch()
    assert system.job(job).run == 2


def test_a_stopping_run_whose_execution_vanished_is_stopped(system: System) -> None:
    claim = system.claimed()
    system.jobs.write(claim.job, claim.job.stop(system.clock()))
    system.workflows.forget()
    system.pass_time(OVERDUE)

    system.sweep()

    assert system.job(claim.job).status is JobStatus.STOPPED


def test_a_canceling_run_whose_execution_vanished_is_canceled(system: System) -> None:
    claim = system.claimed()
    system.control.cancel(a_caller(), claim.job.id)
    system.workflows.forget()
    system.pass_time(OVERDUE)

    system.sweep()

    assert system.job(claim.job).status is JobStatus.CANCELED


def test_after_a_restart_looks_at_everything_at_once(system: System) -> None:
    waiting, claim = system.submitted(project="other"), system.claimed()
    system.workers.put(WorkerRecord(id="w1", state=WorkerState.BUSY, due_at=START + timedelta(days=1)))
    system.workflows.forget()
    woken(system)

    assert system.sweep(everything=True) == 2

    assert system.job(claim.job).waiting
    assert system.job(waiting).waiting
    assert system.workers.list() == []
    assert woken(system) == ["other", PROJECT]


def test_removes_workers_that_were_not_seen_and_wakes_dispatch_for_whoever_needs_them(system: System) -> None:
    system.admitted()
    assert len(system.workers.list()) == 1
    woken(system)
    system.pass_time(LAUNCH_DEADLINE.total_seconds())
    job = system.jobs.get(PROJECT, system.jobs.due(system.clock(), 1)[0][1])
    assert job is not None
    system.jobs.write(job, job.touch(system.clock()))  # so that nothing but the worker is overdue

    system.sweep()

    assert system.workers.list() == []
    assert woken(system) == [PROJECT]


def test_keeps_workers_that_were_seen(system: System) -> None:
    seen = WorkerRecord(id="w1", state=WorkerState.IDLE, due_at=START + timedelta(seconds=61))
    system.workers.put(seen)
    system.pass_time(60)

    system.sweep()

    assert system.workers.list() == [seen]


def test_passes_over_what_somebody_else_mends(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    contested, other = system.submitted(project="ada"), system.submitted(project="bob")
    system.pass_time(60)
    write = system.jobs.write

    def conflict_for_one(before: Job | None, after: Job, **more: Any) -> Job:
        if after.id == contested.id:
            raise Conflict("changed")
        return write(before, after, **more)

    monkeypatch.setattr(system.jobs, "write", conflict_for_one)
    woken(system)

    assert system.sweep() == 2

    assert system.job(other).due_at == system.clock() + CHECK_AFTER
    assert woken(system) == ["bob"]


def test_passes_over_what_the_index_has_and_the_row_has_not(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    claim = system.claimed()
    system.finish(PROJECT, claim.job.id, 1)
    stale = [(PROJECT, claim.job.id), (PROJECT, "gone")]
    monkeypatch.setattr(system.jobs, "due", lambda *_: stale)
    before = system.job(claim.job)

    system.sweep()

    assert system.job(claim.job) == before


def blocked(system: System, first: Job) -> Job:
    return system.submitted(CreateJob(script=SCRIPT, depends_on=(first.id,)))


def waiting(system: System, _first: Job) -> Job:
    return system.submitted()


def without_report(system: System, _first: Job) -> Job:
    """A job whose run was lost before anybody could write its report."""
    job = system.jobs.write(None, a_job(is_leaf=True))
    job = system.jobs.write(job, job.admit(START))
    job = system.jobs.write(job, job.claim("w9", START))
    return system.jobs.write(job, job.finish(failed(), START - REPORT_AFTER))


FLOOD = 150


@pytest.mark.parametrize("kind", [blocked, waiting, without_report])
def test_a_flood_of_one_projects_rows_keeps_no_other_project_waiting(
    system: System, monkeypatch: pytest.MonkeyPatch, kind: Callable[[System, Job], Job]
) -> None:
    """A sweep has the time for a few rows: each project gets its turn, whatever is more overdue."""
    system.jobs.set_limits(PROJECT, Limits(running=2, queued=FLOOD + 2))
    first = system.submitted()
    for _ in range(FLOOD):
        kind(system, first)
    system.pass_time(1)
    stranger = system.submitted(project="stranger")
    system.jobs.write(stranger, stranger.admit(system.clock()))  # whose execution nobody has started
    system.pass_time(3_600)
    write = system.jobs.write

    def slow(before: Job | None, after: Job, **more: Any) -> Job:
        system.pass_time(BUDGET.total_seconds() / 10)
        return write(before, after, **more)

    monkeypatch.setattr(system.jobs, "write", slow)

    assert system.sweep() < 20

    assert system.workflows.state(stranger.id, 1) is ExecutionState.RUNNING


def test_takes_up_all_that_is_overdue_while_there_is_time(system: System) -> None:
    system.jobs.set_limits(PROJECT, Limits(running=2, queued=FLOOD))
    for _ in range(FLOOD):
        system.submitted()
    system.pass_time(60)

    assert system.sweep() == FLOOD
    assert system.sweep() == 0


@pytest.mark.parametrize("successors", [1, 3])
def test_leaves_jobs_alone_for_which_nothing_can_be_done(system: System, successors: int) -> None:
    claim = system.claimed()
    waits = [blocked(system, claim.job) for _ in range(successors)]
    for _ in range(10):
        system.pass_time(61)
        system.sweep()

    assert [system.job(each) for each in waits] == waits


def test_skips_a_job_that_those_before_it_lost_sight_of(system: System) -> None:
    claim = system.claimed()
    second = blocked(system, claim.job)
    running = system.job(claim.job)
    ended = running.finish(failed(), system.clock()).model_copy(update={"due_at": None})
    system.jobs.write(running, ended)

    system.pass_time(BLOCKED_CHECK_AFTER.total_seconds())
    system.sweep()

    assert system.job(second).status is JobStatus.SKIPPED


def test_a_blocked_job_of_an_older_version_is_counted_once_it_waits_in_the_line(system: System) -> None:
    claim = system.claimed()
    old = system.jobs.write(None, a_job(depends_on=(claim.job.id,), blocked_on=(claim.job.id,)))
    assert system.jobs.load(PROJECT).queued == 0

    running = system.job(claim.job)
    system.jobs.write(running, running.finish(completed(), system.clock()))
    system.pass_time(60)
    system.sweep()

    assert system.job(old).waiting
    assert system.jobs.load(PROJECT).queued == 1
