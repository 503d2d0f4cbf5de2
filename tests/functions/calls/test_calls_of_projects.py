"""Analytics, queue, limits, keys and secrets as over HTTP."""

import httpx
import pytest

from tests.functions.stage import API_URL, SCRIPT, Stage, some_id
from wainwright.contracts.scopes import Scope


def test_analytics_of_a_projects_jobs(client: httpx.Client) -> None:
    template = client.post("/v1/templates", json={"name": "x", "instructions": "Press."}).json()["template"]["id"]
    job_id = client.post(f"/v1/templates/{template}/invoke").json()["jobId"]
    pending = client.post("/v1/jobs", json={"script": SCRIPT}).json()["jobId"]

    by_template = client.get("/v1/analytics", params={"templateId": template}).json()
    by_ids = client.get("/v1/analytics", params={"jobIds": f"{job_id}, {pending}"}).json()
    of_none = client.get("/v1/analytics", params={"templateId": some_id()}).json()

    assert (by_template["totalJobs"], by_template["failedJobs"], by_template["successRate"]) == (1, 1, 0)
    assert by_template["errorTypes"] == {"instructions": 1}
    assert (by_ids["totalJobs"], by_ids["failedJobs"], by_ids["averageDuration"]) == (2, 1, None)
    assert (of_none["totalJobs"], of_none["successRate"], of_none["p95Duration"]) == (0, None, None)


@pytest.mark.parametrize(
    ("query", "field"),
    [("jobIds=x", "jobIds"), ("jobIds=", "jobIds"), (f"jobIds={some_id()}", "jobIds"),
     (f"jobIds={some_id()}&from=0", "jobIds"), ("from=0", "from"), ("templateId=x", "templateId"), ("days=7", "days")],
)  # fmt: skip
def test_a_question_of_analytics_that_is_wrong_is_refused_by_name(client: httpx.Client, query: str, field: str) -> None:
    answer = client.get(f"/v1/analytics?{query}")

    assert (answer.status_code, answer.json()["field"]) == (400, field)


def test_the_queue_shows_who_waits_and_what_failed(stage: Stage) -> None:
    with stage.other_project("queueing") as client:
        late = client.post("/v1/jobs", json={"script": SCRIPT}).json()["jobId"]
        first = client.post("/v1/jobs", json={"script": SCRIPT, "priority": 1}).json()["jobId"]
        failed = client.post("/v1/jobs", json={"instructions": "Press."}).json()["jobId"]

        answer = client.get("/v1/queue?longRunningMinutes=0").json()

        assert (answer["queued"], answer["running"], answer["longRunning"]) == (2, 0, [])
        assert [job["id"] for job in answer["waiting"]] == [first, late]
        assert [job["id"] for job in answer["recentFailures"]] == [failed]
        assert answer["limits"]["queued"] == 50
        assert client.get("/v1/queue?longRunningMinutes=-1").status_code == 400


def test_limits_are_replaced_and_hold(stage: Stage) -> None:
    with stage.other_project("limited") as client:
        put = client.put("/v1/limits", json={"queued": 1, "retention": {"reportDays": 90}})
        client.post("/v1/jobs", json={"script": SCRIPT})
        beyond = client.post("/v1/jobs", json={"script": SCRIPT})
        again = client.put("/v1/limits", json={"running": 2})

        assert (put.json()["queued"], put.json()["retention"]["reportDays"]) == (1, 90)
        assert beyond.status_code == 429
        assert int(beyond.headers["retry-after"]) >= 1
        assert client.get("/v1/limits").json() == again.json()
        assert (again.json()["running"], again.json()["queued"], again.json()["retention"]["reportDays"]) == (2, 50, 30)
        assert client.put("/v1/limits", json={"running": 0}).json()["field"] == "running"


def test_keys_are_made_listed_without_secrets_and_revoked(stage: Stage, client: httpx.Client) -> None:
    made = client.post("/v1/keys", json={"name": "ci", "scope": "run"})
    secret, key_id = made.json()["secret"], made.json()["key"]["id"]
    headers = {"Authorization": f"Bearer {secret}"}

    with httpx.Client(transport=httpx.WSGITransport(app=stage.api), base_url=API_URL, headers=headers) as holder:
        refused = holder.get("/v1/keys")
    listed = client.get("/v1/keys")

    assert (made.status_code, made.json()["key"]["scope"]) == (201, "run")
    assert refused.status_code == 403
    assert key_id in [key["id"] for key in listed.json()["keys"]]
    assert secret not in listed.text
    assert client.delete(f"/v1/keys/{key_id}").status_code == 204
    assert [key["revoked"] for key in client.get("/v1/keys").json()["keys"] if key["id"] == key_id] == [True]
    assert client.delete("/v1/keys/unknown").status_code == 404


def test_only_an_administrator_sets_limits_and_sees_keys(stage: Stage) -> None:
    with stage.client(Scope.RUN) as client:
        assert client.get("/v1/limits").status_code == 200
        assert client.put("/v1/limits", json={}).status_code == 403
        assert client.get("/v1/keys").status_code == 403
        assert client.post("/v1/keys", json={"name": "x"}).status_code == 403
        assert client.delete("/v1/keys/x").status_code == 403


def test_secrets_are_set_listed_without_values_and_deleted(stage: Stage) -> None:
    with stage.other_project("secretive") as client:
        before = client.get("/v1/secrets").json()
        put = client.put("/v1/secrets/TOKEN", json={"value": "planted-value"})
        client.put("/v1/secrets/TOKEN", json={"value": "another-value"})
        client.put("/v1/secrets/KEY", json={"value": "planted-key"})
        listed = client.get("/v1/secrets")

        assert before == {"secrets": []}
        assert (put.status_code, put.json()["secret"]["name"]) == (200, "TOKEN")
        assert [secret["name"] for secret in listed.json()["secrets"]] == ["KEY", "TOKEN"]
        assert set(listed.json()["secrets"][0]) == {"name", "updatedAt"}
        assert "planted" not in put.text + listed.text
        assert client.delete("/v1/secrets/TOKEN").status_code == 204
        assert client.delete("/v1/secrets/TOKEN").status_code == 404
        assert [secret["name"] for secret in client.get("/v1/secrets").json()["secrets"]] == ["KEY"]


@pytest.mark.parametrize(
    ("name", "body", "field"),
    [("PATH", {"value": "planted-value"}, "name"), ("aws_profile", {"value": "planted-value"}, "name"),
     ("1ST", {"value": "planted-value"}, "name"), ("A-B", {"value": "planted-value"}, "name"),
     ("TOKEN", {"value": "zqx"}, "value"), ("TOKEN", {"value": "planted" * 600}, "value"),
     ("TOKEN", {"value": "ö" * 2_100}, "value"), ("TOKEN", {"value": "planted\0value"}, "value"),
     ("TOKEN", {"value": "a value", "note": "planted-value"}, "note"),
     ("TOKEN", {"value": ["planted-value"]}, "value"), ("TOKEN", {}, "value")],
)  # fmt: skip
def test_a_secret_that_cannot_be_is_refused_without_repeating_it(
    client: httpx.Client, caplog: pytest.LogCaptureFixture, name: str, body: object, field: str
) -> None:
    answer = client.put(f"/v1/secrets/{name}", json=body)

    assert (answer.status_code, answer.json()["field"]) == (400, field)
    for value in ("planted", "zqx", "öö"):
        assert value not in answer.text + caplog.text


def test_a_project_has_at_most_a_hundred_secrets(stage: Stage) -> None:
    with stage.other_project("hoarding") as client:
        for number in range(100):
            assert client.put(f"/v1/secrets/S{number}", json={"value": "a value"}).status_code == 200
        beyond = client.put("/v1/secrets/ONE_MORE", json={"value": "a value"})

        assert beyond.status_code == 409
        assert "100" in beyond.json()["detail"]
        assert client.put("/v1/secrets/S7", json={"value": "another"}).status_code == 200


def test_only_an_administrator_has_to_do_with_secrets(stage: Stage) -> None:
    with stage.client(Scope.RUN) as client:
        assert client.get("/v1/secrets").status_code == 403
        assert client.put("/v1/secrets/TOKEN", json={"value": "a value"}).status_code == 403
        assert client.delete("/v1/secrets/TOKEN").status_code == 403
