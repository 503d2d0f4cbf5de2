"""Pages of jobs: cursors, equal times, expiry."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.support.builders import PROJECT, START, a_job, job_id
from tests.support.many_jobs import NOW, followed
from wainwright.adapters.aws.clients import Clients
from wainwright.adapters.aws.job_store import DynamoJobStore
from wainwright.domain.errors import InvalidInput
from wainwright.domain.job_query import JobQuery, SortBy, TimeRange
from wainwright.domain.jobs import Job
from wainwright.domain.states import JobStatus as S
from wainwright.ports.job_store import JobStore


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def created(store: JobStore, number: int, **fields: Any) -> Job:
    return store.write(None, a_job(id=job_id(number), **({"created_at": after(number)} | fields)))


@pytest.mark.parametrize("ascending", [True, False])
@pytest.mark.parametrize("statuses", [frozenset(), frozenset({S.PENDING, S.CANCELED})])
def test_jobs_of_one_instant_are_neither_lost_nor_doubled(
    jobs: JobStore, ascending: bool, statuses: frozenset[S]
) -> None:
    for number in range(1, 10):
        job = created(jobs, number, created_at=START)
        if number % 2:
            jobs.write(job, job.cancel(START))

    pages = followed(jobs, JobQuery(statuses=statuses, ascending=ascending, limit=2))

    ids = [job_id(number) for number in range(1, 10)]
    assert [id for page in pages for id in page] == (ids if ascending else ids[::-1])


@pytest.mark.parametrize("ascending", [True, False])
def test_a_cursor_survives_jobs_that_come_and_go(jobs: JobStore, ascending: bool) -> None:
    made = {number: created(jobs, number) for number in (2, 4, 6, 8)}
    query = JobQuery(limit=2, ascending=ascending)
    first = jobs.find(PROJECT, query, NOW)
    seen = [2, 4] if ascending else [8, 6]
    assert [job.id for job in first.jobs] == [job_id(number) for number in seen]

    created(jobs, 1)
    created(jobs, 9)
    created(jobs, 5)
    gone = jobs.write(made[seen[1]], made[seen[1]].cancel(NOW))
    jobs.delete(gone)

    rest = [id for page in followed(jobs, replace(query, cursor=None)) for id in page]
    second = [job.id for job in jobs.find(PROJECT, replace(query, cursor=first.cursor, limit=9), NOW).jobs]
    assert second == [job_id(number) for number in ((5, 6, 8, 9) if ascending else (5, 4, 2, 1))]
    assert job_id(seen[1]) not in rest


def test_what_has_expired_is_hidden_at_once(jobs: JobStore) -> None:
    job = created(jobs, 1, expires_at=after(100))

    assert followed(jobs, JobQuery(), after(99.999)) == [[job.id]]
    assert followed(jobs, JobQuery(), after(100)) == [[]]
    assert jobs.get(PROJECT, job.id) is not None  # the row may be there for days
    assert followed(jobs, JobQuery(include_expired=True), after(100)) == [[job.id]]


def test_shows_jobs_as_they_are_now(jobs: JobStore) -> None:
    job = created(jobs, 1)
    job = jobs.write(job, job.admit(after(5)))
    job = jobs.write(job, job.renew(after(9), 4_000))

    assert list(jobs.find(PROJECT, JobQuery(), NOW).jobs) == [job]


def test_the_page_size_may_change_on_the_way(jobs: JobStore) -> None:
    for number in range(1, 7):
        created(jobs, number)
    first = jobs.find(PROJECT, JobQuery(limit=2), NOW)

    second = jobs.find(PROJECT, JobQuery(limit=4, cursor=first.cursor), NOW)

    assert [job.id for job in second.jobs] == [job_id(number) for number in (4, 3, 2, 1)]
    assert second.cursor is None


@pytest.mark.parametrize(
    "other",
    [
        JobQuery(ascending=True), JobQuery(statuses=frozenset({S.PENDING})), JobQuery(template_id="t1"),
        JobQuery(created=TimeRange(start=START)), JobQuery(label="nightly"), JobQuery(sort_by=SortBy.STARTED),
        JobQuery(has_errors=False), JobQuery(types=frozenset({"browser"})), JobQuery(batch_id="b1"),
        JobQuery(include_expired=True),
    ],
)  # fmt: skip
def test_refuses_a_cursor_of_another_query(jobs: JobStore, other: JobQuery) -> None:
    for number in (1, 2):
        created(jobs, number)
    cursor = jobs.find(PROJECT, JobQuery(limit=1), NOW).cursor

    with pytest.raises(InvalidInput) as refused:
        jobs.find(PROJECT, replace(other, cursor=cursor), NOW)

    assert refused.value.field == "cursor"


def test_refuses_a_cursor_of_another_project(jobs: JobStore) -> None:
    for number in (1, 2):
        created(jobs, number, project="other")
    cursor = jobs.find("other", JobQuery(limit=1), NOW).cursor
    assert cursor

    with pytest.raises(InvalidInput):
        jobs.find(PROJECT, JobQuery(cursor=cursor), NOW)


def test_a_job_that_changed_since_the_index_was_written_is_not_shown_as_it_was(
    dynamodb_jobs: DynamoJobStore, aws_clients: Clients, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, stays = created(dynamodb_jobs, 1), created(dynamodb_jobs, 2)
    query = aws_clients.dynamodb.query

    def lagging(**request: Any) -> Any:
        answer = query(**request)
        if dynamodb_jobs.get(PROJECT, job.id) == job:
            dynamodb_jobs.write(job, job.cancel(after(9)))
        return answer

    monkeypatch.setattr(aws_clients.dynamodb, "query", lagging)

    found = dynamodb_jobs.find(PROJECT, JobQuery(statuses=frozenset({S.PENDING})), NOW)

    assert [each.id for each in found.jobs] == [stays.id]
