"""Statistics of ended jobs: what adds up, and what a histogram tells."""

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wainwright.domain.failures import Failure, FailureCategory
from wainwright.domain.jobs import Job, RunBy
from wainwright.domain.states import JobStatus
from wainwright.domain.statistics import GROWTH, Statistics, bucket_of, top_of

START = datetime(2026, 11, 22, 2, 42, tzinfo=UTC)
durations = st.integers(0, 11 * 3_600_000)


def ended(took_ms: int = 1_000, status: JobStatus = JobStatus.COMPLETED, failure: Failure | None = None) -> Job:
    return Job(
        project="shop", id="1", run_by=RunBy(id="k", name="k"), timeout_ms=1, created_at=START, updated_at=START,
        completed_at=START + timedelta(milliseconds=took_ms), status=status, failure=failure,
    )  # fmt: skip


def of_all(took: list[int]) -> Statistics:
    return sum((Statistics.of(ended(each)) for each in took), Statistics())


@given(durations)
def test_a_duration_lies_in_its_bucket_and_no_other(milliseconds: int) -> None:
    bucket = bucket_of(milliseconds)

    assert milliseconds <= top_of(bucket)
    assert bucket == 0 or milliseconds > top_of(bucket - 1)


@given(st.lists(durations, min_size=1), st.floats(0.01, 1))
def test_quantiles_are_exact_to_the_width_of_a_bucket(took: list[int], share: float) -> None:
    exact = sorted(took)[math.ceil(share * len(took)) - 1]

    found = of_all(took).quantile_ms(share)

    assert found is not None
    assert exact <= found <= max(exact * GROWTH, 1)


@given(st.lists(durations), st.lists(durations))
def test_sums_of_parts_are_the_sum_of_the_whole(left: list[int], right: list[int]) -> None:
    assert of_all(left) + of_all(right) == of_all(left + right)


@given(st.lists(durations, min_size=1))
def test_mean_and_extremes_are_exact(took: list[int]) -> None:
    found = of_all(took)

    assert found.mean_ms == sum(took) / len(took)
    assert (found.shortest_ms, found.longest_ms) == (min(took), max(took))
    assert found.total == found.count(JobStatus.COMPLETED) == len(took)


def test_nothing_has_neither_mean_nor_quantiles() -> None:
    empty = Statistics()

    assert (empty.total, empty.mean_ms, empty.quantile_ms(0.5)) == (0, None, None)
    assert empty + empty == empty


@pytest.mark.parametrize("status", [JobStatus.FAILED, JobStatus.CANCELED, JobStatus.SKIPPED])
def test_only_completed_jobs_have_durations(status: JobStatus) -> None:
    failure = Failure.of(FailureCategory.NAVIGATION, "no such host")

    found = Statistics.of(ended(5_000, status, failure))

    assert (dict(found.durations), found.duration_sum_ms, found.shortest_ms) == ({}, 0, None)
    assert dict(found.by_status) == {str(status): 1}


def test_only_failed_jobs_count_for_a_category() -> None:
    failure = Failure.of(FailureCategory.NAVIGATION, "no such host")

    assert dict(Statistics.of(ended(status=JobStatus.FAILED, failure=failure)).categories) == {"navigation": 1}
    assert dict(Statistics.of(ended(status=JobStatus.CANCELED, failure=failure)).categories) == {}


def test_a_test_that_is_named_twice_was_flaky_once() -> None:
    assert dict(Statistics.of(ended(), ["a", "b", "a"]).flaky) == {"a": 1, "b": 1}
