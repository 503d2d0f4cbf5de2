"""Analytics."""

import json
from datetime import timedelta

import pytest

from tests.unit.usecases.api.desk import CALLER, START, Desk
from wainwright.contracts.names import new_job_id
from wainwright.domain.errors import InvalidInput
from wainwright.domain.job_query import ANY_TIME, TimeRange
from wainwright.domain.states import JobStatus
from wainwright.domain.tests import Tally, TestOutcome
from wainwright.ports.job_store import StoredTest


def test_of_jobs_by_their_ids_every_number_is_exact(desk: Desk) -> None:
    seconds = [1, 2, 3, 4, 100]
    completed = [desk.ended(after=timedelta(seconds=each)).id for each in seconds]
    others = [desk.ended(JobStatus.FAILED).id, desk.ended(JobStatus.CANCELED).id, desk.submitted().id]

    found = desk.analyze.by_ids(CALLER, [*completed, *others, completed[0]])

    assert (found.total_jobs, found.completed_jobs, found.failed_jobs, found.canceled_jobs) == (8, 5, 1, 1)
    assert found.success_rate == 5 / 8 * 100
    assert (found.average_duration, found.min_duration, found.max_duration) == (22_000, 1_000, 100_000)
    assert (found.p50_duration, found.p95_duration) == (3_000, 100_000)
    assert found.error_types == {"assertion": 1}


def test_where_there_is_nothing_there_are_nulls_and_zeros(desk: Desk) -> None:
    for found in (
        desk.analyze.by_time(CALLER, None, ANY_TIME),
        desk.analyze.by_ids(CALLER, [desk.submitted().id]),
    ):
        assert (found.completed_jobs, found.failed_jobs, found.error_types, found.flaky_tests) == (0, 0, {}, [])
        assert (found.average_duration, found.min_duration, found.p50_duration, found.p95_duration) == (None,) * 4
        assert "NaN" not in json.dumps(found.model_dump(mode="json"))
    assert desk.analyze.by_time(CALLER, None, ANY_TIME).success_rate is None


def test_names_flaky_tests_the_flakiest_first(desk: Desk) -> None:
    ids = []
    for number in range(3):
        job = desk.running()
        names = ["test_b"] + (["test_a"] if number == 0 else [])
        tests = [StoredTest(id=name, outcome=TestOutcome.FLAKY, attempt=2, body={}) for name in names]
        tests.append(StoredTest(id="test_c", outcome=TestOutcome.PASSED, attempt=1, body={}))
        desk.jobs.record(job, tests=tests)
        job = desk.jobs.write(job, job.model_copy(update={"tests": Tally(total=2, flaky=len(names), passed=1)}))
        desk.jobs.write(job, job.cancel(desk.clock()))
        ids.append(job.id)

    found = desk.analyze.by_ids(CALLER, ids)

    assert [(test.id, test.count) for test in found.flaky_tests] == [("test_b", 3), ("test_a", 1)]


def test_by_time_counts_the_jobs_that_ended_then(desk: Desk) -> None:
    desk.ended(after=timedelta(seconds=2))
    desk.ended(JobStatus.FAILED)
    desk.clock.advance(timedelta(hours=5))
    desk.ended(after=timedelta(seconds=4))

    all_of_it = desk.analyze.by_time(CALLER, None, ANY_TIME)
    first = desk.analyze.by_time(CALLER, None, TimeRange(START, START + timedelta(hours=1)))

    assert (all_of_it.total_jobs, all_of_it.completed_jobs, all_of_it.average_duration) == (3, 2, 3_000)
    assert (first.total_jobs, first.success_rate, first.max_duration) == (2, 50, 2_000)
    assert all_of_it.error_types == {"assertion": 1}


@pytest.mark.parametrize("ids", [["no id"], [new_job_id()], [""], [new_job_id() for _ in range(101)]])
def test_refuses_ids_that_are_none_of_the_projects(desk: Desk, ids: list[str]) -> None:
    with pytest.raises(InvalidInput) as refused:
        desk.analyze.by_ids(CALLER, ids)

    assert refused.value.field == "jobIds"


def test_refuses_a_time_that_is_too_long(desk: Desk) -> None:
    with pytest.raises(InvalidInput) as refused:
        desk.analyze.by_time(CALLER, None, TimeRange(START - timedelta(days=93), START))

    assert refused.value.field == "from"


def test_a_time_in_the_future_is_empty(desk: Desk) -> None:
    assert desk.analyze.by_time(CALLER, None, TimeRange(START + timedelta(days=1))).total_jobs == 0


def test_another_projects_jobs_are_unknown(desk: Desk) -> None:
    other = desk.submitted().model_copy(update={"project": "other", "id": new_job_id()})
    desk.jobs.write(None, other)

    with pytest.raises(InvalidInput):
        desk.analyze.by_ids(CALLER, [other.id])
