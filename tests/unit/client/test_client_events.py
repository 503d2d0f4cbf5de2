"""Following a job's events with the client."""

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.client.fake_api import JOB_ID, KEY, Connect, FakeApi, problem, sse
from wainwright.client import (
    ApiError,
    Client,
    CollectedUpdate,
    JobStatus,
    LogUpdate,
    ProgressUpdate,
    StatusUpdate,
    TestUpdate,
    UnexpectedAnswer,
    Unreachable,
    Update,
    WaitTimeout,
)


def test_tells_updates_of_all_kinds_over_several_segments(client: Client, api: FakeApi) -> None:
    test = {
        "id": "t::a", "title": "a", "file": "t.py", "line": 3, "outcome": "failed", "durationMs": 12.5, "attempt": 1,
        "errors": [{"message": "boom", "file": "t.py", "line": 4}],
        "attachments": [{"name": "x", "href": "data/x"}],
    }  # fmt: skip
    api.segments = [
        [("status", {"status": "running", "progress": 0, "tests": {"total": 0}, "attempt": 1, "failure": None})],
        [("collected", {"total": 1}), ("log", {"level": "INFO", "message": "hi", "testId": None}), ("later", {"x": 1})],
        [("test", test), ("progress", {"percent": 40, "message": "half"})],
        [("status", {"status": "failed", "progress": 100, "failure": {"category": "assertion", "message": "boom"}})],
    ]
    updates = list(client.events(JOB_ID))
    assert [type(update) for update in updates] == [
        StatusUpdate, CollectedUpdate, LogUpdate, TestUpdate, ProgressUpdate, StatusUpdate
    ]  # fmt: skip
    told = updates[3]
    assert isinstance(told, TestUpdate)
    assert (told.errors[0].line, told.attachments[0].href, told.duration_ms) == (4, "data/x", 12.5)


def test_goes_on_after_the_end_of_an_event_loop_in_which_it_began(client: Client, api: FakeApi) -> None:
    api.segments = [[("collected", {"total": 2}), ("collected", {"total": 3})]]

    async def begin() -> Iterator[Update]:
        updates = iter(client.events(JOB_ID))
        next(updates)
        return updates

    with ThreadPoolExecutor() as threads:  # Playwright's fixtures may have left a loop running in this one
        updates = threads.submit(asyncio.run, begin()).result()
    assert list(updates) == [CollectedUpdate(total=3)]


def test_goes_on_where_the_last_segment_ended(client: Client, api: FakeApi) -> None:
    api.segments = [[("collected", {"total": 2}), ("collected", {"total": 3})], [("collected", {"total": 4})]]
    list(client.events(JOB_ID))
    assert [request.headers.get("Last-Event-ID") for request in api.asked] == [None, "2", "3"]


def test_connects_again_when_the_stream_breaks(client: Client, api: FakeApi) -> None:
    api.segments = [[("collected", {"total": 2})]]
    api.planned = [httpx.RemoteProtocolError("peer closed"), sse("")]
    assert [type(update) for update in client.events(JOB_ID)] == [CollectedUpdate]


def test_pauses_between_segments_as_told_but_not_after_the_last_status(
    client: Client, api: FakeApi, pauses: list[float]
) -> None:
    api.planned = [httpx.Response(200, headers={"Content-Type": "text/event-stream"}, text="retry: 1500\n\n: none\n\n")]
    api.segments = [[("status", {"status": "completed"})]]
    list(client.events(JOB_ID))
    assert pauses == [1.5]


def test_stops_watching_when_time_is_up(client: Client, api: FakeApi) -> None:
    api.stays_pending = True
    with pytest.raises(WaitTimeout):
        list(client.events(JOB_ID, wait_timeout=0.05))


def test_a_segment_that_outlasts_the_waiting_time_is_not_asked_for_again() -> None:
    timeouts: list[float] = []

    def outlast(request: httpx.Request) -> httpx.Response:
        timeouts.append(request.extensions["timeout"]["read"])
        time.sleep(timeouts[-1])
        raise httpx.ReadTimeout("slow")

    with (
        Client("http://127.0.0.1:1", KEY, transport=httpx.MockTransport(outlast)) as client,
        pytest.raises(WaitTimeout),
    ):
        list(client.events(JOB_ID, wait_timeout=0.05))
    assert len(timeouts) == 1
    assert 0 < timeouts[0] <= 0.05


OUTAGES = [
    httpx.RemoteProtocolError("peer closed"), httpx.ReadTimeout("slow"), httpx.ReadError("reset"),
    *(httpx.Response(status, json={"message": "Internal Server Error"}) for status in (500, 502, 503, 504)),
    problem(429, "capacity", "full"),
]  # fmt: skip
outages = st.lists(st.sampled_from(OUTAGES), max_size=9)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 2), outages), max_size=4), st.booleans())
def test_follows_a_job_to_its_end_through_any_outages(faults: list[tuple[int, list[Any]]], lost: bool) -> None:
    """``faults``: outages after so many good answers, never 40 in a row; ``lost``: from then on there is no stream at all."""
    api = FakeApi(segments=[[("collected", {"total": number})] for number in range(1, 5)])
    left: list[list[Any]] = [[good, list(bad)] for good, bad in faults]

    def handle(request: httpx.Request) -> httpx.Response:
        if left and left[0][0] == 0:
            if left[0][1]:
                return answer(left[0][1].pop())
            left.pop(0)
        elif left:
            left[0][0] -= 1
        if lost and not left and request.url.path.endswith("/events"):
            api.segments = api.segments[1:]  # the job goes on
            return httpx.Response(500)
        return api.handle(request)

    def answer(planned: Any) -> httpx.Response:
        if isinstance(planned, Exception):
            raise planned
        return httpx.Response(planned.status_code, content=planned.content, headers=planned.headers)

    with Client("http://127.0.0.1:1", KEY, transport=httpx.MockTransport(handle), sleep=lambda _: None) as client:
        updates = list(client.events(JOB_ID))
        outcome = client.wait_for(JOB_ID)

    assert outcome.status is JobStatus.COMPLETED
    told = [update.total for update in updates if isinstance(update, CollectedUpdate)]
    assert told == sorted(set(told))
    if not lost:
        assert told == [1, 2, 3, 4]


def test_tells_the_status_while_there_is_no_stream(client: Client, api: FakeApi) -> None:
    api.segments = [[("collected", {"total": 1})]]
    api.planned = [problem(500, "internal", "no")] * 5

    updates = list(client.events(JOB_ID))

    assert [type(update) for update in updates] == [StatusUpdate, CollectedUpdate]
    looked = api.asked[5]
    assert (looked.url.path, looked.url.params["wait"]) == (f"/v1/jobs/{JOB_ID}", "5")


def test_a_system_on_this_machine_that_has_ended_is_not_waited_for(client: Client, api: FakeApi) -> None:
    api.planned = [httpx.ConnectError("connection refused")] * 30
    with pytest.raises(Unreachable):
        list(client.events(JOB_ID))
    assert len(api.asked) == 10


def test_another_system_that_cannot_be_reached_is_asked_for_minutes(
    connect: Connect, api: FakeApi, pauses: list[float]
) -> None:
    api.planned = [httpx.ConnectError("no route to host")] * 100
    with connect(endpoint="https://wainwright.example") as client, pytest.raises(Unreachable):
        client.wait_for(JOB_ID)
    assert 180 < sum(pauses) < 360


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refusal_ends_the_wait_at_once(client: Client, api: FakeApi, status: int) -> None:
    for follow in (lambda: list(client.events(JOB_ID)), lambda: client.wait_for(JOB_ID)):
        api.planned = [problem(status, "x", "no")]
        with pytest.raises(ApiError):
            follow()
    assert len(api.asked) == 2


def test_refuses_events_that_are_none(client: Client, api: FakeApi) -> None:
    api.planned = [httpx.Response(200, text="hello")]
    with pytest.raises(UnexpectedAnswer, match="did not send events"):
        list(client.events(JOB_ID))
    api.planned = [sse("event: test\ndata: {}\n\n")]
    with pytest.raises(UnexpectedAnswer, match="a test event is not readable: id: Field required"):
        list(client.events(JOB_ID))
