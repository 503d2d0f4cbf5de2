"""Writes in every JobStore: row, waiting line and counters move together or not at all."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from tests.support.builders import PROJECT, START, a_job, completed, failed
from wainwright.domain.capacity import Limits
from wainwright.domain.errors import CapacityExceeded, Conflict, IdempotencyConflict
from wainwright.domain.instants import to_text
from wainwright.domain.job_query import JobQuery
from wainwright.domain.jobs import Job, JobDetail, RunBy
from wainwright.domain.retry import RetryPolicy
from wainwright.ports.job_store import Idempotency, JobStore

LATER = START + timedelta(seconds=10)
MUCH_LATER = START + timedelta(days=1)


@dataclass(frozen=True)
class Trace:
    """All that a store shows of a project and one of its jobs."""

    everything: tuple[object, ...]

    @classmethod
    def of(cls, store: JobStore, job: Job, key: str = "a key") -> "Trace":
        return cls(
            (
                store.view(job.project, job.id),
                store.load(job.project),
                tuple(store.waiting_line(job.project, MUCH_LATER, 100)),
                tuple(store.due(MUCH_LATER, 100)),
                store.get_idempotent(job.project, key),
                tuple(store.find(job.project, JobQuery(limit=100), START).jobs),
            )
        )


def line(store: JobStore, project: str = PROJECT) -> list[str]:
    return list(store.waiting_line(project, MUCH_LATER, 100))


def counters(store: JobStore, project: str = PROJECT) -> tuple[int, int]:
    load = store.load(project)
    return load.queued, load.running


def idempotency(digest: str = "d1") -> Idempotency:
    return Idempotency(key="a key", digest=digest, until=MUCH_LATER)


def test_reads_back_exactly_what_it_wrote(jobs: JobStore) -> None:
    job = a_job(
        label="Ünïcode ✓", url="https://shop.example/?a=1", priority=-7, low_priority=True,
        retry=RetryPolicy(max_attempts=3, delay_ms=5, backoff_multiplier=1.5), run_by=RunBy(id="k2", name="two"),
    )  # fmt: skip

    written = jobs.write(None, job)

    assert jobs.get(PROJECT, job.id) == written
    assert written.model_copy(update={"version": 0, "operation": ""}) == job


def test_keeps_every_field_through_the_steps_of_a_run(jobs: JobStore) -> None:
    job = jobs.write(None, a_job(retry=RetryPolicy(max_attempts=2)))
    steps: list[Any] = [
        lambda job: job.admit(LATER),
        lambda job: job.claim("w1", LATER),
        lambda job: job.renew(LATER + timedelta(seconds=1), 1_000),
        lambda job: job.record_outcome(failed(fence=1), LATER + timedelta(seconds=2)),
        lambda job: job.finish(job.outcome, LATER + timedelta(seconds=3)),
        lambda job: job.admit(LATER + timedelta(seconds=30)),
        lambda job: job.claim("w2", LATER + timedelta(seconds=31)),
        lambda job: job.record_outcome(completed(fence=2), LATER + timedelta(seconds=32)),
        lambda job: job.finish(job.outcome, LATER + timedelta(seconds=33)),
    ]
    for step in steps:
        job = jobs.write(job, step(job))
        assert jobs.get(PROJECT, job.id) == job


def test_numbers_versions_and_marks_each_write_with_an_operation_of_its_own(jobs: JobStore) -> None:
    first = jobs.write(None, a_job())
    second = jobs.write(first, first.touch(LATER))

    assert (first.version, second.version) == (1, 2)
    assert first.operation
    assert second.operation not in {"", first.operation}


def test_finds_no_job_of_another_project(jobs: JobStore) -> None:
    job = jobs.write(None, a_job())

    assert jobs.get("other", job.id) is None
    assert jobs.view("other", job.id) is None


def test_refuses_to_create_a_job_twice_and_leaves_no_trace(jobs: JobStore) -> None:
    job = a_job()
    jobs.write(None, job)
    before = Trace.of(jobs, job)

    with pytest.raises(Conflict):
        jobs.write(None, job, detail=JobDetail(params={"a": 1}), idempotency=idempotency())

    assert Trace.of(jobs, job) == before


def test_refuses_a_step_from_a_row_that_changed_meanwhile_and_leaves_no_trace(jobs: JobStore) -> None:
    stale = jobs.write(None, a_job())
    admitted = jobs.write(stale, stale.admit(LATER))
    before = Trace.of(jobs, admitted)

    with pytest.raises(Conflict):
        jobs.write(stale, stale.cancel(LATER))
    with pytest.raises(Conflict):
        jobs.write(stale, stale.touch(LATER))  # a write of the row alone is conditional too

    assert Trace.of(jobs, admitted) == before


def test_refuses_a_step_of_a_job_that_is_not_there(jobs: JobStore) -> None:
    job = a_job(version=3)

    with pytest.raises(Conflict):
        jobs.write(job, job.touch(LATER))

    assert jobs.get(PROJECT, job.id) is None
    assert counters(jobs) == (0, 0)


def test_a_new_job_stands_in_the_line_and_counts_as_queued(jobs: JobStore) -> None:
    job = jobs.write(None, a_job(lanes=3))

    assert line(jobs) == [job.id]
    assert counters(jobs) == (1, 0)


def test_an_admitted_job_leaves_the_line_and_counts_its_lanes_as_running(jobs: JobStore) -> None:
    job = jobs.write(None, a_job(lanes=3))
    jobs.write(job, job.admit(LATER))

    assert line(jobs) == []
    assert counters(jobs) == (0, 3)


def test_a_claimed_job_counts_as_it_did_when_it_was_admitted(jobs: JobStore) -> None:
    job = jobs.write(None, a_job())
    job = jobs.write(job, job.admit(LATER))
    job = jobs.write(job, job.claim("w1", LATER))
    job = jobs.write(job, job.release(LATER, 5))

    assert line(jobs) == []
    assert counters(jobs) == (0, 1)


def test_a_finished_job_holds_nothing(jobs: JobStore) -> None:
    job = jobs.write(None, a_job(lanes=2))
    job = jobs.write(job, job.admit(LATER))
    job = jobs.write(job, job.claim("w1", LATER))
    jobs.write(job, job.finish(completed(), LATER))

    assert line(jobs) == []
    assert counters(jobs) == (0, 0)
    assert jobs.due(MUCH_LATER, 10) == []


def test_a_job_canceled_while_it_waits_leaves_the_line(jobs: JobStore) -> None:
    job = jobs.write(None, a_job())
    jobs.write(job, job.cancel(LATER))

    assert line(jobs) == []
    assert counters(jobs) == (0, 0)


def test_a_retried_job_stands_in_the_line_again_and_gives_its_lane_back(jobs: JobStore) -> None:
    job = jobs.write(None, a_job(retry=RetryPolicy(max_attempts=2, delay_ms=60_000)))
    job = jobs.write(job, job.admit(LATER))
    job = jobs.write(job, job.claim("w1", LATER))
    job = jobs.write(job, job.finish(failed(), LATER))

    assert line(jobs) == [job.id]
    assert counters(jobs) == (1, 0)
    assert jobs.waiting_line(PROJECT, LATER + timedelta(seconds=59), 10) == []
    assert jobs.waiting_line(PROJECT, LATER + timedelta(minutes=1), 10) == [job.id]


def test_a_change_of_priority_moves_a_job_in_the_line_and_counts_nothing(jobs: JobStore) -> None:
    first = jobs.write(None, a_job())
    second = jobs.write(None, a_job(created_at=LATER))
    jobs.write(second, second.model_copy(update={"priority": 5}))

    assert line(jobs) == [second.id, first.id]
    assert counters(jobs) == (2, 0)


def test_a_new_time_not_to_start_before_is_kept_in_the_line(jobs: JobStore) -> None:
    job = jobs.write(None, a_job())
    jobs.write(job, job.model_copy(update={"not_before": LATER}))

    assert jobs.waiting_line(PROJECT, START, 10) == []
    assert jobs.waiting_line(PROJECT, LATER, 10) == [job.id]
    assert counters(jobs) == (1, 0)


def test_counts_projects_apart(jobs: JobStore) -> None:
    job = jobs.write(None, a_job())
    jobs.write(None, a_job(project="other"))
    jobs.write(job, job.admit(LATER))

    assert counters(jobs) == (0, 1)
    assert counters(jobs, "other") == (1, 0)
    assert {load.project: (load.queued, load.running) for load in jobs.loads()} == {PROJECT: (0, 1), "other": (1, 0)}


def test_a_project_that_nobody_knows_has_nothing(jobs: JobStore) -> None:
    load = jobs.load("nobody")

    assert (load.project, load.queued, load.running, load.served, load.limits) == ("nobody", 0, 0, "", None)
    assert jobs.loads() == []


def test_marks_a_project_as_served_when_it_takes_lanes_and_only_then(jobs: JobStore) -> None:
    job = jobs.write(None, a_job())
    assert jobs.load(PROJECT).served == ""

    job = jobs.write(job, job.admit(LATER))
    assert jobs.load(PROJECT).served == to_text(LATER)

    jobs.write(job, job.finish(failed(), LATER + timedelta(seconds=5)))
    assert jobs.load(PROJECT).served == to_text(LATER)


def test_accepts_jobs_up_to_the_limit_and_refuses_the_next_without_a_trace(jobs: JobStore) -> None:
    limits = Limits(running=1, queued=2)
    for _ in range(2):
        jobs.write(None, a_job(), limits=limits)
    job = a_job()
    before = Trace.of(jobs, job)

    with pytest.raises(CapacityExceeded) as refused:
        jobs.write(None, job, limits=limits, detail=JobDetail(params={"a": 1}), idempotency=idempotency())

    assert refused.value.retry_after >= 1
    assert Trace.of(jobs, job) == before


def test_admits_lanes_up_to_the_limit_and_refuses_the_next_without_a_trace(jobs: JobStore) -> None:
    limits = Limits(running=3, queued=9)
    first, second = jobs.write(None, a_job(lanes=2)), jobs.write(None, a_job(lanes=2))
    jobs.write(first, first.admit(LATER), limits=limits)
    before = Trace.of(jobs, second)

    with pytest.raises(CapacityExceeded):
        jobs.write(second, second.admit(LATER), limits=limits)
    assert Trace.of(jobs, second) == before

    narrow = jobs.write(None, a_job(lanes=1))
    jobs.write(narrow, narrow.admit(LATER), limits=limits)
    assert counters(jobs) == (1, 3)


def test_a_job_that_goes_back_to_the_line_is_not_refused_though_it_is_full(jobs: JobStore) -> None:
    limits = Limits(running=1, queued=1)
    first = jobs.write(None, a_job(retry=RetryPolicy(max_attempts=2)), limits=limits)
    first = jobs.write(first, first.admit(LATER), limits=limits)
    first = jobs.write(first, first.claim("w1", LATER))
    jobs.write(None, a_job(), limits=limits)

    jobs.write(first, first.finish(failed(), LATER))

    assert counters(jobs) == (2, 0)


def test_what_holds_nothing_more_is_never_refused_by_limits(jobs: JobStore) -> None:
    job = jobs.write(None, a_job())
    job = jobs.write(job, job.admit(LATER))
    jobs.write(None, a_job())

    jobs.write(job, job.claim("w1", LATER), limits=Limits(running=1, queued=1))

    assert counters(jobs) == (1, 1)


def test_limits_of_one_project_do_not_count_the_jobs_of_another(jobs: JobStore) -> None:
    limits = Limits(running=1, queued=1)
    jobs.write(None, a_job(), limits=limits)

    jobs.write(None, a_job(project="other"), limits=limits)

    assert counters(jobs, "other") == (1, 0)


def test_keeps_what_an_idempotency_key_stands_for(jobs: JobStore) -> None:
    job = jobs.write(None, a_job(), idempotency=idempotency())

    assert jobs.get_idempotent(PROJECT, "a key") == (job.id, "d1")
    assert jobs.get_idempotent("other", "a key") is None
    assert jobs.get_idempotent(PROJECT, "another key") is None


def test_refuses_a_second_job_under_one_idempotency_key_and_leaves_no_trace(jobs: JobStore) -> None:
    jobs.write(None, a_job(), idempotency=idempotency())
    job = a_job()
    before = Trace.of(jobs, job)

    with pytest.raises(IdempotencyConflict):
        jobs.write(None, job, idempotency=idempotency("d2"), detail=JobDetail(params={"a": 1}))

    assert Trace.of(jobs, job) == before


def test_a_taken_idempotency_key_is_told_even_where_the_line_is_full(jobs: JobStore) -> None:
    limits = Limits(running=1, queued=1)
    jobs.write(None, a_job(), limits=limits, idempotency=idempotency())

    with pytest.raises(IdempotencyConflict):
        jobs.write(None, a_job(), limits=limits, idempotency=idempotency())


def test_an_idempotency_key_belongs_to_its_project(jobs: JobStore) -> None:
    jobs.write(None, a_job(), idempotency=idempotency())

    other = jobs.write(None, a_job(project="other"), idempotency=idempotency())

    assert jobs.get_idempotent("other", "a key") == (other.id, "d1")


def test_keeps_a_job_with_its_detail_beside_it(jobs: JobStore) -> None:
    detail = JobDetail(params={"city": "Zürich", "n": [1, 2.5, None, {"deep": True}]}, config={"timeout": 5_000})

    job = jobs.write(None, a_job(), detail=detail)
    view = jobs.view(PROJECT, job.id)

    assert view is not None
    assert (view.job, view.detail, view.progress.sequence, view.progress.tests.total) == (job, detail, 0, 0)


def test_a_write_without_a_detail_leaves_the_one_there_is(jobs: JobStore) -> None:
    job = jobs.write(None, a_job(), detail=JobDetail(params={"a": 1}))
    jobs.write(job, job.admit(LATER))

    view = jobs.view(PROJECT, job.id)

    assert view is not None
    assert view.detail.params == {"a": 1}


def test_a_job_without_a_detail_has_an_empty_one(jobs: JobStore) -> None:
    job = jobs.write(None, a_job())

    view = jobs.view(PROJECT, job.id)

    assert view is not None
    assert view.detail == JobDetail()
