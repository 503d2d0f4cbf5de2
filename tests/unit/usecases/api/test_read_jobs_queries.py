"""Expired jobs, and waiting."""

import pytest

from tests.unit.usecases.api.desk import CALLER, Desk
from wainwright.domain.errors import NotFound
from wainwright.domain.job_query import JobQuery
from wainwright.domain.states import JobStatus
from wainwright.usecases.read_jobs import ReadJobs


def test_an_expired_job_is_not_there_any_more(desk: Desk) -> None:
    job = desk.ended()
    desk.jobs.write(job, job.model_copy(update={"expires_at": desk.clock()}))

    with pytest.raises(NotFound):
        desk.read.get(CALLER, job.id)
    with pytest.raises(NotFound):
        desk.read.wait(CALLER, job.id, seconds=20)
    assert desk.read.find(CALLER, JobQuery()).jobs == []


def test_waits_for_one_of_several_states(desk: Desk) -> None:
    job = desk.submitted()
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            desk.jobs.write(job, job.cancel(desk.clock()))

    read = ReadJobs(desk.jobs, desk.clock, pause)
    found = read.wait(CALLER, job.id, seconds=20, states={JobStatus.RUNNING, JobStatus.CANCELED})

    assert found.job.status is JobStatus.CANCELED
    assert len(pauses) == 2


def test_answers_as_it_is_when_the_time_is_up(desk: Desk) -> None:
    job = desk.submitted()
    assert desk.read.wait(CALLER, job.id, seconds=1).job.status is JobStatus.PENDING
