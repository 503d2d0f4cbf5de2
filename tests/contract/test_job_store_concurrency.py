"""Many at once: no write is lost, no limit is overshot, no number is given twice."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TypeVar

from tests.support.builders import PROJECT, START, a_job, completed
from wainwright.contracts.events import EventKind
from wainwright.domain.capacity import Limits
from wainwright.domain.errors import CapacityExceeded, Conflict, IdempotencyConflict
from wainwright.domain.jobs import Job
from wainwright.domain.states import JobStatus
from wainwright.domain.tests import Tally
from wainwright.ports.job_store import Idempotency, JobStore, NewEvent

THREADS = 8
T = TypeVar("T")
A = TypeVar("A")


def at_once(work: Callable[[A], T], items: Iterable[A]) -> list[T]:
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(work, items))


def test_accepts_exactly_as_many_as_may_queue(threaded_jobs: JobStore) -> None:
    limits = Limits(running=1, queued=5)

    def submit(job: Job) -> bool:
        try:
            threaded_jobs.write(None, job, limits=limits)
        except CapacityExceeded:
            return False
        return True

    accepted = at_once(submit, [a_job() for _ in range(20)])

    assert sum(accepted) == 5
    assert threaded_jobs.load(PROJECT).queued == 5
    assert len(threaded_jobs.waiting_line(PROJECT, START, 100)) == 5


def test_admits_exactly_as_many_lanes_as_may_run(threaded_jobs: JobStore) -> None:
    limits = Limits(running=3, queued=100)
    waiting = [threaded_jobs.write(None, a_job()) for _ in range(12)]

    def admit(job: Job) -> bool:
        try:
            threaded_jobs.write(job, job.admit(START), limits=limits)
        except CapacityExceeded:
            return False
        return True

    assert sum(at_once(admit, waiting)) == 3
    assert (threaded_jobs.load(PROJECT).running, threaded_jobs.load(PROJECT).queued) == (3, 9)


def test_one_of_many_takes_a_step(threaded_jobs: JobStore) -> None:
    job = threaded_jobs.write(None, a_job())

    def admit(_: int) -> bool:
        try:
            threaded_jobs.write(job, job.admit(START))
        except Conflict:
            return False
        return True

    assert sum(at_once(admit, range(12))) == 1
    assert (threaded_jobs.load(PROJECT).running, threaded_jobs.load(PROJECT).queued) == (1, 0)


def test_one_of_many_requests_with_one_idempotency_key_makes_a_job(threaded_jobs: JobStore) -> None:
    def submit(job: Job) -> bool:
        key = Idempotency(key="same", digest="d", until=START + timedelta(days=1))
        try:
            threaded_jobs.write(None, job, idempotency=key)
        except IdempotencyConflict:
            return False
        return True

    assert sum(at_once(submit, [a_job() for _ in range(12)])) == 1
    assert threaded_jobs.load(PROJECT).queued == 1


def test_counters_are_right_after_many_whole_lives(threaded_jobs: JobStore) -> None:
    def live(job: Job) -> Job:
        job = threaded_jobs.write(None, job)
        job = threaded_jobs.write(job, job.admit(START))
        job = threaded_jobs.write(job, job.claim("w", START))
        job = threaded_jobs.write(job, job.record_outcome(completed(), START))
        return threaded_jobs.write(job, job.finish(completed(), START))

    ended = at_once(live, [a_job(lanes=1 + number % 3) for number in range(24)])

    assert {job.status for job in ended} == {JobStatus.COMPLETED}
    assert (threaded_jobs.load(PROJECT).running, threaded_jobs.load(PROJECT).queued) == (0, 0)
    assert threaded_jobs.waiting_line(PROJECT, START, 100) == []


def test_events_of_many_writers_have_neither_gaps_nor_doubles(threaded_jobs: JobStore) -> None:
    job = threaded_jobs.write(None, a_job())
    job = threaded_jobs.write(job, job.admit(START))
    job = threaded_jobs.write(job, job.claim("w", START))

    def record(number: int) -> None:
        events = [NewEvent(kind=EventKind.LOG, at=START, data={"writer": number, "line": line}) for line in (1, 2)]
        threaded_jobs.record(job, events=events)

    at_once(record, range(12))

    stored = threaded_jobs.events(PROJECT, job.id, 0, 100)
    assert [event.sequence for event in stored] == list(range(1, 25))
    written = {(event.data["writer"], event.data["line"]) for event in stored}
    assert written == {(number, line) for number in range(12) for line in (1, 2)}


def test_a_worker_and_lines_from_outside_share_one_sequence_and_none_is_lost(threaded_jobs: JobStore) -> None:
    job = threaded_jobs.write(None, a_job())
    job = threaded_jobs.write(job, job.admit(START))
    job = threaded_jobs.write(job, job.claim("w", START))

    def write(number: int) -> None:
        if number % 3:
            line = NewEvent(kind=EventKind.LOG, at=START, data={"writer": number})
            assert threaded_jobs.add_events(PROJECT, job.id, [line], 1_000)
        else:
            test = NewEvent(kind=EventKind.TEST, at=START, data={"writer": number})
            threaded_jobs.record(job, events=[test, test], tally=Tally(total=9, passed=number), percent=number)

    at_once(write, range(24))

    stored = threaded_jobs.events(PROJECT, job.id, 0, 100)
    assert [event.sequence for event in stored] == list(range(1, 33))
    written = sorted(event.data["writer"] for event in stored)
    assert written == sorted(number for number in range(24) for _ in range(1 if number % 3 else 2))
    last = [event.data["writer"] for event in stored if event.kind is EventKind.TEST][-1]
    view = threaded_jobs.view(PROJECT, job.id)
    assert view is not None
    assert (view.progress.sequence, view.progress.tests.passed, view.progress.percent) == (32, last, last)


def test_no_line_from_outside_comes_after_the_end(threaded_jobs: JobStore) -> None:
    job = threaded_jobs.write(None, a_job())
    job = threaded_jobs.write(job, job.admit(START))
    job = threaded_jobs.write(job, job.claim("w", START))
    at_the_end: list[int] = []

    def write(number: int) -> bool:
        if number == 10:
            threaded_jobs.write(job, job.finish(completed(), START))
            view = threaded_jobs.view(PROJECT, job.id)
            assert view is not None
            at_the_end.append(view.progress.sequence)
        line = NewEvent(kind=EventKind.LOG, at=START, data={"writer": number})
        return threaded_jobs.add_events(PROJECT, job.id, [line], 1_000)

    told = at_once(write, range(30))

    stored = threaded_jobs.events(PROJECT, job.id, 0, 100)
    assert [event.sequence for event in stored] == list(range(1, at_the_end[0] + 1))
    assert sum(told) == len(stored)
    assert not told[10]
    assert not write(30)
