"""A job's events as short segments that resume each other."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.support.builders import PROJECT, SCRIPT, a_caller, completed, failed, job_id
from tests.support.system import System
from wainwright.contracts.events import EventKind
from wainwright.contracts.http.jobs import CreateJob
from wainwright.domain.errors import InvalidInput, NotFound
from wainwright.domain.jobs import Job
from wainwright.domain.retry import RetryPolicy
from wainwright.domain.tests import Tally
from wainwright.ports.job_store import NewEvent
from wainwright.usecases.stream_events import MAX_EVENTS, POLL_SECONDS, RETRY_MS, SEGMENT_SECONDS, StreamEvents

CALLER = a_caller()


@dataclass(frozen=True)
class Event:
    """One event as a browser's EventSource sees it."""

    id: str
    kind: str
    data: Any


@dataclass
class Reader:
    """An EventSource: asks again and again, from where it was."""

    stream: StreamEvents
    last_id: str | None = None
    pauses: list[float] = field(default_factory=list)

    def read(self, job: Job) -> list[Event] | None:
        """The next segment's events; None at the end."""
        text = self.stream(PROJECT, job.id, self.last_id)
        if text is None:
            return None
        head, *blocks = text.removesuffix("\n\n").split("\n\n")
        assert head == f"retry: {RETRY_MS}"
        events = [_parse(block) for block in blocks if not block.startswith(":")]
        if events:
            self.last_id = events[-1].id
        return events


def _parse(block: str) -> Event:
    lines = dict(line.split(": ", 1) for line in block.splitlines())
    assert list(lines) == ["id", "event", "data"]
    return Event(lines["id"], lines["event"], json.loads(lines["data"]))


@pytest.fixture
def reader(system: System) -> Reader:
    reader = Reader(StreamEvents(system.jobs, system.clock))
    reader.stream = StreamEvents(system.jobs, system.clock, pause=reader.pauses.append)
    return reader


def statuses(events: list[Event] | None) -> list[str]:
    return [event.data["status"] for event in events or [] if event.kind == "status"]


def log(system: System, *messages: str) -> list[NewEvent]:
    return [NewEvent(EventKind.LOG, system.clock(), {"message": message}) for message in messages]


def test_tells_a_new_reader_how_the_job_stands(system: System, reader: Reader) -> None:
    events = reader.read(system.submitted())

    assert events is not None
    assert [(event.id, event.kind, event.data["status"]) for event in events] == [("0.1", "status", "pending")]
    assert set(events[0].data) == {"status", "progress", "tests", "attempt", "failure", "report"}
    assert reader.pauses == []


def test_tells_stored_events_before_the_status_they_led_to(system: System, reader: Reader) -> None:
    claim = system.claimed()
    system.jobs.record(claim.job, events=log(system, "one", "zwölf\nlines"), tally=Tally(total=2, passed=1))

    events = reader.read(claim.job)

    assert events is not None
    assert [(event.id, event.kind) for event in events] == [("1.0", "log"), ("2.0", "log"), ("2.2", "status")]
    assert events[1].data == {"message": "zwölf\nlines"}
    assert events[2].data["progress"] == 50


def test_goes_on_after_the_last_event_and_tells_nothing_twice(system: System, reader: Reader) -> None:
    claim = system.claimed()
    system.jobs.record(claim.job, events=log(system, "one"))
    reader.read(claim.job)
    system.jobs.record(claim.job, events=log(system, "two"))

    events = reader.read(claim.job)

    assert events == [Event("2.2", "log", {"message": "two"})]


def test_waits_for_something_new_and_tells_it_as_soon_as_it_is_there(system: System) -> None:
    claim = system.claimed()
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            system.jobs.record(claim.job, events=log(system, "now"))

    reader = Reader(StreamEvents(system.jobs, system.clock))
    reader.read(claim.job)
    reader.stream = StreamEvents(system.jobs, system.clock, pause=pause)

    assert reader.read(claim.job) == [Event("1.2", "log", {"message": "now"})]
    assert pauses == [POLL_SECONDS] * 3


def test_a_quiet_segment_ends_well_within_the_gateways_time(system: System, reader: Reader) -> None:
    claim = system.claimed()
    reader.read(claim.job)
    before = reader.last_id

    assert reader.read(claim.job) == []

    assert sum(reader.pauses) <= SEGMENT_SECONDS < 25
    assert reader.last_id == before


@pytest.mark.parametrize("end", [completed, failed])
def test_the_terminal_event_is_always_told_and_nothing_after_it(
    system: System, reader: Reader, end: Callable[..., Any]
) -> None:
    claim = system.claimed()
    system.jobs.record(claim.job, events=log(system, "one"))
    system.claims.end(claim, end())
    system.finish(PROJECT, claim.job.id, 1)

    events = reader.read(claim.job)

    assert statuses(events) == [end().status]
    assert reader.read(claim.job) is None
    assert reader.read(claim.job) is None


def test_the_terminal_event_comes_after_all_stored_events_however_many(system: System, reader: Reader) -> None:
    claim = system.claimed()
    for _ in range(11):
        system.jobs.record(claim.job, events=log(system, *["x"] * 40))
    system.claims.end(claim, completed())
    system.finish(PROJECT, claim.job.id, 1)
    told: list[Event] = []
    while (events := reader.read(claim.job)) is not None:
        told += events

    assert len(told) == 441
    assert MAX_EVENTS < 440
    assert [event.kind for event in told[:-1]] == ["log"] * 440
    assert statuses(told) == ["completed"]


def test_the_terminal_event_is_told_though_the_stored_ones_have_expired(
    system: System, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = system.claimed()
    system.jobs.record(claim.job, events=log(system, "one", "two"))
    system.claims.end(claim, completed())
    system.finish(PROJECT, claim.job.id, 1)
    monkeypatch.setattr(system.jobs, "events", lambda *_: [])

    assert statuses(reader.read(claim.job)) == ["completed"]
    assert reader.read(claim.job) is None


def test_statuses_that_came_between_two_segments_are_told_as_the_last_of_them(system: System, reader: Reader) -> None:
    job = system.submitted(CreateJob(script=SCRIPT, retry=RetryPolicy(max_attempts=2, delay_ms=0)))
    assert statuses(reader.read(job)) == ["pending"]
    system.dispatch()
    system.claims.end(system.next_claim(), failed())
    system.finish(PROJECT, job.id, 1)

    again = reader.read(job)

    assert statuses(again) == ["pending"]
    assert again is not None
    assert again[0].data["attempt"] == 2


@pytest.mark.parametrize("last_id", ["x", "1", "1.x", "1.2.3", ".", "9" * 5_000 + ".1"])
def test_refuses_an_id_that_is_none_of_ours(system: System, reader: Reader, last_id: str) -> None:
    job = system.submitted()
    reader.last_id = last_id

    with pytest.raises(InvalidInput) as refused:
        reader.read(job)
    assert refused.value.field == "Last-Event-ID"


def test_an_id_from_the_future_still_hears_of_the_end(system: System, reader: Reader) -> None:
    claim = system.claimed()
    system.claims.end(claim, completed())
    system.finish(PROJECT, claim.job.id, 1)
    reader.last_id = "999.1"

    assert statuses(reader.read(claim.job)) == ["completed"]


def test_tells_of_a_job_that_is_not_there(system: System, reader: Reader) -> None:
    job = system.submitted(project="other")

    with pytest.raises(NotFound):
        reader.stream(PROJECT, job.id, None)
    with pytest.raises(NotFound):
        reader.stream(PROJECT, job_id(99), None)
    with pytest.raises(InvalidInput):
        reader.stream(PROJECT, "nonsense", None)
