"""Ending runs."""

from datetime import timedelta
from typing import Any

import pytest

from tests.support.builders import PROJECT, SCRIPT, a_caller, completed, failed, job_id
from tests.support.system import System
from wainwright.contracts.http.jobs import CreateJob
from wainwright.contracts.messages import ExecutionError
from wainwright.domain.errors import Conflict, Unavailable
from wainwright.domain.failures import FailureCategory
from wainwright.domain.jobs import Job, Outcome
from wainwright.domain.retry import RetryPolicy
from wainwright.domain.states import JobStatus

NOW = timedelta(0)


def ended(system: System, outcome: Outcome, **fields: Any) -> Job:
    """A job whose worker has left an outcome."""
    claim = system.claimed(CreateJob.model_validate({"script": SCRIPT, **fields}))
    system.claims.end(claim, outcome)
    system.wakeups.sent.clear()
    return system.job(claim.job)


def test_makes_a_final_state_of_the_outcome_and_wakes_dispatch(system: System) -> None:
    job = ended(system, completed())

    finished = system.finish(PROJECT, job.id, job.run)

    assert finished == system.job(job)
    assert finished is not None
    assert (finished.status, finished.held_lanes) == (JobStatus.COMPLETED, 0)
    assert system.jobs.load(PROJECT).running == 0
    assert system.wakeups.sent == [(PROJECT, NOW)]


def test_finishing_again_changes_nothing(system: System) -> None:
    job = ended(system, completed())
    first = system.finish(PROJECT, job.id, job.run)
    system.wakeups.sent.clear()
    system.pass_time(60)

    assert system.finish(PROJECT, job.id, job.run) == first
    assert system.finish(PROJECT, job.id, job.run, ExecutionError(error="States.Timeout")) == first
    assert system.wakeups.sent == []


def test_the_end_of_an_earlier_run_does_not_touch_a_later_one(system: System) -> None:
    job = ended(system, failed(), retry={"maxAttempts": 2, "delayMs": 0})
    system.finish(PROJECT, job.id, 1)
    system.dispatch()
    again = system.job(job)
    assert (again.run, again.held_lanes) == (2, 1)

    assert system.finish(PROJECT, job.id, 1) == again
    assert system.job(job) == again


def test_a_job_that_is_gone_is_no_fault(system: System) -> None:
    assert system.finish(PROJECT, job_id(99), 1) is None
    assert system.wakeups.sent == []


def test_a_failure_that_may_be_tried_again_waits_for_its_time_and_is_woken_then(system: System) -> None:
    job = ended(system, failed(), retry={"maxAttempts": 2, "delayMs": 20_500})

    again = system.finish(PROJECT, job.id, 1)

    assert again is not None
    assert (again.status, again.attempt, again.waiting) == (JobStatus.PENDING, 2, True)
    assert again.not_before == system.clock() + timedelta(milliseconds=20_500)
    assert system.wakeups.sent == [(PROJECT, NOW), (PROJECT, timedelta(milliseconds=20_500))]
    assert system.dispatch() == 0
    system.pass_time(20.5)
    assert system.dispatch() == 1


def test_a_retry_that_is_far_off_is_left_to_the_sweep(system: System) -> None:
    job = ended(system, failed(), retry={"maxAttempts": 2, "delayMs": 901_000})

    system.finish(PROJECT, job.id, 1)

    assert system.wakeups.sent == [(PROJECT, NOW)]
    system.pass_time(901 + 60)
    system.sweep()
    assert system.wakeups.sent[-1] == (PROJECT, NOW)
    assert system.dispatch() == 1


def test_waits_grow_from_try_to_try(system: System) -> None:
    job = ended(system, failed(), retry={"maxAttempts": 3, "delayMs": 10_000, "backoffMultiplier": 3})
    waits = []
    for run in (1, 2):
        again = system.finish(PROJECT, job.id, run)
        assert again is not None
        assert again.not_before is not None
        waits.append((again.not_before - system.clock()).total_seconds())
        system.pass_time(waits[-1])
        system.dispatch()
        system.claims.end(system.next_claim(), failed(fence=run + 1))

    last = system.finish(PROJECT, job.id, 3)

    assert waits == [10, 30]
    assert last is not None
    assert (last.status, last.attempt) == (JobStatus.FAILED, 3)


@pytest.mark.parametrize(
    "category", [FailureCategory.INVALID_INPUT, FailureCategory.INSTRUCTIONS, FailureCategory.CANCELED_BY_USER]
)
def test_does_not_try_again_what_another_try_cannot_mend(system: System, category: FailureCategory) -> None:
    job = ended(system, failed(category), retry={"maxAttempts": 5})

    finished = system.finish(PROJECT, job.id, 1)

    assert finished is not None
    assert (finished.status, finished.attempt) == (JobStatus.FAILED, 1)


@pytest.mark.parametrize(
    ("claimed", "error", "category", "says"),
    [
        pytest.param(True, "States.Timeout", FailureCategory.JOB_TIMEOUT, "60000 ms", id="a worker ran past the net"),
        pytest.param(False, "States.Timeout", FailureCategory.INFRASTRUCTURE, "no worker", id="no worker came"),
        pytest.param(True, "SQS.SdkClientException", FailureCategory.INFRASTRUCTURE, "SQS.SdkClient", id="another error"),
        pytest.param(True, "", FailureCategory.INFRASTRUCTURE, "without an error name", id="no error at all"),
    ],
)  # fmt: skip
def test_names_why_a_run_without_an_outcome_ended(
    system: System, claimed: bool, error: str, category: FailureCategory, says: str
) -> None:
    job = system.claimed().job if claimed else system.admitted()

    finished = system.finish(PROJECT, job.id, 1, ExecutionError(error=error) if error else None)

    assert finished is not None
    assert finished.status is JobStatus.FAILED
    assert finished.failure is not None
    assert finished.failure.category is category
    assert says in finished.failure.message


def test_tells_the_cause_that_the_execution_names(system: System) -> None:
    job = system.admitted()

    finished = system.finish(
        PROJECT, job.id, 1, ExecutionError(error="WorkUndeliverable", cause="handed out too often")
    )

    assert finished is not None
    assert finished.failure is not None
    assert "WorkUndeliverable" in finished.failure.message
    assert "handed out too often" in finished.failure.message


def test_a_run_canceled_meanwhile_ends_canceled(system: System) -> None:
    claim = system.claimed(CreateJob(script=SCRIPT, retry=RetryPolicy(max_attempts=5)))
    system.control.cancel(a_caller(), claim.job.id)

    finished = system.finish(PROJECT, claim.job.id, 1, ExecutionError(error="States.Timeout"))

    assert finished is not None
    assert finished.status is JobStatus.CANCELED


def test_decides_anew_when_the_row_changed_meanwhile(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    job = ended(system, completed())
    write = system.jobs.write

    def interrupted(before: Job | None, after: Job, **more: Any) -> Job:
        monkeypatch.setattr(system.jobs, "write", write)
        assert before is not None
        write(before, before.cancel(system.clock()))
        return write(before, after, **more)

    monkeypatch.setattr(system.jobs, "write", interrupted)

    finished = system.finish(PROJECT, job.id, 1)

    assert finished is not None
    assert finished.status is JobStatus.CANCELED


def test_asks_to_be_called_again_when_the_row_never_rests(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    job = ended(system, completed())

    def contested(*_: Any, **__: Any) -> Job:
        raise Conflict("changed")

    monkeypatch.setattr(system.jobs, "write", contested)

    with pytest.raises(Unavailable):
        system.finish(PROJECT, job.id, 1)
    assert system.wakeups.sent == []
