"""Stopping, resuming, retrying, deleting, ranking and naming jobs."""

import pytest

from tests.support.builders import PROJECT, SCRIPT, a_caller, completed, failed, job_id
from tests.support.system import System
from wainwright.contracts.http.jobs import CreateJob
from wainwright.contracts.names import report_key
from wainwright.domain.capacity import Limits
from wainwright.domain.errors import NotFound, Refused
from wainwright.domain.jobs import Job, Outcome
from wainwright.domain.states import JobStatus

CALLER = a_caller()


def _ended(system: System, outcome: Outcome) -> Job:
    claim = system.claimed()
    system.claims.end(claim, outcome)
    system.finish(PROJECT, claim.job.id, claim.job.run)
    return system.job(claim.job)


def test_stops_a_waiting_job_at_once_and_puts_it_back_when_it_is_resumed(system: System) -> None:
    job = system.submitted()

    assert system.control.stop(CALLER, job.id).status is JobStatus.STOPPED
    assert system.jobs.load(PROJECT).queued == 0
    resumed = system.control.resume(CALLER, job.id)

    assert (resumed.waiting, resumed.attempt, resumed.expires_at) == (True, 1, None)
    assert system.jobs.load(PROJECT).queued == 1


def test_a_running_job_is_stopped_by_its_worker_and_goes_on_in_a_new_run(system: System) -> None:
    claim = system.claimed()

    assert system.control.stop(CALLER, claim.job.id).status is JobStatus.STOPPING
    system.claims.end(claim, Outcome(status=JobStatus.STOPPED, fence=claim.job.fence), 4_000)
    system.finish(PROJECT, claim.job.id, 1)
    assert system.job(claim.job).status is JobStatus.STOPPED

    system.control.resume(CALLER, claim.job.id)
    system.dispatch()
    again = system.next_claim().job

    assert (again.run, again.attempt, again.ran_ms, again.status) == (2, 1, 4_000, JobStatus.RUNNING)


def test_a_stop_that_comes_too_late_changes_nothing_about_the_outcome(system: System) -> None:
    claim = system.claimed()
    system.control.stop(CALLER, claim.job.id)

    system.claims.end(claim, completed())
    system.finish(PROJECT, claim.job.id, 1)

    assert system.job(claim.job).status is JobStatus.COMPLETED


@pytest.mark.parametrize("only_failed", [True, False])
def test_retries_a_failed_job_by_the_same_id(system: System, only_failed: bool) -> None:
    job = _ended(system, failed())

    retried = system.control.retry(CALLER, job.id, only_failed=only_failed)

    assert (retried.id, retried.waiting, retried.attempt, retried.failure) == (job.id, True, 2, None)
    assert retried.fresh_since == (1 if only_failed else 2)


def test_retrying_never_meets_the_limit_of_the_line(system: System) -> None:
    job = _ended(system, failed())
    for _ in range(system.limits.queued):
        system.submitted()

    assert system.control.retry(CALLER, job.id, only_failed=True).waiting


def test_what_the_state_does_not_allow_is_refused_with_the_state(system: System) -> None:
    done = _ended(system, completed())

    for act in (system.control.stop, system.control.resume, system.control.cancel):
        with pytest.raises(Refused) as refused:
            act(CALLER, done.id)
        assert "completed" in refused.value.message
    with pytest.raises(Refused):
        system.control.retry(CALLER, done.id, only_failed=True)
    with pytest.raises(Refused):
        system.control.change(CALLER, done.id, priority=1)


def test_deletes_a_job_at_rest_with_all_it_left(system: System) -> None:
    job = _ended(system, completed())
    key = report_key(PROJECT, job.id, fence=1, path="index.html")
    system.artifacts.put(key, b"x", "text/html")

    system.control.delete(CALLER, job.id)

    assert system.jobs.get(PROJECT, job.id) is None
    assert key not in system.artifacts.objects
    with pytest.raises(NotFound):
        system.control.delete(CALLER, job.id)


def test_does_not_delete_what_runs_or_waits(system: System) -> None:
    claim, waiting = system.claimed(), system.submitted()

    for job in (claim.job, waiting):
        with pytest.raises(Refused):
            system.control.delete(CALLER, job.id)


def test_a_higher_priority_starts_first_and_low_priority_last(system: System) -> None:
    first, second, third = (system.submitted() for _ in range(3))

    system.control.change(CALLER, third.id, priority=5)
    system.control.change(CALLER, first.id, low_priority=True)

    line = system.jobs.waiting_line(PROJECT, system.clock(), 10)
    assert line == [third.id, second.id, first.id]


def test_a_label_can_be_changed_in_any_state(system: System) -> None:
    job = _ended(system, completed())

    assert system.control.change(CALLER, job.id, label="kept").label == "kept"


def test_a_new_label_does_not_keep_a_job_for_longer(system: System) -> None:
    job = _ended(system, completed())
    system.pass_time(60)

    named = system.control.change(CALLER, job.id, label="kept")

    assert named.expires_at == job.expires_at


def test_tells_of_a_job_that_is_not_there(system: System) -> None:
    with pytest.raises(NotFound):
        system.control.stop(CALLER, job_id(99))
    other = system.submitted(CreateJob(script=SCRIPT), project="other")
    with pytest.raises(NotFound):
        system.control.delete(CALLER, other.id)


def test_an_expired_job_is_not_there(system: System) -> None:
    job = _ended(system, failed())
    system.pass_time(8 * 86_400)

    with pytest.raises(NotFound):
        system.control.retry(CALLER, job.id, only_failed=True)


def test_a_job_without_room_at_its_worker_goes_back_and_uses_up_no_try(system: System) -> None:
    system.admitted()
    second = system.admitted()
    system.jobs.set_limits(PROJECT, Limits(running=1, queued=4))

    assert system.try_claim() is None

    load = system.jobs.load(PROJECT)
    assert (load.running, load.queued) == (1, 1)
    assert system.job(second).attempt == 1
    assert system.try_claim("w2") is not None
