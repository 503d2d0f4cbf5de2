"""Logs of jobs, where the store has its limits."""

import pytest

from tests.unit.usecases.api.desk import CALLER, PROJECT, Desk
from wainwright.contracts.http import MAX_LOG_LINES, CreateLog, LogEntry
from wainwright.domain.errors import Conflict, InvalidInput, NotFound, TooLarge, Unavailable
from wainwright.domain.jobs import Job

ERROR = CreateLog(level="ERROR", message="broken")


def _fill(desk: Desk, job: Job) -> None:
    line = LogEntry(timestamp=desk.clock(), level="INFO", message="x")
    while desk.log_store.append(PROJECT, job.id, [line] * 25):
        pass


def test_a_full_log_refuses_lines_and_says_so(desk: Desk) -> None:
    job = desk.submitted()
    _fill(desk, job)

    with pytest.raises(TooLarge) as refused:
        desk.logs.add(CALLER, job.id, ERROR)

    assert str(MAX_LOG_LINES) in refused.value.message
    marked = desk.jobs.get(PROJECT, job.id)
    assert marked is not None
    assert marked.has_errors


def test_an_error_is_noted_though_the_job_changes_meanwhile(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    job = desk.submitted()
    write, races = desk.jobs.write, [1, 2]

    def racing(before: Job, after: Job) -> Job:
        if races.pop() and races:
            write(before, before.name("changed meanwhile", desk.clock()))
        return write(before, after)

    monkeypatch.setattr(desk.jobs, "write", racing)
    desk.logs.add(CALLER, job.id, ERROR)

    found = desk.jobs.get(PROJECT, job.id)
    assert found is not None
    assert (found.has_errors, found.label, races) == (True, "changed meanwhile", [])


def test_gives_up_on_a_job_that_changes_all_the_time(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    job = desk.submitted()

    def changed(*_: object) -> Job:
        raise Conflict("changed")

    monkeypatch.setattr(desk.jobs, "write", changed)
    with pytest.raises(Unavailable):
        desk.logs.add(CALLER, job.id, ERROR)


def test_an_expired_job_has_no_log(desk: Desk) -> None:
    job = desk.ended()
    desk.jobs.write(job, job.model_copy(update={"expires_at": desk.clock()}))

    with pytest.raises(NotFound):
        desk.logs.read(CALLER, job.id, {}, limit=50)
    with pytest.raises(NotFound):
        desk.logs.add(CALLER, job.id, ERROR)


def test_a_period_is_not_looked_at_where_there_are_instants(desk: Desk) -> None:
    job = desk.submitted()

    assert desk.logs.read(CALLER, job.id, {"from": "0", "period": "whatever"}, limit=50).logs == []
    with pytest.raises(InvalidInput):
        desk.logs.read(CALLER, job.id, {"period": "whatever"}, limit=50)
