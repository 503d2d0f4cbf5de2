"""Canceling jobs."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.builders import PROJECT, a_caller, completed, failed, job_id
from tests.support.system import System
from wainwright.domain.errors import Conflict, InvalidInput, NotFound, Refused, Unavailable
from wainwright.domain.failures import FailureCategory
from wainwright.domain.jobs import Job, Outcome
from wainwright.domain.states import JobStatus

CALLER = a_caller()


def ended(system: System, outcome: Outcome) -> Job:
    claim = system.claimed()
    system.claims.end(claim, outcome)
    finished = system.finish(PROJECT, claim.job.id, 1)
    assert finished is not None
    return finished


def test_cancels_a_waiting_job_at_once(system: System) -> None:
    job = system.submitted()
    system.wakeups.sent.clear()

    canceled = system.control.cancel(CALLER, job.id)

    assert canceled == system.job(job)
    assert canceled.status is JobStatus.CANCELED
    assert canceled.failure is not None
    assert canceled.failure.category is FailureCategory.CANCELED_BY_USER
    assert system.jobs.load(PROJECT).queued == 0
    assert system.wakeups.sent == []  # no lane came free


def test_cancels_an_admitted_job_at_once_and_wakes_dispatch_for_the_lane(system: System) -> None:
    job = system.admitted()
    system.wakeups.sent.clear()

    assert system.control.cancel(CALLER, job.id).status is JobStatus.CANCELED

    assert system.jobs.load(PROJECT).running == 0
    assert [project for project, _ in system.wakeups.sent] == [PROJECT]


def test_tells_the_worker_of_a_running_job(system: System) -> None:
    claim = system.claimed()
    system.wakeups.sent.clear()

    canceling = system.control.cancel(CALLER, claim.job.id)

    assert canceling.status is JobStatus.CANCELING
    assert system.jobs.load(PROJECT).running == 1
    assert system.wakeups.sent == []


def test_canceling_again_is_no_fault(system: System) -> None:
    claim = system.claimed()
    first = system.control.cancel(CALLER, claim.job.id)

    assert system.control.cancel(CALLER, claim.job.id).status_sequence == first.status_sequence


@pytest.mark.parametrize("outcome", [completed, failed])
def test_refuses_to_cancel_what_has_ended_and_says_how_it_did(system: System, outcome: Callable[..., Outcome]) -> None:
    job = ended(system, outcome())

    with pytest.raises(Refused, match=str(job.status)) as refused:
        system.control.cancel(CALLER, job.id)
    assert refused.value.advice
    assert system.job(job) == job


def test_finds_no_job_of_another_project(system: System) -> None:
    job = system.submitted()

    with pytest.raises(NotFound):
        system.control.cancel(a_caller("other"), job.id)
    with pytest.raises(NotFound):
        system.control.cancel(CALLER, job_id(99))
    with pytest.raises(InvalidInput):
        system.control.cancel(CALLER, "nonsense")


def test_decides_anew_when_a_worker_took_the_job_meanwhile(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    job = system.admitted()
    write = system.jobs.write

    def interrupted(before: Job | None, after: Job, **more: Any) -> Job:
        monkeypatch.setattr(system.jobs, "write", write)
        system.next_claim()
        return write(before, after, **more)

    monkeypatch.setattr(system.jobs, "write", interrupted)

    assert system.control.cancel(CALLER, job.id).status is JobStatus.CANCELING


def test_gives_up_when_the_row_never_rests(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    job = system.submitted()

    def contested(*_: Any, **__: Any) -> Job:
        raise Conflict("changed")

    monkeypatch.setattr(system.jobs, "write", contested)

    with pytest.raises(Unavailable):
        system.control.cancel(CALLER, job.id)
