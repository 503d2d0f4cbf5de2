"""What a query of jobs lets through."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from wainwright.domain.job_query import JobQuery, SortBy, TimeRange
from wainwright.domain.jobs import Job, RunBy
from wainwright.domain.states import JobStatus

START = datetime(2026, 11, 22, 2, 42, tzinfo=UTC)
SECOND = timedelta(seconds=1)
JOB = Job(
    project="shop", id="1", run_by=RunBy(id="k", name="k"), timeout_ms=1, created_at=START, updated_at=START,
    started_at=START + SECOND, completed_at=START + 2 * SECOND, expires_at=START + 9 * SECOND, type="browser",
    status=JobStatus.FAILED, template_id="t1", batch_id="b1", has_errors=True, label="nightly",
)  # fmt: skip
ALL = JobQuery(
    statuses=frozenset({JobStatus.FAILED, JobStatus.PENDING}), types=frozenset({"browser"}), template_id="t1",
    batch_id="b1", has_errors=True, label="nightly", created=TimeRange(START, START),
    started=TimeRange(START + SECOND, None), ended=TimeRange(None, START + 2 * SECOND),
)  # fmt: skip


def test_lets_everything_through_without_filters() -> None:
    assert JobQuery().matches(JOB, START)


def test_lets_through_what_meets_every_filter() -> None:
    assert ALL.matches(JOB, START)


@pytest.mark.parametrize(
    "query",
    [
        replace(ALL, statuses=frozenset({JobStatus.PENDING})), replace(ALL, types=frozenset({"function"})),
        replace(ALL, template_id="t2"), replace(ALL, batch_id="b2"), replace(ALL, has_errors=False),
        replace(ALL, label="night"), replace(ALL, created=TimeRange(START + SECOND, None)),
        replace(ALL, started=TimeRange(None, START)), replace(ALL, ended=TimeRange(START + 3 * SECOND, None)),
    ],
)  # fmt: skip
def test_one_filter_that_is_not_met_is_enough(query: JobQuery) -> None:
    assert not query.matches(JOB, START)


def test_a_job_is_gone_from_the_instant_it_expires() -> None:
    assert JobQuery().matches(JOB, START + 8.999 * SECOND)
    assert not JobQuery().matches(JOB, START + 9 * SECOND)
    assert JobQuery(include_expired=True).matches(JOB, START + 9 * SECOND)


def test_a_job_without_the_time_it_is_ordered_by_is_left_out() -> None:
    waiting = JOB.model_copy(update={"started_at": None, "completed_at": None})

    assert JobQuery(sort_by=SortBy.CREATED).matches(waiting, START)
    assert not JobQuery(sort_by=SortBy.STARTED).matches(waiting, START)
    assert not JobQuery(sort_by=SortBy.COMPLETED).matches(waiting, START)
    assert not JobQuery(ended=TimeRange(None, START)).matches(waiting, START)


@pytest.mark.parametrize(
    ("sort_by", "time"),
    [("createdAt", JOB.created_at), ("startedAt", JOB.started_at), ("completedAt", JOB.completed_at)],
)
def test_orders_by_one_of_the_three_times(sort_by: str, time: datetime) -> None:
    assert JobQuery(sort_by=SortBy(sort_by)).time_of(JOB) == time


def test_ranges_have_both_ends_in_them() -> None:
    times = TimeRange(START, START + SECOND)

    assert [times.holds(START + each * SECOND) for each in (-0.001, 0, 1, 1.001)] == [False, True, True, False]
    assert TimeRange().holds(None)
    assert not times.holds(None)
