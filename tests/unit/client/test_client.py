"""The client against a fake of the API."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from tests.unit.client.fake_api import JOB_ID, KEY, FakeApi, job_record, manifest, problem, sse
from wainwright.client import (
    ApiError,
    Client,
    CollectedUpdate,
    InvalidEndpoint,
    LogUpdate,
    ProgressUpdate,
    RetryRules,
    StatusUpdate,
    TestUpdate,
    UnexpectedAnswer,
    Unreachable,
    WaitTimeout,
)
from wainwright.client.calls import Calls
from wainwright.client.endpoint import endpoint_of
from wainwright.client.retries import seconds_of
from wainwright.client.steps import Send
from wainwright.contracts.http import CreateJob
from wainwright.domain.states import JobStatus

Connect = Callable[..., Client]


@pytest.fixture
def api() -> FakeApi:
    return FakeApi()


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def connect(api: FakeApi, pauses: list[float]) -> Connect:
    def make(key: str = KEY, endpoint: str = api.url) -> Client:
        rules = RetryRules(chance=lambda: 0.0)
        return Client(endpoint, key, transport=httpx.MockTransport(api.handle), retries=rules, sleep=pauses.append)

    return make


@pytest.fixture
def client(connect: Connect) -> Client:
    return connect()


def new_job() -> CreateJob:
    return CreateJob(bundle_id="0" * 64)


# Requests and answers


def test_tells_who_asks_and_reads_answers_of_a_newer_version(client: Client) -> None:
    assert client.health().project == "default"


def test_creates_a_job_with_camel_case_and_without_what_was_not_given(client: Client, api: FakeApi) -> None:
    created = client.create_job(CreateJob(bundle_id="0" * 64, low_priority=True))
    assert created.job_id == JOB_ID
    body = json.loads(api.asked[0].content)
    assert body["lowPriority"] is True
    assert "script" not in body


def test_lists_with_only_the_filters_that_were_given(client: Client, api: FakeApi) -> None:
    api.pages = [{"jobs": [job_record().model_dump(mode="json", by_alias=True)], "cursor": "more"}]
    page = client.list_jobs(status=JobStatus.FAILED, limit=7)
    assert (page.cursor, page.jobs[0].id) == ("more", JOB_ID)
    assert dict(api.asked[0].url.params) == {"status": "failed", "limit": "7"}


def test_accepts_an_endpoint_with_the_version_at_its_end(connect: Connect, api: FakeApi) -> None:
    connect(endpoint=f"{api.url}/v1/").health()
    assert api.asked[0].url.path == "/v1/health"


@pytest.mark.parametrize(
    "endpoint", ["http://shop.example", "ftp://127.0.0.1", "127.0.0.1:8787", "", "https://user:secret@shop.example"]
)
def test_refuses_an_endpoint_that_a_key_must_not_go_to(endpoint: str) -> None:
    with pytest.raises(InvalidEndpoint):
        Client(endpoint, KEY)


@pytest.mark.parametrize(
    "endpoint", ["http://localhost:8787", "http://[::1]:8787", "http://127.0.0.2", "https://a.example"]
)
def test_accepts_clear_text_only_to_this_machine(endpoint: str) -> None:
    with Client(endpoint, KEY) as client:
        assert client.endpoint == endpoint


def test_keeps_the_key_out_of_its_representation(client: Client) -> None:
    assert KEY not in repr(client.calls)


def test_raises_the_problem_that_the_api_tells(connect: Connect) -> None:
    with pytest.raises(ApiError) as raised:
        connect(key="ww_wrong").get_job(JOB_ID)
    error = raised.value
    assert (error.status, error.job_id, error.message, error.advice) == (
        401,
        JOB_ID,
        "the API key is unknown",
        "Create one.",
    )
    assert error.problem.type == "/problems/unauthenticated"


def test_puts_a_foreign_error_page_into_words(client: Client, api: FakeApi) -> None:
    api.planned = [httpx.Response(418, text="<html>\n no   tea </html>")]
    with pytest.raises(ApiError, match=r"127.0.0.1 answered 418 I'm a Teapot: <html> no tea </html>"):
        client.health()


def test_refuses_an_answer_that_is_not_wainwrights(client: Client, api: FakeApi) -> None:
    api.planned = [httpx.Response(200, text="welcome")]
    with pytest.raises(UnexpectedAnswer):
        client.health()


# Repetition


def test_sends_a_creation_again_with_the_same_idempotency_key(
    client: Client, api: FakeApi, pauses: list[float]
) -> None:
    api.planned = [httpx.ConnectError("refused"), problem(503, "unavailable", "try again"), httpx.ReadTimeout("slow")]
    client.create_job(new_job())
    assert len({request.headers["Idempotency-Key"] for request in api.asked}) == 1
    assert len(api.asked) == 4
    assert pauses == [0.25, 0.5, 1.0]


def test_gives_every_creation_a_key_of_its_own(client: Client, api: FakeApi) -> None:
    client.create_job(new_job())
    client.create_job(new_job())
    assert len({request.headers["Idempotency-Key"] for request in api.asked}) == 2


def test_waits_as_long_as_the_api_asks(client: Client, api: FakeApi, pauses: list[float]) -> None:
    api.planned = [problem(429, "capacity", "full", retry_after=7)]
    client.create_job(new_job())
    assert pauses == [7.0]


def test_does_not_wait_when_the_api_asks_for_too_long(client: Client, api: FakeApi, pauses: list[float]) -> None:
    api.planned = [problem(429, "capacity", "full", retry_after=3_600)]
    with pytest.raises(ApiError) as raised:
        client.create_job(new_job())
    assert (raised.value.status, pauses) == (429, [])


@pytest.mark.parametrize("status", [400, 404, 409, 501])
def test_does_not_repeat_what_another_try_cannot_mend(client: Client, api: FakeApi, status: int) -> None:
    api.planned = [problem(status, "x", "no")]
    with pytest.raises(ApiError):
        client.health()
    assert len(api.asked) == 1


def test_gives_up_after_its_tries(client: Client, api: FakeApi) -> None:
    api.planned = [httpx.ConnectError("connection refused")] * 5
    with pytest.raises(Unreachable, match=r"http://127\.0\.0\.1:1 cannot be reached: connection refused"):
        client.health()
    assert not api.planned


def test_says_that_no_answer_came_in_time(client: Client, api: FakeApi) -> None:
    api.planned = [httpx.ReadTimeout("")] * 5
    with pytest.raises(Unreachable, match="did not answer within 30 s") as raised:
        client.health()
    assert raised.value.timed_out


def test_pauses_longer_each_time_up_to_a_bound_and_less_by_chance() -> None:
    rules = RetryRules(tries=10, chance=lambda: 0.0)
    assert [rules.pause(attempt) for attempt in (1, 2, 3, 9, 10)] == [0.25, 0.5, 1.0, 8.0, None]
    assert RetryRules(chance=lambda: 1.0).pause(1) == 0.125


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("0", 0.0), ("12", 12.0), ("-3", 0.0), ("Sun, 22 Nov 2026 03:00:30 GMT", 30.0), ("soon", None), ("", None)],
)
def test_reads_retry_after(header: str, seconds: float | None) -> None:
    assert seconds_of(header, datetime(2026, 11, 22, 3, 0, 0, tzinfo=UTC)) == seconds


# Waiting and canceling


def test_waits_for_a_job_by_long_polls(client: Client, api: FakeApi) -> None:
    api.planned = [httpx.Response(200, json={"job": job_record().model_dump(mode="json", by_alias=True)})]
    assert client.wait_for(JOB_ID).status is JobStatus.COMPLETED
    assert [request.url.params["wait"] for request in api.asked] == ["20", "20"]
    assert api.asked[0].url.params["status"] == "canceled,completed,failed,skipped,stopped"


def test_stops_waiting_when_time_is_up(client: Client, api: FakeApi) -> None:
    api.stays_pending = True
    with pytest.raises(WaitTimeout, match=f"job {JOB_ID} has not ended within 0 s"):
        client.wait_for(JOB_ID, wait_timeout=0)


def test_cancels_a_job(client: Client, api: FakeApi) -> None:
    api.stays_pending = True
    assert client.cancel_job(JOB_ID).status is JobStatus.CANCELED


def test_canceling_twice_is_no_error(client: Client, api: FakeApi) -> None:
    api.stays_pending = True
    client.cancel_job(JOB_ID)
    assert client.cancel_job(JOB_ID).status is JobStatus.CANCELED


def test_canceling_a_completed_job_is_one(client: Client) -> None:
    with pytest.raises(ApiError, match="the job is completed and can no longer be canceled"):
        client.cancel_job(JOB_ID)


# Bundles


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    directory = tmp_path / "suite"
    directory.mkdir()
    (directory / "test_it.py").write_text("def test_it(): pass\n")
    return directory


def test_uploads_a_bundle_with_the_headers_it_was_told_and_without_the_key(
    client: Client, api: FakeApi, suite: Path
) -> None:
    bundle_id = client.upload_bundle(suite)
    assert api.bundles[bundle_id][:2] == b"\x1f\x8b"
    put = api.asked[-1]
    assert "Authorization" not in put.headers
    assert put.headers["Content-Length"] == str(len(put.content))
    assert "Transfer-Encoding" not in put.headers


def test_uploads_the_same_bundle_once(client: Client, api: FakeApi, suite: Path) -> None:
    assert client.upload_bundle(suite) == client.upload_bundle(suite)
    assert [request.method for request in api.asked] == ["POST", "PUT", "POST"]


def test_sends_an_upload_whole_again(client: Client, api: FakeApi, suite: Path) -> None:
    refuse_once = [httpx.Response(503)]

    def handle(request: httpx.Request) -> httpx.Response:
        if request.method == "PUT" and refuse_once:
            request.read()
            return refuse_once.pop()
        return api.handle(request)

    with Client(api.url, KEY, transport=httpx.MockTransport(handle), sleep=lambda _: None) as client:
        bundle_id = client.upload_bundle(suite)
    assert api.bundles[bundle_id]


def test_tells_what_the_object_store_said_against_an_upload(client: Client, api: FakeApi, suite: Path) -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(403, text="<Error>Expired</Error>") if request.method == "PUT" else api.handle(request)

    with (
        Client(api.url, KEY, transport=httpx.MockTransport(handle)) as client,
        pytest.raises(ApiError, match="answered 403 Forbidden: <Error>Expired</Error>"),
    ):
        client.upload_bundle(suite)


# Events


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
    now = [100.0]
    flow = Calls(endpoint_of("http://127.0.0.1:1"), KEY, clock=lambda: now[0]).events(JOB_ID, wait_timeout=3.0)
    step = next(flow)
    assert isinstance(step, Send)
    assert step.request.timeout == 3.0
    now[0] = 103.0
    with pytest.raises(WaitTimeout):
        flow.throw(Unreachable("no answer", timed_out=True))


def test_refuses_events_that_are_none(client: Client, api: FakeApi) -> None:
    api.planned = [httpx.Response(200, text="hello")]
    with pytest.raises(UnexpectedAnswer, match="something else than events"):
        list(client.events(JOB_ID))
    api.planned = [sse("event: test\ndata: {}\n\n")]
    with pytest.raises(UnexpectedAnswer, match="a test event is not readable: id: Field required"):
        list(client.events(JOB_ID))


# Reports


def test_writes_a_file_of_the_report(client: Client, api: FakeApi, tmp_path: Path) -> None:
    api.report = {"data/1-2-a b.png": b"\x00" * 100_000}
    written = client.report_file(JOB_ID, "data/1-2-a b.png", tmp_path / "new" / "a.png")
    assert written.read_bytes() == b"\x00" * 100_000
    assert [file.name for file in written.parent.iterdir()] == ["a.png"]


def test_leaves_nothing_behind_when_the_report_has_no_such_file(client: Client, tmp_path: Path) -> None:
    with pytest.raises(ApiError, match="the report has no file x"):
        client.report_file(JOB_ID, "x", tmp_path / "x")
    assert not list(tmp_path.iterdir())


def test_follows_to_another_origin_without_the_key(api: FakeApi, tmp_path: Path) -> None:
    api.report = {"trace.zip": b"zip"}
    api.elsewhere = "https://bucket.example/signed"
    asked = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, content=b"zip") if request.url.host == "bucket.example" else api.handle(request)

    with Client(api.url, KEY, transport=httpx.MockTransport(handle)) as client:
        assert client.report_file(JOB_ID, "trace.zip", tmp_path / "t").read_bytes() == b"zip"
    assert [("Authorization" in request.headers, request.url.host) for request in asked] == [
        (True, "127.0.0.1"),
        (False, "bucket.example"),
    ]


def test_another_port_is_another_origin(api: FakeApi, tmp_path: Path) -> None:
    api.report = {"a": b"1"}
    api.elsewhere = "http://127.0.0.1:2"
    with Client(api.url, KEY, transport=httpx.MockTransport(api.handle)) as client, pytest.raises(ApiError):
        client.report_file(JOB_ID, "a", tmp_path / "a")
    assert "Authorization" not in api.asked[-1].headers


def test_does_not_follow_in_circles(client: Client, api: FakeApi, tmp_path: Path) -> None:
    api.planned = [httpx.Response(302, headers={"Location": "/v1/health"})] * 3
    with pytest.raises(UnexpectedAnswer, match="circle"):
        client.report_file(JOB_ID, "a", tmp_path / "a")


def test_lists_the_files_of_a_report(client: Client, api: FakeApi) -> None:
    api.report = {"manifest.json": manifest({"index.html": b"<html>", "data/x.zip": b""})}
    assert [(file.path, file.size) for file in client.manifest(JOB_ID).files] == [("index.html", 6), ("data/x.zip", 0)]


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../x", "c:/x", "a\\b", "", "a\0b"])
def test_refuses_a_manifest_that_names_files_outside_the_report(client: Client, api: FakeApi, path: str) -> None:
    api.report = {"manifest.json": manifest({path: b""})}
    with pytest.raises(UnexpectedAnswer, match="outside itself"):
        client.manifest(JOB_ID)


def test_gives_a_ticket_for_a_browser(client: Client, api: FakeApi) -> None:
    assert client.ticket(JOB_ID).report_url == f"{api.url}/r/t/index.html"
