"""A project's counters change by what its jobs become."""

from datetime import timedelta
from typing import Any

import pytest

from tests.support.builders import START, a_job
from wainwright.domain.capacity import Limits, LoadChange
from wainwright.domain.instants import to_text
from wainwright.domain.jobs import Job

LATER = START + timedelta(seconds=1)
LIMITS = Limits(running=5, queued=7)


def admitted(**fields: Any) -> Job:
    return a_job(**fields).admit(START)


def test_a_new_job_is_one_more_in_the_line() -> None:
    change = LoadChange.of([(None, a_job())], LIMITS)

    assert (change.queued, change.running, change.served) == (1, 0, "")
    assert change.bounds == {"queued": 6}


def test_an_admitted_job_leaves_the_line_and_takes_its_lanes() -> None:
    job = a_job(lanes=3)
    change = LoadChange.of([(job, job.admit(LATER))], LIMITS)

    assert (change.queued, change.running, change.served) == (-1, 3, to_text(LATER))
    assert change.bounds == {"running": 2}


def test_a_bound_may_be_below_zero_where_the_write_alone_is_over_the_limit() -> None:
    job = a_job(lanes=6)

    assert LoadChange.of([(job, job.admit(START))], LIMITS).bounds == {"running": -1}


def test_a_job_that_comes_to_rest_frees_its_lanes_whatever_the_limits() -> None:
    job = admitted(lanes=3)
    change = LoadChange.of([(job, job.cancel(LATER))], LIMITS)

    assert (change.queued, change.running, change.served, change.bounds) == (0, -3, "", {})


def test_without_limits_nothing_is_bounded() -> None:
    assert LoadChange.of([(None, a_job())]).bounds == {}


def test_several_jobs_are_added_up_and_the_last_to_take_lanes_was_served() -> None:
    first, second = a_job(), a_job()
    change = LoadChange.of([(first, first.admit(LATER)), (second, second.admit(START)), (None, a_job())], LIMITS)

    assert (change.queued, change.running, change.served) == (-1, 2, to_text(LATER))


def test_a_change_of_no_counter_is_empty() -> None:
    job = a_job()

    assert not LoadChange.of([(job, job.set_label("another", LATER))], LIMITS)
    assert LoadChange.of([(None, job)], LIMITS)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (LoadChange.of([(None, a_job())], LIMITS), "the project has 7 jobs queued, which is its limit"),
        (LoadChange.of([(None, admitted())], LIMITS), "the project has all of its 5 lanes running"),
    ],
)
def test_a_refusal_names_the_limit(change: LoadChange, message: str) -> None:
    assert change.refusal().message == message
