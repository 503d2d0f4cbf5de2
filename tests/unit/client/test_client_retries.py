"""Repetition of requests by the client, and its pauses."""

from datetime import UTC, datetime

import httpx
import pytest

from tests.unit.client.fake_api import FakeApi, problem
from wainwright.client import ApiError, Client, RetryRules, Unreachable
from wainwright.client.retries import seconds_of
from wainwright.contracts.http.jobs import CreateJob


def new_job() -> CreateJob:
    return CreateJob(bundle_id="0" * 64)


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
