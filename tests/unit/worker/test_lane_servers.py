"""Lanes of one machine that share their servers, which are made up here; the locks are real."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.stop import Stop
from wainwright.worker.run.lane_servers import LaneServers
from wainwright.worker.runners.suite import StopRequest

PATIENCE = 60.0


class Machine:
    """A machine whose lanes have the servers of one job."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "lanes"
        self.serving = 0
        self.served = 0
        self.ended = threading.Event()
        self.modes: list[str] = []

    def lane(self, stop: Stop | None = None) -> LaneServers:
        return LaneServers("job", stop or Stop(), self._folder)

    def serve(self, stop: StopRequest, ready: Callable[[], None]) -> None:
        assert self.serving == 0, "two at one port"
        self.serving += 1
        self.served += 1
        ready()
        while stop.mode == "run":
            self.ended.wait(0.01)
        self.modes.append(stop.mode)
        self.serving -= 1
        self.ended.set()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def nobody(_stop: StopRequest, _ready: Callable[[], None]) -> None:
    raise AssertionError("there are servers already")


def leave(lane: LaneServers, error: BaseException | None = None) -> threading.Thread:
    """Leave on a thread, since that may have to wait."""
    leaving = threading.Thread(target=lane.__exit__, args=(type(error) if error else None, error, None))
    leaving.start()
    return leaving


def test_the_second_lane_uses_the_servers_of_the_first(machine: Machine) -> None:
    with machine.lane() as first, machine.lane() as second:
        assert first.reach(machine.serve)
        assert second.reach(nobody)
        second.let_go()
        assert first.reach(nobody), "also its next batch"
    assert (machine.serving, machine.served, machine.modes) == (0, 1, ["stop"])


def test_the_lane_that_serves_waits_for_batches_of_others(machine: Machine) -> None:
    first, second = machine.lane(), machine.lane()
    assert first.reach(machine.serve)
    assert second.reach(nobody)
    leaving = leave(first)
    assert not machine.ended.wait(0.5)
    assert machine.serving == 1
    second.let_go()
    leaving.join(PATIENCE)
    assert not leaving.is_alive()
    assert machine.serving == 0


def test_a_lane_that_goes_on_after_the_one_that_served_serves_itself(machine: Machine) -> None:
    with machine.lane() as second:
        with machine.lane() as first:
            assert first.reach(machine.serve)
            assert second.reach(nobody)
            second.let_go()
        assert machine.serving == 0
        assert second.reach(machine.serve)
        assert machine.serving == 1
    assert (machine.serving, machine.served) == (0, 2)


def test_a_canceled_lane_ends_its_servers_without_waiting(machine: Machine) -> None:
    stop = Stop()
    first, second = machine.lane(stop), machine.lane()
    assert first.reach(machine.serve)
    assert second.reach(nobody)
    stop.cancel()
    first.__exit__(None, None, None)
    assert (machine.serving, machine.modes) == (0, ["cancel"])
    second.let_go()


def test_where_servers_cannot_be_started_each_lane_is_on_its_own(machine: Machine) -> None:
    tries = []
    with machine.lane() as first, machine.lane() as second:
        assert not first.reach(lambda _stop, _ready: tries.append("first"))
        assert not second.reach(lambda _stop, _ready: tries.append("second"))
    assert tries == ["first", "second"]


def test_a_lane_does_not_wait_longer_than_it_may_nor_after_it_is_stopped(machine: Machine) -> None:
    stop = Stop()

    def never_ready(stop: StopRequest, _ready: Callable[[], None]) -> None:
        while stop.mode == "run":
            machine.ended.wait(0.01)

    with machine.lane(stop) as first, machine.lane() as second:
        assert not first.reach(never_ready, seconds=0.2)
        assert not second.reach(nobody, seconds=0.2)
        stop.stop()
        assert not first.reach(nobody)


def test_a_folder_that_others_could_write_to_is_not_used(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "lanes").mkdir(mode=0o777)
    (tmp_path / "lanes").chmod(0o777)
    with machine.lane() as lane:
        assert not lane.reach(nobody)
