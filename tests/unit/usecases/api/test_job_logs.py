"""Logs of jobs, where the store has its limits."""

import pytest

from tests.unit.usecases.api.desk import CALLER, PROJECT, Desk
from wainwright.contracts.events import MAX_EVENT_TEXT, MAX_JOB_EVENTS, EventKind
from wainwright.domain.errors import Conflict, NotFound, TooLarge, Unavailable
from wainwright.domain.jobs import Job
from wainwright.domain.logs import MAX_LOG_LINES, LogEntry
from wainwright.ports.job_store import NewEvent
from wainwright.ports.log_store import LogQuery


def _fill(desk: Desk, job: Job) -> None:
    line = LogEntry(timestamp=desk.clock(), level="INFO", message="x")
    while desk.log_store.append(PROJECT, job.id, [line] * 25):
        pass


def test_a_full_log_refuses_lines_and_says_so(desk: Desk) -> None:
    job = desk.submitted()
    _fill(desk, job)

    with pytest.raises(TooLarge) as refused:
        desk.logs.add(CALLER, job.id, "broken", level="ERROR")

    assert str(MAX_LOG_LINES) in refused.value.message
    marked = desk.jobs.get(PROJECT, job.id)
    assert marked is not None
    assert marked.has_errors


def test_an_error_is_noted_though_the_job_changes_meanwhile(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    job = desk.submitted()
    write, races = desk.jobs.write, [1, 2]

    def racing(before: Job, after: Job) -> Job:
        if races.pop() and races:
            write(before, before.set_label("changed since it was read", desk.clock()))
        return write(before, after)

    monkeypatch.setattr(desk.jobs, "write", racing)
    desk.logs.add(CALLER, job.id, "broken", level="ERROR")

    found = desk.jobs.get(PROJECT, job.id)
    assert found is not None
    assert (found.has_errors, found.label, races) == (True, "changed since it was read", [])


def test_gives_up_on_a_job_that_changes_all_the_time(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    job = desk.submitted()

    def changed(*_: object) -> Job:
        raise Conflict("changed")

    monkeypatch.setattr(desk.jobs, "write", changed)
    with pytest.raises(Unavailable):
        desk.logs.add(CALLER, job.id, "broken", level="ERROR")


def test_an_expired_job_has_no_log(desk: Desk) -> None:
    job = desk.ended()
    desk.jobs.write(job, job.model_copy(update={"expires_at": desk.clock()}))

    with pytest.raises(NotFound):
        desk.logs.read(CALLER, job.id, LogQuery())
    with pytest.raises(NotFound):
        desk.logs.add(CALLER, job.id, "broken", level="ERROR")


def _told(desk: Desk, job: Job) -> list[tuple[int, object]]:
    return [(event.sequence, event.data["message"]) for event in desk.jobs.events(PROJECT, job.id, 0, MAX_JOB_EVENTS)]


def test_a_line_becomes_an_event_of_the_same_shape_as_a_workers(desk: Desk) -> None:
    job = desk.submitted()

    entry = desk.logs.add(CALLER, job.id, "x" * 2_500, level="ERROR", additional_info={"a": 1})

    (event,) = desk.jobs.events(PROJECT, job.id, 0, 10)
    assert (event.sequence, event.kind, event.at) == (1, EventKind.LOG, entry.timestamp)
    assert event.data == {"level": "ERROR", "message": "x" * MAX_EVENT_TEXT, "testId": None}


def test_lines_and_the_workers_events_follow_each_other(desk: Desk) -> None:
    job = desk.running()
    worker = [NewEvent(kind=EventKind.LOG, at=desk.clock(), data={"message": "of the worker"})]

    desk.logs.add(CALLER, job.id, "first")
    desk.jobs.record(job, events=worker)
    desk.logs.add(CALLER, job.id, "last")

    assert _told(desk, job) == [(1, "first"), (2, "of the worker"), (3, "last")]


def test_a_line_to_a_job_that_has_ended_is_in_the_log_alone(desk: Desk) -> None:
    job = desk.ended()

    desk.logs.add(CALLER, job.id, "late")

    assert [line.message for line in desk.logs.read(CALLER, job.id, LogQuery()).logs] == ["late"]
    assert _told(desk, job) == []


def test_a_line_to_a_job_that_ends_meanwhile_is_in_the_log_alone(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    job = desk.submitted()
    append = desk.log_store.append

    def ends_meanwhile(*given: object) -> int:
        desk.jobs.write(job, job.cancel(desk.clock()))
        return append(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(desk.log_store, "append", ends_meanwhile)
    desk.logs.add(CALLER, job.id, "late")

    assert [line.message for line in desk.logs.read(CALLER, job.id, LogQuery()).logs] == ["late"]
    assert _told(desk, job) == []


def test_a_line_that_the_log_refuses_is_no_event(desk: Desk) -> None:
    job = desk.submitted()
    _fill(desk, job)

    with pytest.raises(TooLarge):
        desk.logs.add(CALLER, job.id, "too much")

    assert _told(desk, job) == []


def test_a_job_of_very_many_events_keeps_further_lines_in_its_log_alone(desk: Desk) -> None:
    job = desk.running()
    desk.jobs.record(job, events=[NewEvent(EventKind.LOG, desk.clock(), {"message": "x"})] * (MAX_JOB_EVENTS - 1))

    for message in ("the last event", "a mere line"):
        desk.logs.add(CALLER, job.id, message)

    assert _told(desk, job)[-1] == (MAX_JOB_EVENTS, "the last event")
    lines = desk.logs.read(CALLER, job.id, LogQuery()).logs
    assert [line.message for line in lines] == ["the last event", "a mere line"]
