"""Several jobs in one write, deletions, and what is set beside a row, in every JobStore."""

from datetime import timedelta
from typing import Any

import pytest

from tests.support.builders import PROJECT, START, a_job, completed
from tests.support.faults import Faults
from wainwright.adapters.aws.clients import Clients
from wainwright.adapters.aws.job_store import DynamoJobStore
from wainwright.contracts.events import EventKind
from wainwright.domain.capacity import Limits, Retention
from wainwright.domain.errors import CapacityExceeded, Conflict, FenceLost, Refused, TooLarge
from wainwright.domain.failures import Failure, FailureCategory
from wainwright.domain.job_query import JobQuery, SortBy
from wainwright.domain.jobs import Job, JobDetail
from wainwright.domain.logs import LogEntry
from wainwright.domain.states import AT_REST
from wainwright.domain.tests import TestOutcome
from wainwright.ports.job_store import JobStore, NewEvent, StoredTest

LATER = START + timedelta(seconds=10)
SKIPPED = Failure.of(FailureCategory.INFRASTRUCTURE, "a job that this one waited for failed")


def running(store: JobStore, **fields: Any) -> Job:
    job = store.write(None, a_job(**fields))
    job = store.write(job, job.admit(START))
    return store.write(job, job.claim("w1", START))


def counters(store: JobStore) -> tuple[int, int]:
    load = store.load(PROJECT)
    return load.queued, load.running


def line(store: JobStore) -> list[str]:
    return list(store.waiting_line(PROJECT, LATER, 100))


def blocked(store: JobStore, *predecessors: Job) -> Job:
    ids = tuple(job.id for job in predecessors)
    return store.write(None, a_job(depends_on=ids, blocked_on=ids), unchanged=predecessors)


# Several jobs in one write


def test_a_blocked_job_stands_in_no_line_and_is_noted_with_those_it_waits_for(jobs: JobStore) -> None:
    first, second = running(jobs), running(jobs)

    job = blocked(jobs, first, second)

    assert line(jobs) == []
    assert counters(jobs) == (0, 2)
    assert list(jobs.dependents(PROJECT, first.id)) == list(jobs.dependents(PROJECT, second.id)) == [job.id]
    assert list(jobs.dependents(PROJECT, job.id)) == list(jobs.dependents("other", first.id)) == []


def test_the_end_of_a_job_starts_those_that_wait_in_the_same_write(jobs: JobStore) -> None:
    first = running(jobs)
    waiting = [blocked(jobs, first) for _ in range(3)]

    ended = jobs.write(
        first, first.finish(completed(), LATER), also=[(job, job.unblock(first.id, LATER)) for job in waiting]
    )

    assert jobs.get(PROJECT, first.id) == ended
    assert sorted(line(jobs)) == sorted(job.id for job in waiting)
    assert counters(jobs) == (3, 0)
    found = [jobs.get(PROJECT, job.id) for job in waiting]
    assert [job.version for job in found if job] == [2, 2, 2]
    assert {job.operation for job in found if job} == {ended.operation}


def test_nothing_is_written_when_one_of_several_has_changed(jobs: JobStore) -> None:
    first = running(jobs)
    second, third = blocked(jobs, first), blocked(jobs, first)
    now = jobs.write(third, third.cancel(LATER))
    pairs = [(job, job.unblock(first.id, LATER)) for job in (second, third)]

    with pytest.raises(Conflict):
        jobs.write(first, first.finish(completed(), LATER), also=pairs)

    assert [jobs.get(PROJECT, job.id) for job in (first, second, third)] == [first, second, now]
    assert (line(jobs), counters(jobs)) == ([], (0, 1))


def test_a_write_is_refused_when_a_job_that_it_goes_by_has_changed(jobs: JobStore) -> None:
    stale = running(jobs)
    ended = jobs.write(stale, stale.finish(completed(), LATER))
    job = a_job(depends_on=(stale.id,), blocked_on=(stale.id,))

    with pytest.raises(Conflict):
        jobs.write(None, job, unchanged=[stale])

    assert jobs.get(PROJECT, job.id) is None
    assert list(jobs.dependents(PROJECT, stale.id)) == []
    assert jobs.get(PROJECT, stale.id) == ended


def test_limits_count_all_that_a_write_adds(jobs: JobStore) -> None:
    first = running(jobs)
    waiting = [blocked(jobs, first) for _ in range(3)]
    pairs = [(job, job.unblock(first.id, LATER)) for job in waiting]

    with pytest.raises(CapacityExceeded):
        jobs.write(first, first.finish(completed(), LATER), also=pairs, limits=Limits(queued=2))
    jobs.write(first, first.finish(completed(), LATER), also=pairs, limits=Limits(queued=3))

    assert counters(jobs) == (3, 0)


def test_more_lanes_than_the_limit_are_refused_of_a_project_without_counters(jobs: JobStore) -> None:
    job = a_job(lanes=3, admitted_at=START)

    with pytest.raises(CapacityExceeded):
        jobs.write(None, job, limits=Limits(running=2))


@pytest.mark.usefixtures("no_pauses")
def test_knows_its_own_write_of_several_again(dynamodb_jobs: DynamoJobStore, aws_clients: Clients) -> None:
    first = running(dynamodb_jobs)
    waiting = blocked(dynamodb_jobs, first)
    with Faults(aws_clients.dynamodb).installed() as faults:
        faults.lose_answers = 1
        ended = dynamodb_jobs.write(
            first, first.finish(completed(), LATER), also=[(waiting, waiting.unblock(first.id, LATER))]
        )
        assert faults.left == 0

    assert dynamodb_jobs.get(PROJECT, first.id) == ended
    assert counters(dynamodb_jobs) == (1, 0)
    assert dynamodb_jobs.statistics(PROJECT, None, START, LATER).total == 1


# Deletion


def full_job(store: JobStore) -> Job:
    """A job at rest with something in every part."""
    job = running(store)
    store.record(
        job, tests=[StoredTest(id=f"t{number}", outcome=TestOutcome.PASSED, attempt=1, body={}) for number in range(15)],
        events=[NewEvent(kind=EventKind.LOG, at=START, data={}) for _ in range(20)],
    )  # fmt: skip
    store.set_detail(job, JobDetail(params={"a": 1}))
    return store.write(job, job.finish(completed(), LATER))


def test_a_deleted_job_leaves_nothing(jobs: JobStore) -> None:
    job, stays = full_job(jobs), full_job(jobs)

    jobs.delete(job)

    assert jobs.get(PROJECT, job.id) is None
    assert jobs.view(PROJECT, job.id) is None
    assert (list(jobs.tests(PROJECT, job.id)), list(jobs.events(PROJECT, job.id, 0, 100))) == ([], [])
    assert [each.id for each in jobs.find(PROJECT, JobQuery(), LATER).jobs] == [stays.id]
    assert len(jobs.tests(PROJECT, stays.id)) == 15
    assert counters(jobs) == (0, 0)


def test_no_row_of_a_deleted_job_is_left(dynamodb_jobs: DynamoJobStore, aws_clients: Clients, table: str) -> None:
    from wainwright.adapters.aws.log_store import DynamoLogStore

    job = full_job(dynamodb_jobs)
    line = LogEntry(timestamp=START, level="INFO", message="hello")
    DynamoLogStore(aws_clients.dynamodb, table).append(PROJECT, job.id, [line])
    blocked(dynamodb_jobs, job)

    dynamodb_jobs.delete(job)

    partitions = [row["pk"]["S"] for row in aws_clients.dynamodb.scan(TableName=table)["Items"]]
    assert [partition for partition in partitions if job.id in partition] == []


def test_what_is_sealed_names_no_report_and_nobody_can_change_it(jobs: JobStore) -> None:
    job = full_job(jobs)
    assert job.report is not None

    jobs.seal(job)
    jobs.seal(job)

    found = jobs.get(PROJECT, job.id)
    assert found is not None
    assert (found.report, found.owes_report, found.due_at) == (None, False, None)
    assert (found.status, found.version, found.report_days) == (job.status, job.version, job.report_days)
    assert list(jobs.find(PROJECT, JobQuery(), LATER).jobs) == []
    with pytest.raises(Conflict):
        jobs.write(job, job.set_label("new", LATER))
    with pytest.raises(Conflict):
        jobs.write(found, found.set_label("new", LATER))
    with pytest.raises(FenceLost):
        jobs.record(job, events=[NewEvent(kind=EventKind.LOG, at=START, data={})])

    jobs.delete(found)
    assert jobs.get(PROJECT, job.id) is None


def test_refuses_to_seal_what_changed_or_is_not_at_rest(jobs: JobStore) -> None:
    job = running(jobs)
    with pytest.raises(Refused):
        jobs.seal(job)
    stale = jobs.write(job, job.stop(LATER).finish(completed(), LATER))
    named = jobs.write(stale, stale.set_label("kept", LATER))
    with pytest.raises(Conflict):
        jobs.seal(stale)
    assert jobs.get(PROJECT, job.id) == named


def test_deleting_may_be_repeated(jobs: JobStore) -> None:
    job = full_job(jobs)
    jobs.delete(job)

    jobs.delete(job)

    assert jobs.get(PROJECT, job.id) is None


def test_refuses_to_delete_a_job_that_is_not_at_rest(jobs: JobStore) -> None:
    waiting, working = jobs.write(None, a_job()), running(jobs)

    for job in (waiting, working):
        with pytest.raises(Refused):
            jobs.delete(job)
        assert jobs.get(PROJECT, job.id) == job


def test_refuses_to_delete_a_job_that_changed_meanwhile_and_takes_nothing_of_it(jobs: JobStore) -> None:
    job = running(jobs)
    jobs.record(job, tests=[StoredTest(id="a", outcome=TestOutcome.PASSED, attempt=1, body={})])
    stale = jobs.write(job, job.stop(LATER).finish(completed(), LATER))
    named = jobs.write(stale, stale.set_label("kept", LATER))

    with pytest.raises(Conflict):
        jobs.delete(stale)

    assert jobs.get(PROJECT, job.id) == named
    assert len(jobs.tests(PROJECT, job.id)) == 1


def test_a_deleted_job_is_no_more_among_those_that_wait(jobs: JobStore) -> None:
    first = running(jobs)
    job = blocked(jobs, first)
    job = jobs.write(job, job.cancel(LATER))

    jobs.delete(job)

    assert list(jobs.dependents(PROJECT, first.id)) == []


def test_a_deletion_that_was_broken_off_is_finished_by_the_next(
    dynamodb_jobs: DynamoJobStore, aws_clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = full_job(dynamodb_jobs)

    def breaks_off(**_: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(aws_clients.dynamodb, "batch_write_item", breaks_off)
        with pytest.raises(KeyboardInterrupt):
            dynamodb_jobs.delete(job)

    # In between nobody can change it, nobody finds it, and whoever reads it can go on.
    assert dynamodb_jobs.get(PROJECT, job.id) == job.seal()
    for query in (JobQuery(), JobQuery(statuses=AT_REST), JobQuery(sort_by=SortBy.COMPLETED)):
        assert list(dynamodb_jobs.find(PROJECT, query, LATER).jobs) == []
    cleaning = JobQuery(statuses=AT_REST, sort_by=SortBy.COMPLETED, include_expired=True)
    assert list(dynamodb_jobs.find(PROJECT, cleaning, LATER).jobs) == [job.seal()]
    with pytest.raises(Conflict):
        dynamodb_jobs.write(job, job.set_label("new", LATER))
    with pytest.raises(FenceLost):
        dynamodb_jobs.set_detail(job, JobDetail())
    with pytest.raises(FenceLost):
        dynamodb_jobs.record(job, events=[NewEvent(kind=EventKind.LOG, at=START, data={})])
    assert not dynamodb_jobs.add_events(PROJECT, job.id, [NewEvent(kind=EventKind.LOG, at=START, data={})], 100)

    dynamodb_jobs.delete(job)

    assert dynamodb_jobs.get(PROJECT, job.id) is None


# Beside the row


def test_a_detail_takes_the_place_of_the_one_before(jobs: JobStore) -> None:
    job = jobs.write(None, a_job(), detail=JobDetail(params={"a": 1}))
    job = jobs.write(job, job.admit(START))
    job = jobs.write(job, job.claim("w1", START))
    jobs.set_detail(job, JobDetail(results={"price": 1.5}))

    view = jobs.view(PROJECT, job.id)

    assert view is not None
    assert (view.job, view.detail) == (job, JobDetail(results={"price": 1.5}))


def test_a_job_that_is_not_there_gets_no_detail(jobs: JobStore) -> None:
    with pytest.raises(FenceLost):
        jobs.set_detail(a_job(), JobDetail())


def test_keeps_a_large_detail(jobs: JobStore) -> None:
    detail = JobDetail(results={f"url-{number}": {"title": "Zürich " * 50} for number in range(2_000)})
    job = jobs.write(None, a_job(), detail=detail)

    view = jobs.view(PROJECT, job.id)

    assert view is not None
    assert view.detail == detail


def test_refuses_a_detail_that_no_row_can_hold_and_writes_nothing(dynamodb_jobs: DynamoJobStore) -> None:
    import random

    noise = random.Random(1).randbytes(400_000).hex()  # noqa: S311 - only has to resist compression
    job = a_job()

    with pytest.raises(TooLarge):
        dynamodb_jobs.write(None, job, detail=JobDetail(params={"noise": noise}))

    assert dynamodb_jobs.get(PROJECT, job.id) is None


def test_limits_are_kept_beside_the_counters(jobs: JobStore) -> None:
    limits = Limits(running=9, queued=7, retention=Retention(job_days=3, max_failed=5, archive=True))
    jobs.write(None, a_job())
    jobs.set_limits(PROJECT, limits)
    jobs.write(None, a_job())

    load = jobs.load(PROJECT)

    assert (load.limits, load.queued, load.running) == (limits, 2, 0)
    assert jobs.load("other").limits is None


def test_a_project_without_jobs_can_have_limits(jobs: JobStore) -> None:
    jobs.set_limits("new", Limits(running=1))

    load = jobs.load("new")
    assert (load.queued, load.running, load.served, load.limits) == (0, 0, "", Limits(running=1))
    assert [each.project for each in jobs.loads()] == ["new"]
