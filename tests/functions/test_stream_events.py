"""``GET /v1/jobs/{jobId}/events``."""

import dataclasses
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import EndpointConnectionError

from functions.stream_events import handler as function
from tests.functions.conftest import Cloud
from tests.support.builders import PROJECT, a_job, completed, job_id
from tests.support.events import CONTEXT, Answer, http_event
from wainwright.adapters.clock import system_clock
from wainwright.contracts.events import EventKind
from wainwright.contracts.problems import UNAVAILABLE_RETRY_SECONDS
from wainwright.domain.jobs import Job
from wainwright.ports.job_store import NewEvent
from wainwright.usecases.stream_events import StreamEvents

TIMEOUT = 29.0
"""Seconds that the function may take."""


@pytest.fixture
def job(cloud: Cloud) -> Job:
    job = cloud.jobs.write(None, a_job())
    job = cloud.jobs.write(job, job.admit(job.created_at))
    job = cloud.jobs.write(job, job.claim("w1", job.created_at))
    cloud.jobs.record(job, events=[NewEvent(EventKind.LOG, job.created_at, {"message": "Zoë"})])
    return job


def ask(cloud: Cloud, id: str, **request: Any) -> Answer:
    if "key" not in request:
        request["key"] = cloud.key()
    event = http_event("GET", f"/v1/jobs/{id}/events", parameters={"jobId": id}, **request)
    return Answer.of(function.handler(event, CONTEXT))


def test_answers_with_server_sent_events(cloud: Cloud, job: Job) -> None:
    answer = ask(cloud, job.id)

    assert (answer.status, answer.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    assert answer.headers["cache-control"] == "no-store"
    lines = answer.content.decode().splitlines()
    assert lines[:5] == ["retry: 200", "", "id: 1.0", "event: log", 'data: {"message": "Zoë"}']
    assert "event: status" in lines


def test_goes_on_after_the_last_event(cloud: Cloud, job: Job) -> None:
    cloud.jobs.record(job, events=[NewEvent(EventKind.LOG, job.created_at, {"message": "two"})])

    text = ask(cloud, job.id, headers={"Last-Event-ID": "1.2"}).content.decode()

    assert "id: 2.2" in text
    assert "Zoë" not in text
    assert "status" not in text


def test_tells_the_end_and_then_that_there_is_no_more(cloud: Cloud, job: Job) -> None:
    cloud.jobs.write(job, job.finish(completed(), job.created_at))

    last = ask(cloud, job.id, headers={"Last-Event-ID": "1.2"})
    assert '"status": "completed"' in last.content.decode()
    over = ask(cloud, job.id, headers={"Last-Event-ID": "1.3"})
    assert (over.status, over.content) == (204, b"")


@pytest.fixture
def quick(cloud: Cloud) -> Iterator[list[float]]:
    stream = function.stream().stream
    pauses: list[float] = []
    real = stream.pause
    object.__setattr__(stream, "pause", pauses.append)
    yield pauses
    object.__setattr__(stream, "pause", real)


def test_a_quiet_segment_ends_and_asks_to_come_again(cloud: Cloud, job: Job, quick: list[float]) -> None:
    answer = ask(cloud, job.id, headers={"Last-Event-ID": "1.2"})

    assert (answer.status, answer.content) == (200, b"retry: 200\n\n: nothing new\n\n")
    assert sum(quick) == 20


@pytest.mark.parametrize("look", [0.0, 0.1, 0.25, 1.0, 3.0, 7.5])
def test_a_quiet_segment_ends_in_time_however_slow_each_look_is(
    cloud: Cloud, job: Job, monkeypatch: pytest.MonkeyPatch, look: float
) -> None:
    passed = [0.0]
    stored = function.stream().stream.jobs
    view = stored.view

    def slow_view(project: str, id: str) -> Any:
        passed[0] += look
        return view(project, id)

    def pause(seconds: float) -> None:
        passed[0] += seconds

    def milliseconds_left() -> int:
        return int(max(0.0, TIMEOUT - passed[0]) * 1_000)

    slow = SimpleNamespace(view=slow_view, events=stored.events)
    stream = dataclasses.replace(function.stream(), stream=StreamEvents(slow, system_clock, pause))
    monkeypatch.setattr(function, "stream", lambda: stream)
    event = http_event(
        "GET",
        f"/v1/jobs/{job.id}/events",
        parameters={"jobId": job.id},
        key=cloud.key(),
        headers={"Last-Event-ID": "1.2"},
    )

    answer = Answer.of(function.handler(event, SimpleNamespace(get_remaining_time_in_millis=milliseconds_left)))

    assert (answer.status, answer.content) == (200, b"retry: 200\n\n: nothing new\n\n")
    assert 20 <= passed[0] < TIMEOUT


@pytest.mark.parametrize(
    ("request_", "status", "kind"),
    [
        pytest.param({"key": None}, 401, "unauthenticated", id="no key"),
        pytest.param({"key": "ww_wrong"}, 401, "unauthenticated", id="a wrong key"),
        pytest.param({"headers": {"Last-Event-ID": "x"}}, 400, "invalid-input", id="an id that is none of ours"),
    ],
)
def test_refuses(cloud: Cloud, job: Job, request_: dict[str, Any], status: int, kind: str) -> None:
    ask(cloud, job.id, **request_).problem(status, kind)


def test_finds_no_job_of_another_project(cloud: Cloud, job: Job) -> None:
    ask(cloud, job.id, key=cloud.key(project="other")).problem(404, "not-found")
    ask(cloud, job_id(99)).problem(404, "not-found")
    ask(cloud, "nonsense").problem(400, "invalid-input")


def test_a_fault_of_ours_tells_nothing_of_the_inside(cloud: Cloud, job: Job, caplog: pytest.LogCaptureFixture) -> None:
    cloud.clients.dynamodb.delete_table(TableName="wainwright-test")

    answer = ask(cloud, job.id, key="ww_" + "y" * 43)

    answer.problem(500, "internal")
    assert "ResourceNotFound" not in answer.content.decode()
    assert any(record.exc_info for record in caplog.records)


def test_asks_to_come_again_when_the_database_does_not_answer(
    cloud: Cloud, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = cloud.key()

    def fail(*_: Any) -> None:
        raise EndpointConnectionError(endpoint_url="https://dynamodb.example")

    monkeypatch.setattr(BaseClient, "_make_api_call", fail)

    answer = ask(cloud, job.id, key=key)

    answer.problem(503, "unavailable")
    assert answer.headers["retry-after"] == str(UNAVAILABLE_RETRY_SECONDS)


def test_answers_a_request_without_headers(cloud: Cloud, job: Job) -> None:
    event = http_event("GET", f"/v1/jobs/{job.id}/events", parameters={"jobId": job.id})
    event["headers"] = None

    assert Answer.of(function.handler(event, CONTEXT)).status == 401
    assert cloud.jobs.get(PROJECT, job.id) == job
