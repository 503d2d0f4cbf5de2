"""A worker's own row, and the race between its leaving and new work."""

from datetime import timedelta

import pytest

from tests.support.builders import START
from tests.support.system import System
from wainwright.domain.workers import SEEN_DEADLINE, WorkerRecord, WorkerState
from wainwright.ports.queues import ReceivedWork
from wainwright.usecases.keep_worker import KeepWorker


@pytest.fixture
def keep(system: System) -> KeepWorker:
    return KeepWorker("w1", system.workers, system.jobs, system.queue, system.clock)


def row(system: System, worker_id: str = "w1") -> WorkerRecord | None:
    return next((row for row in system.workers.list() if row.id == worker_id), None)


def put(system: System, worker_id: str, state: WorkerState = WorkerState.IDLE) -> None:
    system.workers.put(WorkerRecord(id=worker_id, state=state, due_at=START + timedelta(hours=1)))


def test_says_what_it_does_and_until_when_to_believe_it(system: System, keep: KeepWorker) -> None:
    system.pass_time(5)
    keep.report(WorkerState.BUSY)

    assert row(system) == WorkerRecord(id="w1", state=WorkerState.BUSY, due_at=system.clock() + SEEN_DEADLINE)
    assert SEEN_DEADLINE.total_seconds() > 3 * KeepWorker.REPORT_SECONDS


def test_takes_its_row_with_it(system: System, keep: KeepWorker) -> None:
    keep.report(WorkerState.IDLE)
    put(system, "w2")

    keep.leave()
    keep.leave()

    assert [row.id for row in system.workers.list()] == ["w2"]


def test_leaves_when_nothing_wants_a_worker(system: System, keep: KeepWorker) -> None:
    keep.report(WorkerState.IDLE)

    assert keep.can_leave(0) is True

    left = row(system)
    assert left is not None
    assert left.state is WorkerState.DRAINING


def test_stays_while_the_jobs_need_as_many_workers_as_there_are(system: System, keep: KeepWorker) -> None:
    system.admitted()
    system.workers.remove(system.workers.list()[0].id)

    assert keep.can_leave(0) is False

    stays = row(system)
    assert stays is not None
    assert stays.state is WorkerState.IDLE


def test_leaves_when_others_are_enough(system: System, keep: KeepWorker) -> None:
    system.admitted()  # a worker was launched for it
    work = system.queue.receive(timedelta(0))
    assert work is not None

    assert keep.can_leave(0) is True


def test_stays_where_others_are_leaving_too(system: System, keep: KeepWorker) -> None:
    system.admitted()
    system.workers.remove(system.workers.list()[0].id)
    put(system, "w2", WorkerState.DRAINING)

    assert keep.can_leave(0) is False


def test_does_not_count_on_one_that_was_not_seen_in_time(system: System, keep: KeepWorker) -> None:
    system.admitted()
    system.workers.remove(system.workers.list()[0].id)
    put(system, "w2")
    work = system.queue.receive(timedelta(0))  # what w2 had, which is lost now
    assert work is not None
    assert keep.can_leave(0) is True

    system.pass_time(3_600)

    assert keep.can_leave(0) is False


def test_stays_where_some_are_to_be_kept_warm(system: System, keep: KeepWorker) -> None:
    assert keep.can_leave(1) is False

    put(system, "w2")
    assert keep.can_leave(1) is True
    assert keep.can_leave(2) is False


def test_takes_a_message_that_came_in_the_last_moment(system: System, keep: KeepWorker) -> None:
    system.admitted()

    work = keep.can_leave(0)

    assert isinstance(work, ReceivedWork)
    assert work.message.run == 1


class TestTheRaceWithDispatch:
    """The worker writes, then reads demand; dispatch writes demand, then reads workers. One of the two sees the other."""

    def test_dispatch_after_the_worker_drains_launches_another(self, system: System, keep: KeepWorker) -> None:
        keep.report(WorkerState.IDLE)
        assert keep.can_leave(0) is True

        system.admitted()

        assert len(system.launcher.launched) == 1

    def test_dispatch_before_the_worker_drains_keeps_it(self, system: System, keep: KeepWorker) -> None:
        keep.report(WorkerState.IDLE)
        system.admitted()
        assert system.launcher.launched == []  # dispatch counts on this worker
        work = system.queue.receive(timedelta(0))  # and nobody else has the message
        assert work is not None

        assert keep.can_leave(0) is False

    @pytest.mark.parametrize("at", ["put", "loads", "list", "receive"])
    def test_dispatch_at_any_moment_leaves_no_job_without_a_worker(
        self, system: System, keep: KeepWorker, monkeypatch: pytest.MonkeyPatch, at: str
    ) -> None:
        """Whatever step of leaving dispatch comes after, the job has a worker: this one, or one that is launched."""
        keep.report(WorkerState.IDLE)
        owner = {"put": system.workers, "loads": system.jobs, "list": system.workers, "receive": system.queue}[at]
        original = getattr(owner, at)

        def then_dispatch(*args: object) -> object:
            monkeypatch.undo()
            result = original(*args)
            system.admitted()
            return result

        monkeypatch.setattr(owner, at, then_dispatch)

        leaves = keep.can_leave(0)

        launched = len(system.launcher.launched)
        assert leaves is not True or launched == 1
        assert system.jobs.load("shop").running == 1
