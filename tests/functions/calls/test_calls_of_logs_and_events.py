"""Logs and events as over HTTP."""

import httpx
import pytest

from tests.functions.stage import SCRIPT, Stage, some_id


def _job(client: httpx.Client) -> str:
    return str(client.post("/v1/jobs", json={"script": SCRIPT}).json()["jobId"])


def _messages(client: httpx.Client, job_id: str, **query: str) -> list[str]:
    answer = client.get(f"/v1/jobs/{job_id}/logs", params=query)
    assert answer.status_code == 200, answer.text
    return [entry["message"] for entry in answer.json()["logs"]]


def test_reads_what_was_logged_by_every_filter(client: httpx.Client) -> None:
    job_id = _job(client)
    lines = [("INFO", "opened the Cart"), ("ERROR", "the cart is empty"), ("INFO", "done")]
    for level, message in lines:
        body = {"level": level, "message": message, "additionalInfo": {"n": 1}}
        made = client.post(f"/v1/jobs/{job_id}/logs", json=body)
        assert (made.status_code, made.json()["log"]["message"]) == (201, message)
        assert made.json()["log"]["additionalInfo"] == {"n": 1}

    assert _messages(client, job_id) == [message for _, message in lines]
    assert _messages(client, job_id, level="error") == ["the cart is empty"]
    assert _messages(client, job_id, message="CART") == ["opened the Cart", "the cart is empty"]
    assert _messages(client, job_id, message="cart", level="INFO", period="10m") == ["opened the Cart"]
    assert len(_messages(client, job_id, period="today")) + len(_messages(client, job_id, period="yesterday")) == 3
    assert _messages(client, job_id, to="0", period="10m") == []
    assert len(_messages(client, job_id, **{"from": "0"})) == 3


def test_pages_of_a_log_follow_each_other(client: httpx.Client) -> None:
    job_id = _job(client)
    for number in range(5):
        client.post(f"/v1/jobs/{job_id}/logs", json={"message": str(number)})

    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        query = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = client.get(f"/v1/jobs/{job_id}/logs", params=query).json()
        found += [entry["message"] for entry in page["logs"]]
        cursor = page["cursor"]

    assert found == ["0", "1", "2", "3", "4"]


def test_an_error_marks_the_job_and_a_mere_line_does_not(client: httpx.Client) -> None:
    job_id = _job(client)

    client.post(f"/v1/jobs/{job_id}/logs", json={"message": "fine"})
    before = client.get(f"/v1/jobs/{job_id}").json()["job"]["hasErrors"]
    for _ in range(2):
        client.post(f"/v1/jobs/{job_id}/logs", json={"message": "broken", "level": "ERROR"})

    assert (before, client.get(f"/v1/jobs/{job_id}").json()["job"]["hasErrors"]) == (False, True)


def test_jobs_that_have_ended_take_lines_and_deleted_ones_do_not(client: httpx.Client) -> None:
    job_id = client.post("/v1/jobs", json={"instructions": "Press."}).json()["jobId"]

    assert client.post(f"/v1/jobs/{job_id}/logs", json={"message": "late"}).status_code == 201
    assert _messages(client, job_id) == ["late"]
    client.delete(f"/v1/jobs/{job_id}")
    for unknown in (job_id, some_id()):
        assert client.post(f"/v1/jobs/{unknown}/logs", json={"message": "late"}).status_code == 404
        assert client.get(f"/v1/jobs/{unknown}/logs").status_code == 404


def test_lines_are_told_to_those_who_listen_and_resume_by_their_ids(client: httpx.Client) -> None:
    job_id = _job(client)
    for message in ("one", "zwölf ✓"):
        client.post(f"/v1/jobs/{job_id}/logs", json={"message": message}).raise_for_status()

    whole = client.get(f"/v1/jobs/{job_id}/events").text
    rest = client.get(f"/v1/jobs/{job_id}/events", headers={"Last-Event-ID": "1.0"}).text

    lines = [line for line in whole.splitlines() if line.startswith(("id:", "event:"))]
    assert lines == ["id: 1.0", "event: log", "id: 2.0", "event: log", "id: 2.1", "event: status"]
    assert 'data: {"level": "INFO", "message": "zwölf ✓", "testId": null}' in whole
    assert rest == whole.replace(whole[whole.index("id: 1.0") : whole.index("id: 2.0")], "")


def test_a_line_after_the_end_is_told_to_nobody(client: httpx.Client) -> None:
    job_id = client.post("/v1/jobs", json={"instructions": "Press."}).json()["jobId"]
    end = client.get(f"/v1/jobs/{job_id}/events").text

    client.post(f"/v1/jobs/{job_id}/logs", json={"message": "late"}).raise_for_status()

    assert client.get(f"/v1/jobs/{job_id}/events").text == end
    assert client.get(f"/v1/jobs/{job_id}/events", headers={"Last-Event-ID": "0.2"}).status_code == 204


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"message": ""}, 400), ({"message": " \n"}, 400), ({"message": "x" * 10_001}, 400), ({}, 400),
        ({"message": "x", "level": "WARN"}, 400), ({"message": "x", "additionalInfo": []}, 400),
        ({"message": "x", "additionalInfo": {"a": "x" * 11_000}}, 413),
    ],
)  # fmt: skip
def test_refuses_a_line_that_says_nothing_or_too_much(client: httpx.Client, body: object, status: int) -> None:
    assert client.post(f"/v1/jobs/{_job(client)}/logs", json=body).status_code == status


@pytest.mark.parametrize(
    ("query", "field"),
    [("level=WARN", "level"), ("message=", "message"), ("period=soon", "period"), ("from=x", "from"),
     ("from=9&to=8", "from"), ("cursor=nonsense", "cursor"), ("sortBy=level", "sortBy")],
)  # fmt: skip
def test_a_question_about_a_log_that_is_wrong_is_refused_by_name(client: httpx.Client, query: str, field: str) -> None:
    answer = client.get(f"/v1/jobs/{_job(client)}/logs?{query}")

    assert (answer.status_code, answer.json()["field"]) == (400, field)


def test_a_ticket_opens_the_events_to_a_page_of_any_origin(stage: Stage, client: httpx.Client) -> None:
    job_id = client.post("/v1/jobs", json={"instructions": "Press."}).json()["jobId"]
    ticket = client.post(f"/v1/jobs/{job_id}/ticket").json()

    with stage.browser() as browser:
        first = browser.get(ticket["eventsUrl"], headers={"Origin": "https://dashboard.example"})
        last = browser.get(ticket["eventsUrl"], headers={"Last-Event-ID": "0.2"})
        unknown = browser.get("/r/nonsense/events")
        report = browser.get(ticket["reportUrl"])

    by_key = client.get(f"/v1/jobs/{job_id}/events")
    assert (first.status_code, first.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    assert '"status": "failed"' in first.text
    assert first.text == by_key.text
    assert (last.status_code, unknown.status_code, report.status_code) == (204, 401, 404)
    for answer in (first, last, unknown):
        assert answer.headers["access-control-allow-origin"] == "*"
    for answer in (by_key, report):
        assert "access-control-allow-origin" not in answer.headers


def test_events_by_key_need_one(stage: Stage, client: httpx.Client) -> None:
    job_id = _job(client)

    with stage.client(None) as stranger:
        assert stranger.get(f"/v1/jobs/{job_id}/events").status_code == 401
    assert client.get(f"/v1/jobs/{some_id()}/events").status_code == 404
    assert client.get("/v1/jobs/no-id/events").status_code == 400
    assert client.get(f"/v1/jobs/{job_id}/events", headers={"Last-Event-ID": "x"}).json()["field"] == "Last-Event-ID"
