"""Rows of the table that one read examines."""

from datetime import timedelta
from typing import Any

import pytest

from tests.support.builders import PROJECT, START, a_caller, a_job, job_id
from wainwright.adapters.aws import items
from wainwright.adapters.aws.clients import Clients
from wainwright.adapters.aws.job_store import DynamoJobStore
from wainwright.adapters.aws.table import Table
from wainwright.domain.capacity import Limits
from wainwright.domain.states import JobStatus
from wainwright.usecases.read_queue import ReadQueue

WAITING = 10_000
LATER = START + timedelta(hours=1)


class Queries:
    """The queries that a client made, and how many rows each of them read."""

    def __init__(self, clients: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
        self.rows_read: list[int] = []
        self.most: int | None = None
        self._query = clients.dynamodb.query
        monkeypatch.setattr(clients.dynamodb, "query", self)

    def __call__(self, **request: Any) -> Any:
        """Query, with pages of ``most`` rows where that is set."""
        if self.most is not None:
            request["Limit"] = min(self.most, request.get("Limit", self.most))
        answer = self._query(**request)
        self.rows_read.append(answer["ScannedCount"])
        return answer


@pytest.fixture
def queries(aws_clients: Clients, monkeypatch: pytest.MonkeyPatch) -> Queries:
    return Queries(aws_clients, monkeypatch)


@pytest.fixture
def rows(table: str, aws_clients: Clients) -> Table:
    return Table(aws_clients.dynamodb, table)


def test_a_flood_of_waiting_jobs_is_not_read_whole(
    dynamodb_jobs: DynamoJobStore, rows: Table, queries: Queries
) -> None:
    jobs = [a_job(id=job_id(number)) for number in range(WAITING)]
    rows.put_all(items.line_item(job) for job in jobs)

    line = dynamodb_jobs.waiting_line(PROJECT, START, 15)

    assert line == [job.id for job in jobs[:15]]
    assert queries.rows_read == [15]


def test_looks_past_jobs_that_are_not_to_start_yet_in_longer_and_longer_strides(
    dynamodb_jobs: DynamoJobStore, rows: Table, queries: Queries
) -> None:
    jobs = [a_job(id=job_id(number), not_before=LATER if number < 100 else None) for number in range(200)]
    rows.put_all(items.line_item(job) for job in jobs)

    line = dynamodb_jobs.waiting_line(PROJECT, START, 10)

    assert line == [job.id for job in jobs[100:110]]
    assert queries.rows_read == [10, 20, 40, 80]


def test_what_is_overdue_is_read_over_all_its_pages(dynamodb_jobs: DynamoJobStore, queries: Queries) -> None:
    for number in range(1, 6):
        dynamodb_jobs.write(None, a_job(id=job_id(number), due_at=START + timedelta(seconds=number)))
    queries.most = 2

    due = dynamodb_jobs.due(LATER, 100)

    assert due == [(PROJECT, job_id(number)) for number in range(1, 6)]
    assert queries.rows_read == [2, 2, 1]
    assert len(dynamodb_jobs.due(LATER, 3)) == 3


@pytest.mark.usefixtures("no_pauses")
def test_the_queue_at_a_glance_takes_as_many_reads_however_many_jobs_there_were(
    dynamodb_jobs: DynamoJobStore, rows: Table, queries: Queries
) -> None:
    long_ago = START - timedelta(hours=2)
    running = a_job(id=job_id(1), status=JobStatus.RUNNING, created_at=START, started_at=START)
    failed = a_job(
        id=job_id(2), status=JobStatus.FAILED, created_at=long_ago, started_at=long_ago, completed_at=long_ago
    )
    rows.put_all(map(items.job_item, (running, failed)))
    read_queue = ReadQueue(dynamodb_jobs, lambda: LATER, Limits())

    def read() -> tuple[list[str], list[str], list[int]]:
        queries.rows_read.clear()
        answer = read_queue(a_caller(PROJECT), long_running=timedelta(minutes=10))
        named = [[job.id for job in jobs] for jobs in (answer.long_running, answer.recent_failures)]
        return named[0], named[1], [*queries.rows_read]

    before = read()
    assert before[:2] == ([running.id], [failed.id])

    times = [START - timedelta(hours=1) + timedelta(seconds=number) for number in range(300)]
    rows.put_all(
        items.job_item(
            a_job(id=job_id(number), status=JobStatus.COMPLETED, created_at=at, started_at=at, completed_at=at)
        )
        for number, at in enumerate(times, start=10)
    )

    assert read() == before
