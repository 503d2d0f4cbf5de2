"""A deletion that is broken off somewhere: nobody is told of what is gone, and the next one finishes it."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.support.builders import PROJECT, a_caller, completed
from tests.support.system import System
from wainwright.contracts.names import report_key, report_prefix
from wainwright.domain.errors import NotFound, Unavailable
from wainwright.domain.jobs import Job
from wainwright.domain.reports import ReportRef
from wainwright.domain.states import JobStatus
from wainwright.usecases.clean_up import CleanUp


class Killed(BaseException):
    """The end of the process."""


def kill(*_arguments: object, **_named: object) -> None:
    raise Killed


def in_spool(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system.spool, "delete", kill)


def before_objects(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system.artifacts, "delete_all", kill)


def after_objects(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system.jobs, "delete", kill)


POINTS = pytest.mark.parametrize("point", [in_spool, before_objects, after_objects])
Point = Callable[[System, pytest.MonkeyPatch], None]


@pytest.fixture
def job(system: System) -> Job:
    """A job that has ended, with its report in the bucket and a part of it on a disk."""
    claim = system.claimed()
    report = ReportRef(fence=1, complete=True, viewer="1")
    system.claims.end(claim, completed().model_copy(update={"report": report}))
    system.finish(PROJECT, claim.job.id, 1)
    for path in ("index.html", "data/1-1-trace.zip"):
        system.artifacts.put(report_key(PROJECT, claim.job.id, fence=1, path=path), b"x", "text/plain")
    system.spool.put(report_key(PROJECT, claim.job.id, fence=1, path="data/1-2-log"), b"x", "text/plain")
    return system.job(claim.job)


def objects(system: System, job: Job) -> list[str]:
    return [key for key in system.artifacts.objects if key.startswith(report_prefix(PROJECT, job.id))]


def broken_off(system: System, job: Job, point: Point) -> None:
    with pytest.MonkeyPatch.context() as broken:
        point(system, broken)
        with pytest.raises(Killed):
            system.control.delete(a_caller(), job.id)


@POINTS
def test_a_row_never_names_what_may_be_gone(system: System, job: Job, point: Point) -> None:
    broken_off(system, job, point)

    left = system.job(job)
    assert (left.report, left.owes_report, left.due_at) == (None, False, None)


@POINTS
def test_the_same_request_finishes_it(system: System, job: Job, point: Point) -> None:
    broken_off(system, job, point)

    system.control.delete(a_caller(), job.id)

    assert objects(system, job) == []
    assert not list(system.spool.keys(report_prefix(PROJECT, job.id)))
    with pytest.raises(NotFound):
        system.control.delete(a_caller(), job.id)


@POINTS
def test_cleaning_finishes_it(system: System, job: Job, point: Point) -> None:
    broken_off(system, job, point)
    system.pass_time(timedelta(days=400).total_seconds())
    clean_up = CleanUp(system.jobs, system.artifacts, system.clock, system.limits, system.spool)

    assert clean_up(budget=timedelta(minutes=1)) == 1

    assert objects(system, job) == []
    assert system.jobs.get(PROJECT, job.id) is None


def test_a_job_that_was_resumed_just_before_loses_nothing(system: System, job: Job) -> None:
    stopped = system.jobs.write(job, job.model_copy(update={"status": JobStatus.STOPPED}))
    get = system.jobs.get

    def get_and_resume(project: str, job_id: str) -> Job | None:
        """Somebody resumes the job between what deleting reads and what it writes."""
        found = get(project, job_id)
        if found == stopped:
            system.jobs.write(stopped, stopped.resume(system.clock()))
        return found

    with pytest.MonkeyPatch.context() as meanwhile:
        meanwhile.setattr(system.jobs, "get", get_and_resume)
        with pytest.raises(Exception, match="changed since it was read"):
            system.control.delete(a_caller(), job.id)

    assert len(objects(system, job)) == 2
    assert system.job(job).report is not None


def test_a_half_deleted_job_can_neither_be_resumed_nor_tried_again(system: System, job: Job) -> None:
    stopped = system.jobs.write(job, job.model_copy(update={"status": JobStatus.STOPPED}))
    broken_off(system, stopped, after_objects)

    with pytest.raises(Unavailable):
        system.control.resume(a_caller(), job.id)
