"""Launching what admitted jobs need."""

from datetime import timedelta

import pytest

from tests.support.builders import START, a_job
from tests.support.system import System
from wainwright.domain.workers import LAUNCH_DEADLINE, WorkerRecord, WorkerState
from wainwright.ports.workers import LaunchRefused
from wainwright.usecases.launch_workers import LaunchWorkers


def demand(system: System, lanes: int) -> None:
    job = system.jobs.write(None, a_job(lanes=lanes))
    system.jobs.write(job, job.admit(START))


def worker(system: System, worker_id: str, state: WorkerState, seconds: float = 60) -> None:
    system.workers.put(WorkerRecord(id=worker_id, state=state, due_at=START + timedelta(seconds=seconds)))


def test_launches_one_worker_for_each_lane_and_writes_its_row_first(system: System) -> None:
    demand(system, 2)

    assert system.launch() == 2

    launched = [worker_id for worker_id, _ in system.launcher.launched]
    rows = {row.id: row for row in system.workers.list()}
    assert set(rows) == set(launched)
    assert len(set(launched)) == 2
    for row in rows.values():
        assert (row.state, row.due_at) == (WorkerState.LAUNCHING, START + LAUNCH_DEADLINE)


def test_launches_nothing_where_nothing_is_admitted(system: System) -> None:
    system.submitted()

    assert system.launch() == 0
    assert system.launcher.launched == []


def test_counts_those_that_are_coming_waiting_or_working(system: System) -> None:
    demand(system, 3)
    for number, state in enumerate((WorkerState.LAUNCHING, WorkerState.IDLE, WorkerState.BUSY)):
        worker(system, f"w{number}", state)

    assert system.launch() == 0


def test_does_not_count_those_that_leave_or_are_lost(system: System) -> None:
    demand(system, 2)
    worker(system, "leaves", WorkerState.DRAINING)
    worker(system, "lost", WorkerState.BUSY, seconds=0)

    assert system.launch() == 2


def test_launches_no_more_than_the_stage_may_have(system: System) -> None:
    demand(system, 9)

    assert system.launch() == system.max_workers
    assert system.launch() == 0


def test_keeps_some_warm_where_told_to(system: System) -> None:
    launch = LaunchWorkers(system.jobs, system.workers, system.launcher, system.clock, max_workers=3, min_warm=2)

    assert launch() == 2
    assert launch() == 0


def test_launches_on_spot_where_there_is_room(system: System) -> None:
    demand(system, 1)
    system.launch()

    assert [on_demand for _, on_demand in system.launcher.launched] == [False]


def test_launches_the_same_worker_on_demand_where_spot_has_no_room(system: System) -> None:
    demand(system, 1)
    system.launcher.no_spot = True

    assert system.launch() == 1

    ((worker_id, on_demand),) = system.launcher.launched
    assert on_demand
    assert [row.id for row in system.workers.list()] == [worker_id]


@pytest.mark.parametrize("capacity", [True, False])
def test_a_refusal_takes_the_row_away_and_is_told(system: System, capacity: bool) -> None:
    demand(system, 1)
    system.launcher.refuse = LaunchRefused("no", capacity=capacity)

    with pytest.raises(LaunchRefused):
        system.launch()

    assert system.workers.list() == []


def test_after_a_refusal_the_next_look_tries_again(system: System) -> None:
    demand(system, 1)
    system.launcher.refuse = LaunchRefused("no", capacity=True)
    with pytest.raises(LaunchRefused):
        system.launch()
    system.launcher.refuse = None

    assert system.launch() == 1
