"""Server-sent events of readers who come back late."""

import pytest

from tests.unit.usecases.api.desk import CALLER, PROJECT, Desk
from wainwright.contracts.events import EventKind
from wainwright.domain.errors import NotFound
from wainwright.domain.jobs import Job
from wainwright.ports.job_store import NewEvent


def _record(desk: Desk, job: Job, count: int) -> None:
    events = [NewEvent(kind=EventKind.LOG, at=desk.clock(), data={"message": str(n)}) for n in range(count)]
    desk.jobs.record(job, events=events)


def _ids(segment: str | None) -> list[tuple[str, str]]:
    lines = (segment or "").splitlines()
    ids = [line.removeprefix("id: ") for line in lines if line.startswith("id: ")]
    kinds = [line.removeprefix("event: ") for line in lines if line.startswith("event: ")]
    return list(zip(ids, kinds, strict=True))


def _expire(desk: Desk, job: Job, up_to: int) -> None:
    kept = [event for event in desk.jobs._events[PROJECT, job.id] if event.sequence > up_to]
    desk.jobs._events[PROJECT, job.id] = kept


def test_a_reader_goes_on_where_he_was(desk: Desk) -> None:
    job = desk.running()
    _record(desk, job, 3)
    status = job.status_sequence

    assert _ids(desk.stream(PROJECT, job.id, f"1.{status}")) == [(f"2.{status}", "log"), (f"3.{status}", "log")]


def test_who_missed_events_that_have_expired_is_told_where_the_job_stands(desk: Desk) -> None:
    job = desk.running()
    _record(desk, job, 5)
    _expire(desk, job, 3)
    status = job.status_sequence

    expected = [(f"3.{status}", "status"), (f"4.{status}", "log"), (f"5.{status}", "log")]
    assert _ids(desk.stream(PROJECT, job.id, f"1.{status}")) == expected
    assert _ids(desk.stream(PROJECT, job.id, None)) == expected


def test_who_missed_all_there_was_is_told_where_the_job_stands(desk: Desk) -> None:
    job = desk.running()
    _record(desk, job, 5)
    _expire(desk, job, 5)
    status = job.status_sequence

    assert _ids(desk.stream(PROJECT, job.id, f"2.{status}")) == [(f"5.{status}", "status")]


def test_an_id_that_the_job_never_gave_begins_anew(desk: Desk) -> None:
    job = desk.running()

    assert _ids(desk.stream(PROJECT, job.id, "99.99")) == [(f"0.{job.status_sequence}", "status")]


def test_after_the_terminal_event_there_is_nothing_any_more(desk: Desk) -> None:
    job = desk.ended()

    assert _ids(desk.stream(PROJECT, job.id, None)) == [(f"0.{job.status_sequence}", "status")]
    assert desk.stream(PROJECT, job.id, f"0.{job.status_sequence}") is None


def test_an_expired_job_has_no_events(desk: Desk) -> None:
    job = desk.ended()
    desk.jobs.write(job, job.model_copy(update={"expires_at": desk.clock()}))

    with pytest.raises(NotFound):
        desk.stream(PROJECT, job.id, None)


def test_a_reader_is_told_lines_from_outside_in_their_place(desk: Desk) -> None:
    job = desk.running()
    status = job.status_sequence
    _record(desk, job, 1)
    desk.logs.add(CALLER, job.id, "from outside")
    _record(desk, job, 1)

    told = desk.stream(PROJECT, job.id, f"1.{status}") or ""

    assert _ids(told) == [(f"2.{status}", "log"), (f"3.{status}", "log")]
    assert told.index('"from outside"') < told.index("id: 3.")
    assert _ids(desk.stream(PROJECT, job.id, f"2.{status}")) == [(f"3.{status}", "log")]


def test_the_terminal_event_stays_the_last_one_though_lines_are_added_later(desk: Desk) -> None:
    job = desk.ended()
    end = [(f"0.{job.status_sequence}", "status")]

    desk.logs.add(CALLER, job.id, "late")

    assert _ids(desk.stream(PROJECT, job.id, None)) == end
    assert desk.stream(PROJECT, job.id, end[0][0]) is None
