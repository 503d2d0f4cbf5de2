"""Sums over jobs that end, in every JobStore."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.support.builders import PROJECT, START, a_job, completed, failed
from tests.support.faults import Faults
from wainwright.adapters.aws.clients import Clients
from wainwright.adapters.aws.job_store import DynamoJobStore
from wainwright.domain.failures import FailureCategory
from wainwright.domain.jobs import Job
from wainwright.domain.states import JobStatus
from wainwright.domain.statistics import GROWTH, MAX_FLAKY, Statistics
from wainwright.ports.job_store import JobStore

HOUR = timedelta(hours=1)


def ended(store: JobStore, *, took: float = 1, outcome: Any = None, at: datetime = START, **fields: Any) -> Job:
    """A job that was created at a time, and took so many seconds."""
    job = store.write(None, a_job(created_at=at, **fields))
    job = store.write(job, job.admit(at))
    job = store.write(job, job.claim("w1", at))
    job = store.write(job, job.record_outcome(outcome or completed(), at))
    assert job.outcome is not None
    return store.write(job, job.finish(job.outcome, at + timedelta(seconds=took)))


def sums(store: JobStore, template_id: str | None = None, project: str = PROJECT) -> Statistics:
    return store.statistics(project, template_id, START - HOUR, START + 24 * HOUR)


def test_a_project_without_ended_jobs_has_none(jobs: JobStore) -> None:
    job = jobs.write(None, a_job())
    jobs.write(job, job.admit(START))

    assert sums(jobs) == Statistics()
    assert (sums(jobs).total, sums(jobs).mean_ms, sums(jobs).quantile_ms(0.5)) == (0, None, None)


def test_counts_endings_by_state_and_failures_by_category(jobs: JobStore) -> None:
    ended(jobs)
    ended(jobs, outcome=failed())
    ended(jobs, outcome=failed())
    ended(jobs, outcome=failed(FailureCategory.NAVIGATION))
    waiting = jobs.write(None, a_job())
    jobs.write(waiting, waiting.cancel(START))

    found = sums(jobs)

    assert dict(found.by_status) == {"completed": 1, "failed": 3, "canceled": 1}
    assert dict(found.categories) == {"assertion": 2, "navigation": 1}


def test_durations_are_those_of_completed_jobs_exact_in_sum_and_extremes(jobs: JobStore) -> None:
    for seconds in (4, 1.5, 20, 3):
        ended(jobs, took=seconds)
    ended(jobs, took=900, outcome=failed())

    found = sums(jobs)

    assert (found.duration_sum_ms, found.shortest_ms, found.longest_ms, found.mean_ms) == (28_500, 1_500, 20_000, 7_125)
    assert found.quantile_ms(0.5) == pytest.approx(3_000, rel=GROWTH - 1)
    assert found.quantile_ms(1) == 20_000


def test_a_job_that_stops_has_not_ended(jobs: JobStore) -> None:
    job = jobs.write(None, a_job())
    jobs.write(job, job.stop(START))

    assert sums(jobs).total == 0


def test_a_step_within_a_final_state_counts_nothing(jobs: JobStore) -> None:
    job = ended(jobs)
    jobs.write(job, job.set_label("another label", START))

    assert sums(jobs).total == 1


def test_a_job_that_failed_and_was_tried_again_counts_each_time_it_ended(jobs: JobStore) -> None:
    job = ended(jobs, outcome=failed())
    job = jobs.write(job, job.try_again(START, only_failed=True))
    job = jobs.write(job, job.admit(START))
    job = jobs.write(job, job.claim("w1", START))
    jobs.write(job, job.finish(completed(), START))

    assert (sums(jobs).count(JobStatus.FAILED), sums(jobs).count(JobStatus.COMPLETED)) == (1, 1)


def test_templates_have_sums_of_their_own_and_the_project_those_of_all(jobs: JobStore) -> None:
    ended(jobs, template_id="t1")
    ended(jobs, template_id="t2", outcome=failed())
    ended(jobs)
    ended(jobs, project="other")

    assert dict(sums(jobs).by_status) == {"completed": 2, "failed": 1}
    assert dict(sums(jobs, "t1").by_status) == {"completed": 1}
    assert dict(sums(jobs, "t2").by_status) == {"failed": 1}
    assert sums(jobs, "t3") == Statistics()
    assert sums(jobs, project="other").total == 1


def test_a_range_is_cut_to_hours_and_has_the_last_one_in_it(jobs: JobStore) -> None:
    for hours in range(5):
        ended(jobs, at=START + hours * HOUR)  # START is at 42 minutes

    def total(start: datetime, end: datetime) -> int:
        return jobs.statistics(PROJECT, None, start, end).total

    assert total(START + HOUR, START + 3 * HOUR) == 3
    assert total(START + 0.9 * HOUR, START + 0.9 * HOUR) == 1
    assert total(START + 3 * HOUR, START + HOUR) == 0


def test_flaky_tests_are_counted_by_name_and_at_most_ten_of_a_job(jobs: JobStore) -> None:
    outcome = completed()
    many = tuple(f"tests/test_{number}.py::test_ü" for number in range(15))
    ended(jobs, template_id="t1", outcome=outcome.model_copy(update={"flaky_tests": many}))
    ended(jobs, at=START + HOUR, outcome=outcome.model_copy(update={"flaky_tests": many[:2]}))

    assert dict(sums(jobs).flaky) == dict.fromkeys(many[:2], 2) | dict.fromkeys(many[2:MAX_FLAKY], 1)
    assert dict(sums(jobs, "t1").flaky) == dict.fromkeys(many[:MAX_FLAKY], 1)


def test_jobs_that_end_in_one_write_are_all_counted(jobs: JobStore) -> None:
    first = jobs.write(None, a_job(template_id="t1"))
    others = [jobs.write(None, a_job(template_id="t1")) for _ in range(3)]

    jobs.write(first, first.cancel(START), also=[(job, job.cancel(START)) for job in others])

    assert sums(jobs).count(JobStatus.CANCELED) == sums(jobs, "t1").count(JobStatus.CANCELED) == 4


def test_extremes_that_were_not_kept_are_told_by_the_histogram(
    dynamodb_jobs: DynamoJobStore, aws_clients: Clients
) -> None:
    ended(dynamodb_jobs, took=10)
    with Faults(aws_clients.dynamodb, on=["UpdateItem"]).installed() as faults:
        faults.refuse("AccessDeniedException", times=2)
        ended(dynamodb_jobs, took=1)
        faults.refuse("AccessDeniedException", times=2)
        job = ended(dynamodb_jobs, took=100)

    found = sums(dynamodb_jobs)

    assert dynamodb_jobs.get(PROJECT, job.id) == job  # what was written stands
    assert found.total == 3
    assert found.shortest_ms == pytest.approx(1_000, rel=GROWTH - 1)
    assert found.longest_ms == pytest.approx(100_000, rel=GROWTH - 1)


def test_looks_at_the_extremes_only_where_a_duration_may_be_one(
    dynamodb_jobs: DynamoJobStore, aws_clients: Clients, table: str
) -> None:
    with Faults(aws_clients.dynamodb, on=["BatchGetItem"]).installed() as faults:
        ended(dynamodb_jobs, took=4)
        ended(dynamodb_jobs, took=2)
        ended(dynamodb_jobs, took=9)
        assert faults.calls.count("BatchGetItem") == 3
        ended(dynamodb_jobs, took=9)
        ended(dynamodb_jobs, took=3)
        assert faults.calls.count("BatchGetItem") == 3

        other = DynamoJobStore(aws_clients.dynamodb, table)
        ended(other, took=3)
        ended(other, took=2)  # the other's shortest, which it has read
        assert faults.calls.count("BatchGetItem") == 4
        ended(other, took=3, at=START + HOUR)
        assert faults.calls.count("BatchGetItem") == 5

    found = dynamodb_jobs.statistics(PROJECT, None, START, START)
    assert (found.shortest_ms, found.longest_ms) == (2_000, 9_000)


def test_rows_of_statistics_expire_after_400_days(
    dynamodb_jobs: DynamoJobStore, aws_clients: Clients, table: str
) -> None:
    ended(dynamodb_jobs, template_id="t1", outcome=completed().model_copy(update={"flaky_tests": ("a",)}))

    rows = [
        row
        for row in aws_clients.dynamodb.scan(TableName=table)["Items"]
        if row["pk"]["S"].startswith(("STATS", "FLAKY"))
    ]

    hour = START.replace(minute=0, second=0, microsecond=0)
    assert len(rows) == 4
    assert {int(row["expiresAt"]["N"]) for row in rows} == {int((hour + timedelta(days=400)).timestamp())}
