"""Retention: what a project need not keep any more goes."""

import json
from datetime import timedelta

import pytest

from tests.support.builders import PROJECT, completed, failed
from tests.support.system import System
from wainwright.contracts.names import archive_key, report_key
from wainwright.domain.capacity import Limits, Retention
from wainwright.domain.errors import Unavailable
from wainwright.domain.jobs import Job
from wainwright.domain.states import JobStatus
from wainwright.usecases.clean_up import CleanUp

PLENTY = timedelta(minutes=10)


@pytest.fixture
def clean_up(system: System) -> CleanUp:
    return CleanUp(system.jobs, system.artifacts, system.clock, system.limits, system.spool)


def _ended(system: System, *, well: bool = True) -> Job:
    claim = system.claimed()
    system.claims.end(claim, completed() if well else failed())
    system.finish(PROJECT, claim.job.id, claim.job.run)
    job = system.job(claim.job)
    system.artifacts.put(report_key(PROJECT, job.id, fence=1, path="index.html"), b"x", "text/html")
    system.pass_time(1)
    return job


def test_an_ended_job_expires_after_a_week(system: System) -> None:
    job = _ended(system)

    assert job.completed_at is not None
    assert job.expires_at == job.completed_at + timedelta(days=7)


def test_deletes_rows_and_objects_of_jobs_past_their_time_and_nothing_else(system: System, clean_up: CleanUp) -> None:
    old = _ended(system)
    system.pass_time(8 * 86_400)
    young, waiting = _ended(system), system.submitted()

    assert clean_up(budget=PLENTY) == 1

    assert system.jobs.get(PROJECT, old.id) is None
    assert system.jobs.get(PROJECT, young.id) is not None
    assert system.job(waiting).status is JobStatus.PENDING
    assert [key for key in system.artifacts.objects if old.id in key] == []
    assert [key for key in system.artifacts.objects if young.id in key] != []
    assert clean_up(budget=PLENTY) == 0


def test_keeps_as_many_as_the_project_says_newest_first(system: System, clean_up: CleanUp) -> None:
    system.jobs.set_limits(PROJECT, Limits(retention=Retention(max_completed=2, max_failed=1)))
    ended = [_ended(system) for _ in range(4)]
    failures = [_ended(system, well=False) for _ in range(2)]

    assert clean_up(budget=PLENTY) == 3

    kept = [job for job in (*ended, *failures) if system.jobs.get(PROJECT, job.id) is not None]
    assert kept == [*ended[2:], failures[1]]


def test_archives_what_it_deletes_where_the_project_wants_it(system: System, clean_up: CleanUp) -> None:
    system.jobs.set_limits(PROJECT, Limits(retention=Retention(archive=True)))
    job = _ended(system)
    system.pass_time(8 * 86_400)

    clean_up(budget=PLENTY)

    record = json.loads(system.artifacts.objects[archive_key(PROJECT, job.id)][0])
    assert (record["id"], record["status"], record["tests"]["total"]) == (job.id, "completed", job.tests.total)


def test_a_job_that_cannot_be_deleted_does_not_keep_those_behind_it(
    system: System, clean_up: CleanUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck, free = _ended(system), _ended(system)
    system.pass_time(8 * 86_400)
    delete = system.jobs.delete

    def refuse_one(job: Job) -> None:
        if job.id == stuck.id:
            raise Unavailable("the database is too busy")
        delete(job)

    monkeypatch.setattr(system.jobs, "delete", refuse_one)

    with pytest.raises(ExceptionGroup, match="1 jobs could not be deleted") as raised:
        clean_up(budget=PLENTY)

    assert [type(error) for error in raised.value.exceptions] == [Unavailable]
    assert system.jobs.get(PROJECT, stuck.id) is not None
    assert system.jobs.get(PROJECT, free.id) is None
    monkeypatch.undo()
    assert clean_up(budget=PLENTY) == 1


def test_leaves_the_rest_to_the_next_run_when_its_time_is_up(system: System, clean_up: CleanUp) -> None:
    _ended(system)
    system.pass_time(8 * 86_400)

    assert clean_up(budget=timedelta(0)) == 0
    assert clean_up(budget=PLENTY) == 1
