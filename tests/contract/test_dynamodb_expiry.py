"""Rows of jobs go by themselves in time, and nothing is left of a job that was deleted."""

from datetime import datetime, timedelta
from typing import Any

from tests.support.builders import PROJECT, START, a_job
from wainwright.adapters.aws.clients import Clients
from wainwright.adapters.aws.items import TTL_AFTER
from wainwright.adapters.aws.job_store import DynamoJobStore
from wainwright.contracts.events import EventKind
from wainwright.domain.jobs import Job, JobDetail, Outcome
from wainwright.domain.states import JobStatus
from wainwright.domain.tests import Tally, TestOutcome
from wainwright.ports.job_store import NewEvent, StoredTest

KEPT = timedelta(days=7)
CLEANED_EVERY = timedelta(hours=12)


def failed(store: DynamoJobStore) -> Job:
    """A job that failed and has one of every part."""
    job = store.write(None, a_job(), detail=JobDetail(params={"a": 1}))
    job = store.write(job, job.admit(START))
    job = store.write(job, job.claim("w1", START))
    test = StoredTest(id="t", outcome=TestOutcome.FAILED, attempt=1, body={})
    event = NewEvent(kind=EventKind.LOG, at=START, data={})
    store.record(job, tests=[test], events=[event], tally=Tally(total=1, failed=1))
    ended = job.finish(Outcome(status=JobStatus.FAILED, fence=1), START)
    return store.write(job, ended.model_copy(update={"expires_at": START + KEPT}))


def rows(clients: Clients, table: str) -> dict[str, Any]:
    """All rows of jobs by what they are."""
    found: list[Any] = clients.dynamodb.scan(TableName=table)["Items"]
    return {row["sk"]["S"].partition("#E")[0]: row for row in found if row["pk"]["S"].startswith("JOB#")}


def expiry(row: Any) -> datetime:
    return datetime.fromtimestamp(int(row["expiresAt"]["N"]), tz=START.tzinfo)


def test_a_job_at_rest_goes_by_itself_long_after_cleaning_should_have_deleted_it(
    dynamodb_jobs: DynamoJobStore, aws_clients: Clients, table: str
) -> None:
    failed(dynamodb_jobs)

    when = expiry(rows(aws_clients, table)["#JOB"])

    assert abs(when - (START + KEPT + TTL_AFTER)) <= timedelta(seconds=1)
    assert when - (START + KEPT) > 50 * CLEANED_EVERY


def test_a_job_that_is_tried_again_has_no_expiry(
    dynamodb_jobs: DynamoJobStore, aws_clients: Clients, table: str
) -> None:
    job = failed(dynamodb_jobs)

    dynamodb_jobs.write(job, job.try_again(START, only_failed=True))

    assert "expiresAt" not in rows(aws_clients, table)["#JOB"]


def test_nothing_is_left_of_a_job_that_was_deleted(
    dynamodb_jobs: DynamoJobStore, aws_clients: Clients, table: str
) -> None:
    job = failed(dynamodb_jobs)
    assert len(rows(aws_clients, table)) == 5

    dynamodb_jobs.delete(job)

    assert rows(aws_clients, table) == {}
    assert dynamodb_jobs.get(PROJECT, job.id) is None
