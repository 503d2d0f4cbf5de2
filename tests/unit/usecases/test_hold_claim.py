"""A worker's side of a run."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.support.builders import a_caller, completed, failed
from tests.support.system import NO_WAIT, System
from wainwright.contracts.messages import TokenResult, WorkMessage
from wainwright.domain.errors import Conflict, FenceLost, Unavailable
from wainwright.domain.failures import FailureCategory
from wainwright.domain.jobs import LEASE, Job, Outcome
from wainwright.domain.states import JobStatus
from wainwright.ports.queues import ReceivedWork
from wainwright.ports.workflows import ExecutionState
from wainwright.usecases.hold_claim import MESSAGE_GRACE, Claim, Command


def name(job: Job) -> str:
    return f"{job.id}-{job.run}"


def doubled(system: System, claim: Claim) -> ReceivedWork:
    """The claim's message once more: SQS delivers at least once."""
    system.queue.put(claim.work.message)
    work = system.queue.receive(NO_WAIT)
    assert work is not None
    return work


class TestClaiming:
    def test_takes_the_run_under_a_fence_and_holds_its_message(self, system: System) -> None:
        claim = system.claimed(worker="w1")

        assert claim.job == system.job(claim.job)
        assert (claim.job.status, claim.job.worker, claim.job.fence) == (JobStatus.RUNNING, "w1", 1)
        system.pass_time(LEASE.total_seconds() - 1)
        assert system.queue.receive(NO_WAIT) is None

    def test_brings_the_jobs_detail(self, system: System) -> None:
        from wainwright.contracts.http.jobs import CreateJob

        claim = system.claimed(CreateJob(script="pass", params={"city": "Zürich"}))

        assert claim.detail.params == {"city": "Zürich"}

    def test_deletes_the_message_of_a_job_that_is_gone(self, system: System) -> None:
        system.queue.put(WorkMessage(project="shop", job_id="gone", run=1, task_token="t"))

        assert system.try_claim() is None
        assert system.queue.empty

    def test_deletes_the_message_of_a_run_that_is_over(self, system: System) -> None:
        job = system.admitted()
        system.control.cancel(a_caller(), job.id)

        assert system.try_claim() is None
        assert system.queue.empty
        assert system.job(job).fence == 0

    def test_deletes_the_message_of_an_earlier_run(self, system: System) -> None:
        claim = system.claimed()
        system.jobs.write(claim.job, claim.job.restart(system.clock()))
        system.dispatch()
        later = system.next_claim("w2")
        assert later.job.run == 2

        assert system.claims.claim(doubled(system, claim), "w3") is None
        assert system.job(later.job) == later.job

    def test_gives_the_message_back_while_another_worker_holds_the_run(self, system: System) -> None:
        claim = system.claimed()
        system.pass_time(10)
        work = doubled(system, claim)

        assert system.claims.claim(work, "w2") is None

        assert system.job(claim.job) == claim.job
        system.queue.delete(claim.work.receipt)
        system.pass_time((LEASE - timedelta(seconds=10) + MESSAGE_GRACE).total_seconds() - 0.001)
        assert system.queue.receive(NO_WAIT) is None
        system.pass_time(0.001)
        assert system.next_claim("w2").job.fence == 2

    def test_a_silent_worker_is_displaced_when_its_lease_ends_and_counts_as_a_loss(self, system: System) -> None:
        first = system.claimed(worker="w1")
        system.pass_time(LEASE.total_seconds())

        second = system.next_claim("w2")

        assert (second.job.worker, second.job.fence, second.job.losses) == ("w2", 2, 1)
        assert second.job.started_at == first.job.started_at

    def test_repeats_the_end_of_a_run_whose_outcome_is_there(
        self, system: System, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        claim = system.claimed()
        _dies(monkeypatch, system.workflows, "succeed")
        with pytest.raises(_Died):
            system.claims.end(claim, completed())
        assert system.workflows.state(claim.job.id, 1) is ExecutionState.RUNNING
        monkeypatch.undo()
        system.pass_time(LEASE.total_seconds())

        assert system.try_claim("w2") is None

        assert system.workflows.ended[name(claim.job)] == TokenResult(job_id=claim.job.id, run=1, fence=1)
        assert system.queue.empty
        assert system.job(claim.job).fence == 1

    def test_repeats_a_platform_failure_as_a_failure(self, system: System, monkeypatch: pytest.MonkeyPatch) -> None:
        claim = system.claimed()
        _dies(monkeypatch, system.queue, "delete")
        with pytest.raises(_Died):
            system.claims.end(claim, failed(FailureCategory.INFRASTRUCTURE))
        monkeypatch.undo()
        system.pass_time(LEASE.total_seconds())

        assert system.try_claim("w2") is None

        assert system.workflows.ended[name(claim.job)] == ("infrastructure", "expected 1, got 2")
        assert system.queue.empty

    def test_the_third_loss_ends_the_run_as_worker_lost(self, system: System) -> None:
        claim = system.claimed(worker="w1")
        for worker in ("w2", "w3"):
            system.pass_time(LEASE.total_seconds())
            claim = system.next_claim(worker)
        assert claim.job.losses == 2
        system.pass_time(LEASE.total_seconds())

        system.end_as_told("w4")

        outcome = system.job(claim.job).outcome
        assert outcome is not None
        assert outcome.failure is not None
        assert (outcome.status, outcome.failure.category) == (JobStatus.FAILED, FailureCategory.WORKER_LOST)
        assert system.workflows.ended[name(claim.job)] == ("worker_lost", "3 workers were lost while they ran this job")
        assert system.queue.empty

    def test_workers_that_leave_in_good_order_never_use_up_the_budget(self, system: System) -> None:
        claim = system.claimed()
        for number in range(8):
            system.claims.release(claim, number)
            claim = system.next_claim(f"w{number}")

        assert (claim.job.losses, claim.job.fence) == (0, 9)

    def test_ends_a_run_that_is_being_canceled_without_running_it(self, system: System) -> None:
        claim = system.claimed()
        system.control.cancel(a_caller(), claim.job.id)
        system.pass_time(LEASE.total_seconds())

        system.end_as_told("w2")

        job = system.job(claim.job)
        assert job.outcome is not None
        assert job.outcome.status is JobStatus.CANCELED
        assert name(job) in system.workflows.ended
        assert system.queue.empty

    def test_ends_a_run_that_is_being_stopped_without_running_it(self, system: System) -> None:
        claim = system.claimed()
        system.jobs.write(claim.job, claim.job.stop(system.clock()))
        system.pass_time(LEASE.total_seconds())

        system.end_as_told("w2")
        outcome = system.job(claim.job).outcome
        assert outcome is not None
        assert outcome.status is JobStatus.STOPPED

    def test_of_two_at_once_one_gets_the_run(self, system: System, monkeypatch: pytest.MonkeyPatch) -> None:
        system.admitted()
        work = system.queue.receive(NO_WAIT)
        assert work is not None
        _interrupt(system, monkeypatch, lambda job: job.claim("w0", system.clock()))

        assert system.claims.claim(work, "w1") is None
        assert system.jobs.get("shop", work.message.job_id) is not None

    def test_gives_up_when_the_row_never_rests(self, system: System, monkeypatch: pytest.MonkeyPatch) -> None:
        system.admitted()
        work = system.queue.receive(NO_WAIT)
        assert work is not None
        monkeypatch.setattr(system.jobs, "write", _conflict)

        with pytest.raises(Unavailable):
            system.claims.claim(work, "w1")


class TestHolding:
    def test_renewing_moves_the_lease_and_keeps_the_message(self, system: System) -> None:
        claim = system.claimed()
        for _ in range(5):
            system.pass_time(20)
            assert system.claims.renew(claim, 1_000) is Command.GO_ON

        assert system.queue.receive(NO_WAIT) is None
        job = system.job(claim.job)
        assert job.lease_until == system.clock() + LEASE
        assert (job.ran_ms, job.fence, job.losses) == (1_000, 1, 0)

    def test_learns_what_is_asked_of_the_run(self, system: System) -> None:
        claim = system.claimed()
        assert system.claims.read_command(claim) is Command.GO_ON

        system.jobs.write(claim.job, claim.job.stop(system.clock()))
        assert system.claims.read_command(claim) is Command.STOP
        assert system.claims.renew(claim, 1) is Command.STOP

        system.control.cancel(a_caller(), claim.job.id)
        assert system.claims.read_command(claim) is Command.CANCEL
        assert system.claims.renew(claim, 2) is Command.CANCEL

    def test_a_late_worker_that_nobody_displaced_goes_on(self, system: System) -> None:
        claim = system.claimed()
        system.pass_time(60)

        assert system.claims.renew(claim, 1) is Command.GO_ON

    def test_a_write_decides_anew_when_the_row_changed_meanwhile(
        self, system: System, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        claim = system.claimed()
        _interrupt(system, monkeypatch, lambda job: job.cancel(system.clock()))

        assert system.claims.renew(claim, 1) is Command.CANCEL
        assert system.job(claim.job).status is JobStatus.CANCELING

    def test_releasing_gives_the_message_back_at_once(self, system: System) -> None:
        claim = system.claimed()

        system.claims.release(claim, 7_000)

        job = system.job(claim.job)
        assert (job.worker, job.ran_ms, job.held_lanes) == (None, 7_000, 1)
        assert system.next_claim("w2").job.losses == 0


Write = Callable[[System, Claim], object]


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(lambda system, claim: system.claims.renew(claim, 1), id="renew"),
        pytest.param(lambda system, claim: system.claims.read_command(claim), id="control"),
        pytest.param(lambda system, claim: system.claims.release(claim, 1), id="release"),
        pytest.param(lambda system, claim: system.claims.end(claim, completed()), id="end"),
    ],
)
class TestLosing:
    def test_a_displaced_worker_writes_nothing(self, system: System, write: Write) -> None:
        old = system.claimed(worker="w1")
        system.pass_time(LEASE.total_seconds())
        new = system.next_claim("w2")

        with pytest.raises(FenceLost):
            write(system, old)

        assert system.job(new.job) == new.job
        assert system.workflows.ended == {}

    def test_a_worker_of_an_earlier_run_writes_nothing(self, system: System, write: Write) -> None:
        claim = system.claimed()
        system.jobs.write(claim.job, claim.job.restart(system.clock()))
        system.dispatch()
        again = system.job(claim.job)

        with pytest.raises(FenceLost):
            write(system, claim)

        assert system.job(claim.job) == again

    def test_a_worker_that_released_writes_nothing_more(self, system: System, write: Write) -> None:
        claim = system.claimed()
        system.claims.release(claim, 1)

        with pytest.raises(FenceLost):
            write(system, claim)

    def test_nobody_writes_to_a_job_that_has_ended(self, system: System, write: Write) -> None:
        claim = system.claimed()
        system.finish(claim.job.project, claim.job.id, 1)
        ended = system.job(claim.job)

        with pytest.raises(FenceLost):
            write(system, claim)

        assert system.job(claim.job) == ended


class TestEnding:
    def test_keeps_the_outcome_then_ends_the_token_then_deletes_the_message(
        self, system: System, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        claim = system.claimed()
        order: list[str] = []
        for owner, method in ((system.jobs, "write"), (system.workflows, "succeed"), (system.queue, "delete")):
            _note(monkeypatch, owner, method, order)

        system.claims.end(claim, completed())

        assert order == ["write", "succeed", "delete"]
        job = system.job(claim.job)
        assert (job.outcome, job.worker, job.status) == (completed(), None, JobStatus.RUNNING)
        assert system.workflows.ended[name(job)] == TokenResult(job_id=job.id, run=1, fence=1)
        assert system.queue.empty

    def test_a_failure_of_the_tests_is_a_token_that_ended_well(self, system: System) -> None:
        claim = system.claimed()
        system.claims.end(claim, failed(FailureCategory.ASSERTION))

        assert isinstance(system.workflows.ended[name(claim.job)], TokenResult)

    @pytest.mark.parametrize("category", [FailureCategory.WORKER_LOST, FailureCategory.INFRASTRUCTURE])
    def test_a_failure_of_the_platform_is_a_token_that_failed(self, system: System, category: FailureCategory) -> None:
        claim = system.claimed()
        system.claims.end(claim, failed(category))

        assert system.workflows.ended[name(claim.job)] == (category, "expected 1, got 2")

    def test_a_canceled_run_ends_with_what_it_had(self, system: System) -> None:
        claim = system.claimed()
        system.control.cancel(a_caller(), claim.job.id)
        outcome = Outcome(status=JobStatus.CANCELED, fence=1, tests=completed().tests)

        system.claims.end(claim, outcome)
        finished = system.finish(claim.job.project, claim.job.id, 1)

        assert finished is not None
        assert (finished.status, finished.tests.passed) == (JobStatus.CANCELED, 2)


class _Died(Exception):
    """The process ends here."""


def _dies(monkeypatch: pytest.MonkeyPatch, owner: object, method: str) -> None:
    def die(*_: Any, **__: Any) -> None:
        raise _Died

    monkeypatch.setattr(owner, method, die)


def _note(monkeypatch: pytest.MonkeyPatch, owner: object, method: str, order: list[str]) -> None:
    original = getattr(owner, method)

    def noted(*args: Any, **more: Any) -> Any:
        order.append(method)
        return original(*args, **more)

    monkeypatch.setattr(owner, method, noted)


def _conflict(*_: Any, **__: Any) -> Job:
    raise Conflict("changed")


def _interrupt(system: System, monkeypatch: pytest.MonkeyPatch, step: Callable[[Job], Job]) -> None:
    """Let somebody take a step just before the next write."""
    write = system.jobs.write

    def interrupted(before: Job | None, after: Job, **more: Any) -> Job:
        monkeypatch.setattr(system.jobs, "write", write)
        assert before is not None
        write(before, step(before))
        return write(before, after, **more)

    monkeypatch.setattr(system.jobs, "write", interrupted)
