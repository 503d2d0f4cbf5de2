"""Answers of every JobStore: the waiting line in starting order, what is overdue, pages of jobs."""

import base64
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.support.builders import PROJECT, START, a_job, completed, job_id
from wainwright.domain.errors import InvalidInput
from wainwright.domain.job_query import JobQuery
from wainwright.domain.jobs import CHECK_AFTER, Job
from wainwright.domain.states import JobStatus
from wainwright.ports.job_store import JobStore, Page

DAY = timedelta(days=1)


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def line(store: JobStore, now: datetime = START + DAY, limit: int = 100) -> list[str]:
    return list(store.waiting_line(PROJECT, now, limit))


def created(store: JobStore, number: int, **fields: Any) -> Job:
    """Job number N, created N seconds after the start."""
    return store.write(None, a_job(id=job_id(number), created_at=after(number), **fields))


def list_jobs(
    store: JobStore, *, status: str | None = None, limit: int, cursor: str | None = None, project: str = PROJECT
) -> Page:
    statuses = frozenset({JobStatus(status)} if status else ())
    return store.find(project, JobQuery(statuses=statuses, limit=limit, cursor=cursor), START)


def pages(store: JobStore, limit: int, status: str | None = None) -> list[list[str]]:
    found: list[list[str]] = []
    cursor = None
    while True:
        page = list_jobs(store, status=status, limit=limit, cursor=cursor)
        found.append([job.id for job in page.jobs])
        cursor = page.cursor
        if cursor is None:
            return found


# The waiting line


def test_the_oldest_starts_first(jobs: JobStore) -> None:
    for number in (2, 1, 3):
        created(jobs, number)

    assert line(jobs) == [job_id(1), job_id(2), job_id(3)]


def test_milliseconds_decide_who_is_older(jobs: JobStore) -> None:
    jobs.write(None, a_job(id=job_id(1), created_at=after(0.002)))
    jobs.write(None, a_job(id=job_id(2), created_at=after(0.001)))

    assert line(jobs) == [job_id(2), job_id(1)]


def test_higher_priority_starts_first_however_young(jobs: JobStore) -> None:
    created(jobs, 1, priority=-1_000)
    created(jobs, 2)
    created(jobs, 3, priority=999)
    created(jobs, 4, priority=1_000)
    created(jobs, 5, priority=-1)

    assert line(jobs) == [job_id(4), job_id(3), job_id(2), job_id(5), job_id(1)]


def test_low_priority_starts_last_whatever_its_number(jobs: JobStore) -> None:
    created(jobs, 1, low_priority=True, priority=1_000)
    created(jobs, 2, priority=-1_000)
    created(jobs, 3, low_priority=True)

    assert line(jobs) == [job_id(2), job_id(1), job_id(3)]


def test_an_entry_that_is_not_due_yet_is_passed_over_until_it_is(jobs: JobStore) -> None:
    created(jobs, 1, not_before=after(60))
    created(jobs, 2)

    assert line(jobs, after(59.999)) == [job_id(2)]
    assert line(jobs, after(60)) == [job_id(1), job_id(2)]


def test_the_limit_counts_only_what_may_start(jobs: JobStore) -> None:
    for number in range(1, 6):
        created(jobs, number, not_before=after(60))
    for number in range(6, 10):
        created(jobs, number)

    assert line(jobs, after(30), limit=3) == [job_id(6), job_id(7), job_id(8)]


def test_a_line_has_no_jobs_of_other_projects(jobs: JobStore) -> None:
    created(jobs, 1, project="shop-2")
    created(jobs, 2, project="sho")

    assert line(jobs) == []


# What is overdue


def test_tells_what_is_overdue_most_overdue_first(jobs: JobStore) -> None:
    for number, due in ((1, 30), (2, 10), (3, 20), (4, 40)):
        created(jobs, number, due_at=after(due))

    assert jobs.due(after(30), 10) == [(PROJECT, job_id(2)), (PROJECT, job_id(3)), (PROJECT, job_id(1))]
    assert jobs.due(after(30), 2) == [(PROJECT, job_id(2)), (PROJECT, job_id(3))]
    assert jobs.due(after(9.999), 10) == []


def test_what_is_overdue_comes_from_all_projects(jobs: JobStore) -> None:
    created(jobs, 1, project="a", due_at=after(2))
    created(jobs, 2, project="b", due_at=after(1))

    assert jobs.due(after(5), 10) == [("b", job_id(2)), ("a", job_id(1))]


def test_a_step_moves_when_a_job_is_overdue(jobs: JobStore) -> None:
    job = created(jobs, 1, due_at=after(10))
    jobs.write(job, job.touch(after(100)))

    assert jobs.due(after(100), 10) == []
    assert jobs.due(after(100) + CHECK_AFTER, 10) == [(PROJECT, job.id)]


def test_a_job_at_rest_is_never_overdue(jobs: JobStore) -> None:
    job = created(jobs, 1)
    jobs.write(job, job.cancel(after(5)))

    assert jobs.due(START + 365 * DAY, 10) == []


# Lists


def test_lists_newest_first_and_every_job_once(jobs: JobStore) -> None:
    for number in (3, 1, 5, 2, 4):
        created(jobs, number)

    assert pages(jobs, limit=2) == [[job_id(5), job_id(4)], [job_id(3), job_id(2)], [job_id(1)]]
    assert pages(jobs, limit=1_000) == [[job_id(number) for number in (5, 4, 3, 2, 1)]]


def test_lists_every_job_once_where_all_were_created_at_the_same_time(jobs: JobStore) -> None:
    ids = {jobs.write(None, a_job()).id for _ in range(7)}

    found = [id for page in pages(jobs, limit=2) for id in page]

    assert sorted(found) == sorted(ids)


def test_an_empty_list_has_no_cursor(jobs: JobStore) -> None:
    created(jobs, 1, project="other")

    page = list_jobs(jobs, limit=10)

    assert (list(page.jobs), page.cursor) == ([], None)


def test_lists_jobs_of_one_state(jobs: JobStore) -> None:
    waiting = created(jobs, 1)
    done = created(jobs, 2)
    done = jobs.write(done, done.admit(after(10)))
    done = jobs.write(done, done.claim("w1", after(11)))
    assert pages(jobs, 10, "running") == [[done.id]]

    jobs.write(done, done.finish(completed(), after(12)))

    assert pages(jobs, 10, "pending") == [[waiting.id]]
    assert pages(jobs, 10, "completed") == [[done.id]]
    assert pages(jobs, 10, "running") == [[]]


def test_a_cursor_goes_on_where_it_was_though_newer_jobs_came(jobs: JobStore) -> None:
    for number in range(1, 5):
        created(jobs, number)
    first = list_jobs(jobs, limit=2)

    created(jobs, 9)
    second = list_jobs(jobs, limit=2, cursor=first.cursor)

    assert [job.id for job in second.jobs] == [job_id(2), job_id(1)]


def test_a_cursor_goes_on_where_it_was_though_its_job_left_the_state(jobs: JobStore) -> None:
    made = {number: created(jobs, number) for number in range(1, 5)}
    first = list_jobs(jobs, status="pending", limit=2)
    assert [job.id for job in first.jobs] == [job_id(4), job_id(3)]

    jobs.write(made[3], made[3].cancel(after(60)))
    second = list_jobs(jobs, status="pending", limit=2, cursor=first.cursor)

    assert [job.id for job in second.jobs] == [job_id(2), job_id(1)]


Forge = Callable[[JobStore], str | None]


def _of_another_project(store: JobStore) -> str | None:
    for number in (11, 12):
        created(store, number, project="other")
    return list_jobs(store, limit=1, project="other").cursor


def _of_another_state(store: JobStore) -> str | None:
    return list_jobs(store, status="pending", limit=1).cursor


@pytest.mark.parametrize(
    "forge",
    [
        pytest.param(_of_another_project, id="of another project"),
        pytest.param(_of_another_state, id="of another state"),
        pytest.param(lambda _: "nonsense", id="nonsense"),
        pytest.param(lambda _: "bm9uc2Vuc2U", id="base64 of nonsense"),
        pytest.param(lambda _: "W10", id="base64 of a list"),
        pytest.param(lambda _: "e30", id="base64 of nothing"),
        pytest.param(lambda _: "ä€", id="not ASCII"),
        pytest.param(lambda _: "[" * 6_000, id="deep brackets"),
        pytest.param(lambda _: base64.b64encode(b"[" * 6_000).decode(), id="base64 of deep brackets"),
    ],
)
def test_refuses_a_cursor_that_is_none_of_this_list(jobs: JobStore, forge: Forge) -> None:
    for number in (1, 2, 3):
        created(jobs, number)
    cursor = forge(jobs)
    assert cursor

    with pytest.raises(InvalidInput) as refused:
        list_jobs(jobs, limit=1, cursor=cursor)

    assert refused.value.field == "cursor"
