"""Helping with the run of another worker."""

import pytest

from tests.support.builders import SCRIPT, a_caller, completed
from tests.support.system import NO_WAIT, System
from wainwright.contracts.events import EventKind
from wainwright.contracts.http.jobs import CreateJob
from wainwright.domain.capacity import Limits
from wainwright.domain.errors import FenceLost
from wainwright.domain.jobs import LEASE, Job
from wainwright.domain.lanes import OWNER, LaneEnd
from wainwright.domain.tests import Tally, TestOutcome
from wainwright.ports.job_store import NewEvent, StoredTest
from wainwright.usecases.give_up_work import GiveUpWork
from wainwright.usecases.hold_claim import Claim, Command


@pytest.fixture
def system() -> System:
    return System(limits=Limits(running=4, queued=4))


@pytest.fixture
def owned(system: System) -> Claim:
    """A run of three lanes whose owner has asked for help."""
    claim = system.claimed(CreateJob(script=SCRIPT, parallelism=3))
    system.share.invite(claim.job)
    return claim


def join(system: System, worker: str = "w2") -> Claim | None:
    """Return what a worker makes of the next message for a lane."""
    while work := system.queue.receive(NO_WAIT):
        if work.message.lane is not None:
            return system.claims.claim(work, worker)
    raise AssertionError("nobody asks for help")


def joined(system: System, worker: str = "w2") -> Claim:
    claim = join(system, worker)
    assert claim is not None
    return claim


def a_test(test_id: str, attempt: int = 1) -> StoredTest:
    return StoredTest(id=test_id, outcome=TestOutcome.PASSED, attempt=attempt, body={"attempts": []})


def record(system: System, job: Job, test_id: str, lane: Claim | None = None) -> None:
    event = NewEvent(kind=EventKind.TEST, at=system.clock(), data={})
    system.jobs.record(
        job, tests=[a_test(test_id)], events=[event], adds=Tally(passed=1), lane=lane.stay if lane else None
    )


def test_a_run_asks_for_one_helper_less_than_it_has_lanes(system: System, owned: Claim) -> None:
    lanes = [joined(system), joined(system, "w3")]

    assert [claim.lane for claim in lanes] == [1, 2]
    assert [claim.stay.worker for claim in lanes if claim.stay] == ["w2", "w3"]
    assert system.queue.receive(NO_WAIT) is None
    assert owned.job.lanes == 3


def test_a_run_of_one_lane_asks_nobody(system: System) -> None:
    system.share.invite(system.claimed().job)

    assert system.queue.receive(NO_WAIT) is None


def test_a_run_that_is_over_wants_no_help(system: System, owned: Claim) -> None:
    system.claims.end(owned, completed())

    assert join(system) is None
    assert join(system) is None
    assert system.queue.empty


def test_a_run_with_another_owner_is_not_helped_by_the_message_of_the_old_one(system: System, owned: Claim) -> None:
    system.claims.release(owned, 0)
    messages = [system.queue.receive(NO_WAIT) for _ in range(3)]
    again = next(work for work in messages if work and work.message.task_token)
    helpers = [work for work in messages if work and work.message.lane]
    assert system.claims.claim(again, "w9") is not None

    assert [system.claims.claim(work, "w2") for work in helpers] == [None, None]


def test_a_job_that_is_to_end_wants_no_help(system: System, owned: Claim) -> None:
    system.control.cancel(a_caller(), owned.job.id)

    assert join(system) is None


def test_a_lane_is_taken_over_only_when_its_lease_has_run_out(system: System, owned: Claim) -> None:
    first = joined(system)
    system.queue.put(first.work.message)
    joined(system, "w9")

    assert join(system, "w3") is None
    system.pass_time(LEASE.total_seconds() + 2)
    second = joined(system, "w3")

    assert (second.lane, second.name, second.stay and second.stay.joined) == (1, "1.1.2", 2)
    assert second.holder != first.holder
    with pytest.raises(FenceLost):
        system.claims.renew(first, 0)
    assert owned.job.lanes == 3


def test_a_helper_knows_how_long_the_job_has_run(system: System, owned: Claim) -> None:
    system.pass_time(4)
    system.claims.renew(owned, 4_000)
    system.pass_time(3)

    assert joined(system).job.ran_ms == 7_000


def test_a_helper_is_told_what_is_asked_of_the_run(system: System, owned: Claim) -> None:
    lane = joined(system)
    assert system.claims.renew(lane, 0) is Command.GO_ON

    system.control.stop(a_caller(), owned.job.id)
    assert system.claims.read_command(lane) is Command.STOP
    system.control.cancel(a_caller(), owned.job.id)
    assert system.claims.renew(lane, 0) is Command.CANCEL


def test_a_helper_loses_its_lane_when_the_run_ends(system: System, owned: Claim) -> None:
    lane = joined(system)
    system.claims.end(owned, completed())

    with pytest.raises(FenceLost):
        system.claims.read_command(lane)


def test_a_lane_that_is_held_outlasts_its_first_lease(system: System, owned: Claim) -> None:
    lane = joined(system)
    for _ in range(3):
        system.pass_time(20)
        system.claims.renew(lane, 0)

    assert [row.lane for row in system.share.live_lanes(owned.job)] == [1]


def test_a_helper_that_goes_leaves_its_lane_to_another_at_once(system: System, owned: Claim) -> None:
    lane = joined(system)
    joined(system, "w9")

    system.claims.release(lane, 0)

    assert joined(system, "w3").name == "1.1.2"
    assert owned.job.lanes == 3


def test_a_helper_that_is_done_leaves_no_message(system: System, owned: Claim) -> None:
    for lane in (joined(system), joined(system, "w3")):
        system.claims.leave(lane)

    system.pass_time(60)
    assert system.queue.receive(NO_WAIT) is not None  # the owner's own, whose lease was not renewed
    assert system.queue.receive(NO_WAIT) is None
    assert system.share.live_lanes(owned.job) == []


class TestLosingALane:
    """Cases that a lost lane held."""

    CASES = tuple((name, "one.py") for name in "abcdef")

    def test_comes_back_but_for_what_has_an_outcome(self, system: System, owned: Claim) -> None:
        order = system.share.open(owned.job, self.CASES, {})
        lane = joined(system)
        _, held = system.share.lease(owned.job, lane.holder, order, lambda _w, _o: 3, (), ())
        record(system, lane.job, order.ids[held[1]], lane)

        system.share.bring_back(owned.job, order, OWNER)
        work = system.lists.read(owned.job)
        assert work is not None
        assert work.held == {lane.holder: held}, "its lease has not run out"
        system.pass_time(LEASE.total_seconds())
        system.share.bring_back(owned.job, order, OWNER)

        work = system.lists.read(owned.job)
        assert work is not None
        assert (work.held, work.returned) == ({}, (held[0], held[2]))
        with pytest.raises(FenceLost):
            record(system, lane.job, order.ids[held[0]], lane)

    def test_comes_back_but_for_what_its_test_process_died_of(self, system: System, owned: Claim) -> None:
        order = system.share.open(owned.job, self.CASES, {})
        lane = joined(system)
        _, held = system.share.lease(owned.job, lane.holder, order, lambda _w, _o: 2, (), ())
        system.claims.leave(lane, LaneEnd(reason="crashed", test_id="a"))

        system.share.bring_back(owned.job, order, OWNER)

        work = system.lists.read(owned.job)
        assert work is not None
        assert (held, work.returned) == ((0, 1), (1,))

    def test_an_answer_that_was_lost_loses_no_case(self, system: System, owned: Claim) -> None:
        order = system.share.open(owned.job, self.CASES, {})
        system.share.lease(owned.job, OWNER, order, lambda _w, _o: 2, (), ())  # of which the caller never heard

        _, taken = system.share.lease(owned.job, OWNER, order, lambda _w, _o: 2, (), ())

        assert taken == (0, 1)

    def test_all_are_dismissed_in_the_end_and_write_nothing_more(self, system: System, owned: Claim) -> None:
        system.share.open(owned.job, self.CASES, {})
        lanes = [joined(system), joined(system, "w3")]

        system.share.dismiss_all(owned.job)

        for lane in lanes:
            with pytest.raises(FenceLost):
                record(system, lane.job, "a", lane)
            with pytest.raises(FenceLost):
                system.claims.renew(lane, 0)


def test_a_message_for_a_lane_that_nobody_could_deliver_ends_no_run(system: System, owned: Claim) -> None:
    work = system.queue.receive(NO_WAIT)
    assert work is not None

    GiveUpWork(system.workflows)(work.message)

    assert system.workflows.ended == {}
    assert owned.job.lanes == 3
