"""Outcomes and events in every JobStore: kept under a fence, numbered without gaps."""

from datetime import timedelta

import pytest

from tests.support.builders import PROJECT, START, a_job, completed, failed, job_id
from tests.support.faults import Faults
from wainwright.adapters.aws.clients import Clients
from wainwright.adapters.aws.job_store import DynamoJobStore
from wainwright.contracts.events import EventKind
from wainwright.domain.errors import FenceLost
from wainwright.domain.failures import Failure, FailureCategory
from wainwright.domain.jobs import Job, Outcome
from wainwright.domain.states import AT_REST, JobStatus
from wainwright.domain.tests import RunningTest, Tally, TestOutcome
from wainwright.ports.job_store import JobStore, NewEvent, Progress, StoredTest

LATER = START + timedelta(seconds=40)


def running(store: JobStore) -> Job:
    job = store.write(None, a_job())
    job = store.write(job, job.admit(START))
    return store.write(job, job.claim("w1", START))


def event(number: int, kind: EventKind = EventKind.LOG) -> NewEvent:
    return NewEvent(kind=kind, at=START + timedelta(milliseconds=number), data={"number": number, "text": "ä✓"})


def outcome(test_id: str, outcome: TestOutcome = TestOutcome.PASSED, attempt: int = 1) -> StoredTest:
    return StoredTest(id=test_id, outcome=outcome, attempt=attempt, body={"attempts": [{"id": test_id, "ms": 1.5}]})


def numbers(store: JobStore, job: Job, after: int = 0, limit: int = 1_000) -> list[int]:
    return [event.sequence for event in store.events(PROJECT, job.id, after, limit)]


def test_numbers_events_from_one_on_in_the_order_they_came(jobs: JobStore) -> None:
    job = running(jobs)

    assert jobs.record(job, events=[event(1), event(2)]).sequence == 2
    assert jobs.record(job, events=[event(3)]).sequence == 3

    stored = jobs.events(PROJECT, job.id, 0, 10)
    assert [(item.sequence, item.data["number"]) for item in stored] == [(1, 1), (2, 2), (3, 3)]
    assert stored[0].data == {"number": 1, "text": "ä✓"}
    assert stored[0].at == START + timedelta(milliseconds=1)


def test_gives_the_events_after_a_number_in_order_and_no_more_than_asked(jobs: JobStore) -> None:
    job = running(jobs)
    jobs.record(job, events=[event(number) for number in range(12)])

    assert numbers(jobs, job, after=0, limit=3) == [1, 2, 3]
    assert numbers(jobs, job, after=9) == [10, 11, 12]
    assert numbers(jobs, job, after=12) == []
    assert numbers(jobs, job, after=999) == []


def test_a_job_has_no_events_of_others(jobs: JobStore) -> None:
    job, other = running(jobs), running(jobs)
    jobs.record(other, events=[event(1)], tests=[outcome("a")])

    assert numbers(jobs, job) == []
    assert jobs.tests(PROJECT, job.id) == []
    assert jobs.events("elsewhere", other.id, 0, 10) == []


def test_keeps_one_outcome_for_each_test_the_newest(jobs: JobStore) -> None:
    job = running(jobs)
    jobs.record(job, tests=[outcome("a", TestOutcome.FAILED), outcome("b")])
    jobs.record(job, tests=[outcome("a", TestOutcome.FLAKY, attempt=2)])

    stored = sorted(jobs.tests(PROJECT, job.id), key=lambda test: test.id)

    assert stored == [outcome("a", TestOutcome.FLAKY, attempt=2), outcome("b")]


def test_who_records_reads_the_progress_only_where_others_may_have_changed_it(
    dynamodb_jobs: DynamoJobStore, aws_clients: Clients, table: str
) -> None:
    job, other = running(dynamodb_jobs), running(dynamodb_jobs)
    with Faults(aws_clients.dynamodb, on=["GetItem"]).installed() as faults:
        for number in range(3):
            dynamodb_jobs.record(job, tests=[outcome(str(number))], events=[event(number)], tally=Tally(total=number))
        assert faults.calls.count("GetItem") == 1

        dynamodb_jobs.record(other, events=[event(0)])
        assert faults.calls.count("GetItem") == 2

    outside = DynamoJobStore(aws_clients.dynamodb, table)
    assert dynamodb_jobs.record(job, events=[event(3)], percent=7).sequence == 4
    assert outside.add_events(PROJECT, job.id, [event(4)], 100)
    assert dynamodb_jobs.record(job, events=[event(5)]) == Progress(6, Tally(total=2), 7)
    assert numbers(dynamodb_jobs, job) == [1, 2, 3, 4, 5, 6]

    again = dynamodb_jobs.write(job, job.release(START, 0))
    again = dynamodb_jobs.write(again, again.claim("w2", START))
    outside.record(again, events=[event(6)], percent=9)
    with pytest.raises(FenceLost):
        dynamodb_jobs.record(job, events=[event(7)])
    assert dynamodb_jobs.record(again, events=[event(8)]) == Progress(8, Tally(total=2), 9)


def test_takes_test_ids_longer_than_any_key(jobs: JobStore) -> None:
    job = running(jobs)
    ids = ["test_x.py::test[" + "ä" * 2_000 + end for end in ("1]", "2]")]

    jobs.record(job, tests=[outcome(test_id) for test_id in ids])

    assert sorted(test.id for test in jobs.tests(PROJECT, job.id)) == ids


def test_progress_is_the_last_sequence_and_the_newest_tally(jobs: JobStore) -> None:
    job = running(jobs)
    tally = Tally(total=5, passed=2)

    assert jobs.record(job, events=[event(1)], tally=tally) == Progress(sequence=1, tests=tally)
    assert jobs.record(job, events=[event(2)]) == Progress(sequence=2, tests=tally)

    view = jobs.view(PROJECT, job.id)
    assert view is not None
    assert view.progress == Progress(sequence=2, tests=tally)


def test_takes_forty_rows_at_once(jobs: JobStore) -> None:
    job = running(jobs)

    progress = jobs.record(job, events=[event(n) for n in range(20)], tests=[outcome(f"t{n}") for n in range(20)])

    assert progress.sequence == 20
    assert len(jobs.tests(PROJECT, job.id)) == 20


def test_goes_on_being_written_though_the_row_changes_under_the_same_fence(jobs: JobStore) -> None:
    job = running(jobs)
    renewed = jobs.write(job, job.renew(LATER, 5))
    jobs.write(renewed, renewed.cancel(LATER))

    assert jobs.record(job, events=[event(1)]).sequence == 1


def test_refuses_what_a_displaced_worker_records_and_leaves_no_trace(jobs: JobStore) -> None:
    old = running(jobs)
    new = jobs.write(old, old.claim("w2", LATER))
    jobs.record(new, events=[event(1)], tests=[outcome("a")], tally=Tally(total=1, passed=1))

    with pytest.raises(FenceLost):
        jobs.record(old, events=[event(2)], tests=[outcome("a", TestOutcome.FAILED)], tally=Tally(total=9))

    assert numbers(jobs, new) == [1]
    assert jobs.tests(PROJECT, new.id) == [outcome("a")]
    view = jobs.view(PROJECT, new.id)
    assert view is not None
    assert view.progress.tests == Tally(total=1, passed=1)


def test_refuses_what_is_recorded_for_an_earlier_run(jobs: JobStore) -> None:
    old = running(jobs)
    again = jobs.write(old, old.restart(LATER))
    jobs.write(again, again.admit(LATER))

    with pytest.raises(FenceLost):
        jobs.record(old, events=[event(1)])


def test_refuses_what_is_recorded_for_a_job_that_is_not_there(jobs: JobStore) -> None:
    with pytest.raises(FenceLost):
        jobs.record(a_job(), events=[event(1)])


# Events that do not come from the job's worker

MANY = 1_000


def test_numbers_events_from_outside_in_the_workers_own_sequence(jobs: JobStore) -> None:
    job = running(jobs)
    tally = Tally(total=5, passed=2)

    jobs.record(job, events=[event(1)], tally=tally, percent=40)
    assert jobs.add_events(PROJECT, job.id, [event(2), event(3)], MANY)
    assert jobs.record(job, events=[event(4)]) == Progress(sequence=4, tests=tally, percent=40)
    assert jobs.add_events(PROJECT, job.id, [event(5)], MANY)

    stored = jobs.events(PROJECT, job.id, 0, 10)
    assert [(item.sequence, item.data["number"]) for item in stored] == [(n, n) for n in range(1, 6)]
    assert stored[1].at == START + timedelta(milliseconds=2)
    view = jobs.view(PROJECT, job.id)
    assert view is not None
    assert view.progress == Progress(sequence=5, tests=tally, percent=40)


def test_keeps_which_tests_run_until_told_of_others(jobs: JobStore) -> None:
    job = running(jobs)
    one = RunningTest(id="test_ä.py::test_a", file="test_ä.py", line=3, title="test_a", since=START)
    two = one.model_copy(update={"id": "test_ä.py::test_b", "title": "test_b"})

    def running_now() -> tuple[RunningTest, ...]:
        view = jobs.view(PROJECT, job.id)
        assert view is not None
        return view.progress.running

    assert jobs.record(job, running=[one]).running == (one,)
    jobs.record(job, events=[event(1)])
    jobs.add_events(PROJECT, job.id, [event(2)], 100)
    assert running_now() == (one,)
    jobs.record(job, events=[event(3)], running=[one, two])
    assert running_now() == (one, two)
    jobs.record(job, running=[])
    assert running_now() == ()
    with pytest.raises(FenceLost):
        jobs.record(job.model_copy(update={"fence": job.fence + 1}), running=[one])


def test_takes_events_from_outside_while_the_job_waits_and_the_worker_goes_on_from_there(jobs: JobStore) -> None:
    job = jobs.write(None, a_job())
    assert jobs.add_events(PROJECT, job.id, [event(1)], MANY)
    view = jobs.view(PROJECT, job.id)
    assert view is not None
    assert view.progress == Progress(sequence=1)

    job = jobs.write(job, job.admit(START))
    job = jobs.write(job, job.claim("w1", START))

    assert jobs.record(job, events=[event(2)]).sequence == 2
    assert numbers(jobs, job) == [1, 2]


def test_takes_events_from_outside_while_the_job_is_stopping_or_canceling(jobs: JobStore) -> None:
    job = running(jobs)
    stopping = jobs.write(job, job.stop(LATER))
    assert jobs.add_events(PROJECT, job.id, [event(1)], MANY)
    jobs.write(stopping, stopping.cancel(LATER))
    assert jobs.add_events(PROJECT, job.id, [event(2)], MANY)

    assert numbers(jobs, job) == [1, 2]


def at_rest(store: JobStore, status: JobStatus) -> Job:
    job = running(store)
    match status:
        case JobStatus.STOPPED:
            stopping = store.write(job, job.stop(LATER))
            return store.write(stopping, stopping.finish(Outcome(status=JobStatus.STOPPED, fence=1), LATER))
        case JobStatus.CANCELED:
            canceling = store.write(job, job.cancel(LATER))
            return store.write(canceling, canceling.finish(completed(), LATER))
        case JobStatus.SKIPPED:
            job = store.write(None, a_job())
            return store.write(job, job.skip(Failure.of(FailureCategory.ASSERTION, "x"), LATER))
        case _:
            return store.write(job, job.finish(completed() if status is JobStatus.COMPLETED else failed(), LATER))


@pytest.mark.parametrize("status", sorted(AT_REST))
def test_takes_no_events_from_outside_once_the_job_is_at_rest(jobs: JobStore, status: JobStatus) -> None:
    job = at_rest(jobs, status)
    assert job.status is status

    assert not jobs.add_events(PROJECT, job.id, [event(1)], MANY)

    assert numbers(jobs, job) == []
    view = jobs.view(PROJECT, job.id)
    assert view is not None
    assert view.progress == Progress()


def test_takes_events_from_outside_again_when_a_stopped_job_goes_on(jobs: JobStore) -> None:
    job = at_rest(jobs, JobStatus.STOPPED)
    jobs.write(job, job.resume(LATER))

    assert jobs.add_events(PROJECT, job.id, [event(1)], MANY)
    assert numbers(jobs, job) == [1]


def test_takes_events_from_outside_up_to_a_bound_which_is_none_for_the_worker(jobs: JobStore) -> None:
    job = running(jobs)
    assert jobs.add_events(PROJECT, job.id, [event(1), event(2)], 3)

    assert not jobs.add_events(PROJECT, job.id, [event(3), event(4)], 3)
    assert jobs.add_events(PROJECT, job.id, [event(3)], 3)
    assert not jobs.add_events(PROJECT, job.id, [event(4)], 3)
    assert jobs.record(job, events=[event(4)]).sequence == 4

    assert numbers(jobs, job) == [1, 2, 3, 4]


def test_keeps_no_events_from_outside_of_a_job_that_is_not_there(jobs: JobStore) -> None:
    job = running(jobs)
    gone = at_rest(jobs, JobStatus.COMPLETED)
    jobs.delete(gone)

    assert not jobs.add_events(PROJECT, gone.id, [event(1)], MANY)
    assert not jobs.add_events(PROJECT, job_id(99), [event(1)], MANY)
    assert not jobs.add_events("elsewhere", job.id, [event(1)], MANY)

    assert numbers(jobs, gone) == []
    assert jobs.view(PROJECT, gone.id) is None


def test_events_from_outside_do_not_let_a_displaced_worker_in(jobs: JobStore) -> None:
    old = running(jobs)
    jobs.write(old, old.claim("w2", LATER))
    jobs.add_events(PROJECT, old.id, [event(1)], MANY)

    with pytest.raises(FenceLost):
        jobs.record(old, events=[event(2)])

    assert numbers(jobs, old) == [1]
