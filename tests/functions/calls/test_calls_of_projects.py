"""Analytics, queue, limits and keys as over HTTP."""

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
