"""Jobs that wait for other jobs, and what becomes of them."""

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tests.support.builders import PROJECT, SCRIPT, a_caller, completed, failed
from tests.support.system import System
from wainwright.contracts.http.jobs import CreateJob
from wainwright.domain.capacity import Limits
from wainwright.domain.failures import FailureCategory
from wainwright.domain.jobs import Job, Outcome
from wainwright.domain.states import JobStatus
from wainwright.usecases.hold_claim import Claim

CALLER = a_caller()


def _after(system: System, *predecessors: Job, url: str | None = None) -> Job:
    ids = tuple(job.id for job in predecessors)
    return system.submitted(CreateJob(script=SCRIPT, depends_on=ids, url=url))


def _complete(system: System, claim: Claim, results: dict[str, object] | None = None) -> None:
    detail = claim.detail.model_copy(update={"results": results})
    system.jobs.set_detail(claim.job, detail)
    system.claims.end(claim, completed())
    system.finish(PROJECT, claim.job.id, claim.job.run)


def test_a_job_waits_outside_the_line_for_the_one_before_it(system: System) -> None:
    first = system.submitted()

    second = _after(system, first)

    assert (second.status, second.waiting, second.blocked_on) == (JobStatus.PENDING, False, (first.id,))
    assert system.jobs.load(PROJECT).queued == 2
    system.dispatch()
    assert system.job(second).admitted_at is None


def test_an_ending_looks_for_successors_only_where_there_may_be_some(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    dependents = system.jobs.dependents

    def noted(project: str, job_id: str) -> Sequence[str]:
        looked.append(job_id)
        return dependents(project, job_id)

    monkeypatch.setattr(system.jobs, "dependents", noted)
    claim = system.claimed()
    _complete(system, claim)
    assert looked == []

    claim = system.claimed()
    second, third = _after(system, claim.job), _after(system, claim.job)
    system.claims.end(claim, failed())
    system.finish(PROJECT, claim.job.id, claim.job.run)

    assert looked == [claim.job.id, claim.job.id]  # before its ending and after it, and not for those that are skipped
    assert [system.job(job).status for job in (second, third)] == [JobStatus.SKIPPED] * 2


def test_a_job_that_comes_to_depend_on_one_that_just_ends_is_started_by_the_ending(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = system.claimed()
    system.claims.end(claim, completed())
    write, came = system.jobs.write, list[Job]()

    def racing(before: Job | None, after: Job, **more: Any) -> Job:
        if after.id == claim.job.id and after.is_final and not came:
            monkeypatch.setattr(system.jobs, "write", write)
            came.append(_after(system, claim.job))
        return write(before, after, **more)

    monkeypatch.setattr(system.jobs, "write", racing)
    ended = system.finish(PROJECT, claim.job.id, claim.job.run)

    assert ended is not None
    assert ended.status is JobStatus.COMPLETED
    (second,) = came
    assert second.blocked_on == (claim.job.id,)
    assert system.job(second).waiting


def test_completion_starts_the_next_one_at_the_final_url(system: System) -> None:
    claim = system.claimed()
    second = _after(system, claim.job)

    _complete(system, claim, {"finalUrl": "https://shop.example/next"})

    started = system.job(second)
    assert (started.waiting, started.blocked_on, started.url) == (True, (), "https://shop.example/next")
    system.dispatch()
    assert system.job(second).admitted_at is not None


def test_an_address_of_its_own_is_kept(system: System) -> None:
    claim = system.claimed()
    second = _after(system, claim.job, url="https://own.example/")

    _complete(system, claim, {"finalUrl": "https://shop.example/next"})

    assert system.job(second).url == "https://own.example/"


def test_a_final_url_that_is_none_is_not_handed_on(system: System) -> None:
    claim = system.claimed()
    second = _after(system, claim.job)

    _complete(system, claim, {"finalUrl": "file:///etc/passwd"})

    assert system.job(second).url is None


def test_a_failure_skips_all_the_rest_with_the_reason(system: System) -> None:
    claim = system.claimed()
    second = _after(system, claim.job)
    third = _after(system, second)

    system.claims.end(claim, failed())
    system.finish(PROJECT, claim.job.id, claim.job.run)

    for skipped in (system.job(second), system.job(third)):
        assert (skipped.status, skipped.blocked_on) == (JobStatus.SKIPPED, ())
        assert skipped.failure is not None
        assert "not run" in skipped.failure.message
    reason = system.job(second).failure
    assert reason is not None
    assert reason.category is FailureCategory.ASSERTION
    assert claim.job.id in reason.message
    load = system.jobs.load(PROJECT)
    assert (load.queued, load.running) == (0, 0)


def test_canceling_the_first_skips_the_rest(system: System) -> None:
    first = system.submitted()
    second = _after(system, first)

    system.control.cancel(CALLER, first.id)

    assert system.job(second).status is JobStatus.SKIPPED


def test_one_that_waits_for_several_starts_after_the_last(system: System) -> None:
    one, other = system.claimed(), system.claimed(worker="w2")
    last = _after(system, one.job, other.job)

    _complete(system, one)
    assert not system.job(last).waiting
    _complete(system, other)

    assert system.job(last).waiting


def test_more_successors_than_one_transaction_takes_all_start(system: System) -> None:
    system.jobs.set_limits(PROJECT, Limits(running=2, queued=50))
    claim = system.claimed()
    successors = [_after(system, claim.job) for _ in range(40)]

    _complete(system, claim)

    assert all(system.job(each).waiting for each in successors)


@pytest.mark.parametrize("outcome", [completed(), failed()], ids=["completed", "failed"])
@pytest.mark.parametrize("step", range(14))
def test_the_sweep_goes_on_where_an_ending_broke_off(
    system: System, monkeypatch: pytest.MonkeyPatch, outcome: Outcome, step: int
) -> None:
    """Whichever call to the store is the last of the one that ends a job: none that waits for it is left behind."""
    monkeypatch.setattr("wainwright.usecases.end_job.MOST_AT_ONCE", 1)
    system.jobs.set_limits(PROJECT, Limits(running=2, queued=50))
    claim = system.claimed()
    successors = [_after(system, claim.job) for _ in range(3)]
    further = [_after(system, successors[0]), _after(system, successors[2])]
    system.claims.end(claim, outcome)
    calls = 0

    def dies(call: Callable[..., Any]) -> Callable[..., Any]:
        def called(*args: Any, **more: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls > step:
                raise ConnectionError
            return call(*args, **more)

        return called

    with monkeypatch.context() as broken:
        for name in ("get", "write", "dependents"):
            broken.setattr(system.jobs, name, dies(getattr(system.jobs, name)))
        with contextlib.suppress(ConnectionError):
            system.finish(PROJECT, claim.job.id, claim.job.run)
    for _ in range(3):
        system.pass_time(61)
        system.sweep()

    assert system.job(claim.job).status is outcome.status
    if outcome.status is JobStatus.COMPLETED:
        assert [system.job(each).waiting for each in [*successors, *further]] == [True] * 3 + [False] * 2
    else:
        assert {system.job(each).status for each in [*successors, *further]} == {JobStatus.SKIPPED}
    resting = [system.job(each) for each in [claim.job, *successors] if system.job(each).is_final]
    assert all(each.due_at is None for each in resting if not each.owes_report)


def test_jobs_that_wait_for_a_stopped_one_hear_of_its_deletion(system: System) -> None:
    first = system.submitted()
    second = _after(system, first)
    third = _after(system, second)
    system.control.stop(CALLER, first.id)
    system.control.delete(CALLER, first.id)

    system.pass_time(61)
    system.sweep()

    assert [system.job(each).status for each in (second, third)] == [JobStatus.SKIPPED] * 2


def test_what_is_skipped_is_kept_as_long_as_what_ran(system: System) -> None:
    claim = system.claimed()
    second = _after(system, claim.job)
    third = _after(system, second)

    system.claims.end(claim, failed())
    system.finish(PROJECT, claim.job.id, claim.job.run)

    expected = system.job(claim.job).expires_at
    assert expected is not None
    assert [system.job(each).expires_at for each in (second, third)] == [expected, expected]


@pytest.mark.parametrize("ask", ["cancel", "stop"])
def test_what_is_at_rest_stays_so_when_the_one_before_it_completes(system: System, ask: str) -> None:
    claim = system.claimed()
    second = _after(system, claim.job)
    rests = getattr(system.control, ask)(CALLER, second.id)

    _complete(system, claim)

    after = system.job(second)
    assert (after.status, after.due_at) == (rests.status, None)
    system.pass_time(61)
    assert system.sweep() == 0


def test_a_stopped_job_starts_when_it_is_resumed_after_the_one_before_it_completed(system: System) -> None:
    claim = system.claimed()
    second = _after(system, claim.job)
    system.control.stop(CALLER, second.id)

    _complete(system, claim)

    assert system.control.resume(CALLER, second.id).waiting
