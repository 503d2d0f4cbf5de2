"""Work lists and lanes in every WorkListStore; and several lanes at once, on threads."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from tests.contract.conftest import WorkLists
from tests.support.builders import PROJECT, START, a_job
from tests.support.memory.services import MemoryClock, MemoryWorkQueue
from wainwright.contracts.events import EventKind
from wainwright.domain.errors import Conflict, FenceLost
from wainwright.domain.jobs import LEASE, Job
from wainwright.domain.lanes import OWNER, LaneEnd, LaneRecord
from wainwright.domain.tests import Tally, TestOutcome
from wainwright.domain.work_list import WorkList, WorkOrder
from wainwright.ports.job_store import NewEvent, StoredTest
from wainwright.usecases.share_work import ShareWork

LATER = START + timedelta(seconds=40)


def running(store: WorkLists, lanes: int = 4) -> Job:
    job = store.jobs.write(None, a_job(lanes=lanes))
    job = store.jobs.write(job, job.admit(START))
    return store.jobs.write(job, job.claim("w1", START))


def an_order(number: int) -> WorkOrder:
    return WorkOrder([f"test_x.py::test_ä[{place}]" for place in range(number)], [2.5] * number)


def opened(store: WorkLists, job: Job, number: int = 3) -> WorkList:
    work = WorkList(fence=job.fence, lanes=job.lanes, total=number)
    store.lists.open(job, work, an_order(number))
    return work


def a_lane(lane: int = 1, stay: str = "t1", worker: str = "w2") -> LaneRecord:
    return LaneRecord(lane=lane, token=stay, worker=worker, lease_until=START + LEASE)


def test_before_its_owner_opened_it_there_is_none(work_lists: WorkLists) -> None:
    assert work_lists.lists.read(running(work_lists)) is None


@pytest.mark.parametrize("number", [0, 3, 1_203])
def test_gives_back_the_list_and_its_order_as_they_were_put(work_lists: WorkLists, number: int) -> None:
    job = running(work_lists)
    work = opened(work_lists, job, number)

    assert work_lists.lists.read(job) == work
    order = work_lists.lists.order(job)
    assert (order.ids, order.expected) == (an_order(number).ids, an_order(number).expected)


def test_the_last_list_of_a_run_is_found_whichever_owner_made_it(work_lists: WorkLists) -> None:
    job = running(work_lists)
    assert work_lists.lists.last(job) is None
    work = WorkList(fence=job.fence, run=job.run, lanes=job.lanes, total=3)
    work_lists.lists.open(job, work, an_order(3))

    later = job.model_copy(update={"fence": job.fence + 2})
    found = work_lists.lists.last(later)
    assert found is not None
    assert (found[0], found[1].ids) == (work, an_order(3).ids)
    assert work_lists.lists.last(job.model_copy(update={"run": job.run + 1})) is None


def test_a_list_is_written_in_the_place_of_the_one_that_was_read_and_of_no_other(work_lists: WorkLists) -> None:
    job = running(work_lists)
    work = opened(work_lists, job)
    mine, _ = work.lease("a", 1)
    theirs, _ = work.lease("b", 2)

    work_lists.lists.write(job, mine)
    with pytest.raises(Conflict):
        work_lists.lists.write(job, theirs)

    assert work_lists.lists.read(job) == mine


def test_a_new_owners_list_takes_the_place_of_the_old_one_whose_lanes_are_refused(work_lists: WorkLists) -> None:
    old = running(work_lists)
    work = opened(work_lists, old)
    new = work_lists.jobs.write(old, old.claim("w2", LATER))

    with pytest.raises(FenceLost):
        work_lists.lists.open(old, work, an_order(3))
    assert work_lists.lists.read(new) is None
    opened(work_lists, new, 2)

    with pytest.raises(FenceLost):
        work_lists.lists.read(old)
    with pytest.raises(Conflict):
        work_lists.lists.write(old, work.lease("a", 1)[0])
    assert len(work_lists.lists.order(new)) == 2


def test_a_lane_is_joined_by_one_worker_at_a_time(work_lists: WorkLists) -> None:
    job, lane = running(work_lists), a_lane()
    work_lists.lists.join(job, lane, None)

    with pytest.raises(Conflict):
        work_lists.lists.join(job, a_lane(stay="t2", worker="w3"), None)

    assert work_lists.lists.lanes(job) == [lane]


def test_a_lane_is_renewed_and_left_by_the_one_who_knows_it_as_it_is(work_lists: WorkLists) -> None:
    job, lane = running(work_lists), a_lane()
    work_lists.lists.join(job, lane, None)
    renewed = lane.renew(LATER)
    left = renewed.leave(LaneEnd(reason="crashed", test_id="a", signal=11))

    work_lists.lists.update(job, lane, renewed)
    with pytest.raises(Conflict):
        work_lists.lists.update(job, lane, lane.leave())
    work_lists.lists.update(job, renewed, left)

    assert work_lists.lists.lanes(job) == [left]


def test_nobody_joins_a_lane_of_a_run_that_has_another_owner(work_lists: WorkLists) -> None:
    old = running(work_lists)
    new = work_lists.jobs.write(old, old.claim("w2", LATER))

    with pytest.raises(FenceLost):
        work_lists.lists.join(old, a_lane(), None)

    assert work_lists.lists.lanes(new) == []


def event(number: int = 1) -> NewEvent:
    return NewEvent(kind=EventKind.TEST, at=START, data={"number": number})


def outcome(test_id: str) -> StoredTest:
    return StoredTest(id=test_id, outcome=TestOutcome.PASSED, attempt=1, body={"attempts": []})


def test_what_a_lane_records_is_refused_once_it_was_dismissed(work_lists: WorkLists) -> None:
    job, lane = running(work_lists), a_lane()
    work_lists.lists.join(job, lane, None)
    added = Tally(passed=1)
    assert work_lists.jobs.record(job, events=[event()], adds=added, lane=lane).tests == added
    renewed = lane.renew(LATER)
    work_lists.lists.update(job, lane, renewed)
    assert work_lists.jobs.record(job, events=[event()], adds=added, lane=lane).sequence == 2

    work_lists.lists.update(job, renewed, renewed.leave())

    with pytest.raises(FenceLost):
        work_lists.jobs.record(job, tests=[outcome("a")], events=[event()], adds=added, lane=lane)
    assert work_lists.jobs.tests(PROJECT, job.id) == []
    assert work_lists.jobs.record(job, events=[event()]).sequence == 3


def test_what_an_earlier_worker_of_a_lane_records_is_refused(work_lists: WorkLists) -> None:
    job, lost = running(work_lists), a_lane()
    work_lists.lists.join(job, lost, None)
    work_lists.lists.join(job, a_lane(stay="t2", worker="w3"), lost)

    with pytest.raises(FenceLost):
        work_lists.jobs.record(job, events=[event()], lane=lost)


def test_gives_the_outcomes_of_some_tests(work_lists: WorkLists) -> None:
    job = running(work_lists)
    work_lists.jobs.record(job, tests=[outcome(each) for each in "abc"], events=[event()])

    found = work_lists.jobs.tests(PROJECT, job.id, ["a", "c", "x"])

    assert sorted(test.id for test in found) == ["a", "c"]


def test_many_lanes_at_once_number_all_events_and_count_all_tests(threaded_work_lists: WorkLists) -> None:
    job = running(threaded_work_lists)
    threaded_work_lists.jobs.record(job, events=[event(0)], tally=Tally(total=60))
    lanes = [a_lane(number, f"t{number}") for number in range(1, 6)]
    for lane in lanes:
        threaded_work_lists.lists.join(job, lane, None)

    def record(lane: LaneRecord | None) -> None:
        for number in range(10):
            test = outcome(f"{lane.lane if lane else 0}-{number}")
            threaded_work_lists.jobs.record(
                job, tests=[test], events=[event(), event()], adds=Tally(passed=1), lane=lane
            )

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(record, [None, *lanes]))

    view = threaded_work_lists.jobs.view(PROJECT, job.id)
    assert view is not None
    assert view.progress.tests == Tally(total=60, passed=60)
    events = threaded_work_lists.jobs.events(PROJECT, job.id, 0, 1_000)
    assert [each.sequence for each in events] == list(range(1, 122))
    assert len(threaded_work_lists.jobs.tests(PROJECT, job.id)) == 60


def test_lanes_on_threads_lease_every_case_once_and_a_lost_lanes_cases_again(threaded_work_lists: WorkLists) -> None:
    clock = MemoryClock(START)
    job = running(threaded_work_lists)
    share = ShareWork(threaded_work_lists.jobs, threaded_work_lists.lists, MemoryWorkQueue(clock), clock)
    order = share.open(job, [(f"t{number}", "one.py") for number in range(60)], {})
    lost = a_lane(3, "lost")
    threaded_work_lists.lists.join(job, lost, None)
    _, kept = share.lease(job, "lost", order, lambda _work, _order: 5, (), ())
    threaded_work_lists.jobs.record(job, tests=[outcome(order.ids[kept[0]])], events=[event()], lane=lost)
    clock.advance(LEASE)
    for number, stay in enumerate(("a", "b"), start=1):
        threaded_work_lists.lists.join(job, a_lane(number, stay).renew(clock()), None)
    ran: list[int] = []
    running_now: set[int] = set()
    lock = threading.Lock()

    def lane(holder: str) -> None:
        done: tuple[int, ...] = ()
        while True:
            work, taken = share.lease(job, holder, order, lambda work, order: work.share(order), done, done)
            if not taken:
                share.bring_back(job, order, holder)
                if work.is_finished:
                    return
            with lock:
                assert not running_now.intersection(taken)
                running_now.update(taken)
                ran.extend(taken)
            with lock:
                running_now.difference_update(taken)
            done = taken

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lane, [OWNER, "a", "b"]))

    assert sorted(ran) == [position for position in range(60) if position != kept[0]]
    lanes = threaded_work_lists.lists.lanes(job)
    assert {row.token: row.left for row in lanes} == {"a": False, "b": False, "lost": True}
    with pytest.raises(FenceLost):
        threaded_work_lists.jobs.record(job, events=[event()], lane=lost)
