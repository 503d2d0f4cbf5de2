"""The client against a fake of the API: requests, answers and waiting."""

import json

import httpx
import pytest

from tests.unit.client.fake_api import JOB_ID, KEY, Connect, FakeApi, job_record
from wainwright.client import ApiError, Client, InvalidEndpoint, UnexpectedAnswer, WaitTimeout
from wainwright.contracts.http.jobs import CreateJob
from wainwright.domain.states import JobStatus


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
