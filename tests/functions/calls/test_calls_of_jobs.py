"""Calls that make, find and steer jobs, as over HTTP."""

import httpx
import pytest

from functions.api import handler as api
from tests.functions.stage import SCRIPT, Stage, some_id
from wainwright.contracts.scopes import Scope


def _created(client: httpx.Client, **body: object) -> str:
    answer = client.post("/v1/jobs", json={"script": SCRIPT} | body)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["jobId"])


def test_answers_have_the_shapes_that_client_code_reads(client: httpx.Client) -> None:
    created = client.post("/v1/jobs", json={"script": SCRIPT, "config": {"timeout": 300_000}}).json()
    status = client.get(f"/v1/jobs/{created['jobId']}").json()
    listed = client.get("/v1/jobs").json()

    assert created["status"] == created["job"]["status"] == status["job"]["status"] == "pending"
    assert status["job"]["config"] == {"timeout": 300_000}
    assert {"id", "status", "progress", "createdAt", "updatedAt", "startedAt", "completedAt", "templateId", "url",
            "config", "results", "error"} <= set(status["job"])  # fmt: skip
    assert created["jobId"] in [job["id"] for job in listed["jobs"]]


def test_finds_by_combined_filters_and_aliases(client: httpx.Client) -> None:
    failed = client.post("/v1/jobs", json={"instructions": "Press.", "label": "find me"}).json()["job"]
    _created(client, label="find me")

    def found(**query: str) -> list[str]:
        answer = client.get("/v1/jobs", params=query)
        assert answer.status_code == 200, answer.text
        return [job["id"] for job in answer.json()["jobs"]]

    assert found(label="find me", status="FINISHED") == [failed["id"]]
    assert found(label="find me", hasErrors="true", type="browser") == [failed["id"]]
    assert found(label="find me", createFrom=failed["createdAt"], createTo=failed["createdAt"]) == [failed["id"]]
    assert found(label="find me", endFrom="0", sortBy="completedAt", sortOrder="asc") == [failed["id"]]
    assert found(label="find me", createTo="0") == []
    assert len(found(label="find me", status="pending,FAILED")) == 2


@pytest.mark.parametrize(
    ("query", "field"),
    [("colour=red", "colour"), ("status=done", "status"), ("createFrom=soon", "createFrom"), ("limit=0", "limit"),
     ("limit=" + "1" * 5_000, "limit"), ("sortBy=label", "sortBy"), ("cursor=nonsense", "cursor")],
)  # fmt: skip
def test_a_query_that_is_wrong_is_refused_by_name(client: httpx.Client, query: str, field: str) -> None:
    answer = client.get(f"/v1/jobs?{query}")

    assert (answer.status_code, answer.json()["field"]) == (400, field)


def test_the_same_request_at_once_makes_one_job(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both look for the key before either has written: the store decides, and the second finds the first one's job."""
    store = type(api.api().jobs)
    look = store.get_idempotent
    answers: list[None] = [None, None]
    monkeypatch.setattr(store, "get_idempotent", lambda *given: answers.pop() if answers else look(*given))
    body, headers = {"script": SCRIPT, "label": "once"}, {"Idempotency-Key": "at-once"}

    made = [client.post("/v1/jobs", json=body, headers=headers) for _ in range(2)]
    other = client.post("/v1/jobs", json={"script": SCRIPT}, headers=headers)

    assert answers == []
    assert [answer.status_code for answer in made] == [202, 202]
    assert made[0].json()["jobId"] == made[1].json()["jobId"]
    assert len(client.get("/v1/jobs?label=once").json()["jobs"]) == 1
    assert (other.status_code, other.json()["type"].rpartition(":")[2]) == (409, "idempotency-conflict")


def test_says_in_which_script_and_where_the_fault_is(client: httpx.Client) -> None:
    scripts = [{"name": "test_a.py", "content": SCRIPT}, {"name": "test_b.py", "content": "def test_b(:\n"}]

    problem = client.post("/v1/jobs", json={"scripts": scripts}).json()

    assert (problem["status"], problem["field"]) == (400, "scripts.1.content")
    assert (problem["file"], problem["line"], problem["column"]) == ("test_b.py", 1, 12)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"{", "body"), (b"\xff\xfe", "body"), (b"[]", "body"), (b"", "body"),
        (b'{"script": "x", "url": "nowhere"}', "url"), (b'{"script": "x", "colour": 1}', "colour"),
        (b'{"script": "x", "params": {"a": NaN}}', "params"), (b'{"script": "x", "dependsOn": ["x"]}', "dependsOn.0"),
    ],
)  # fmt: skip
def test_a_body_that_is_wrong_is_refused_by_name(client: httpx.Client, body: bytes, field: str) -> None:
    answer = client.post("/v1/jobs", content=body, headers={"Content-Type": "application/json"})

    assert (answer.status_code, answer.json()["field"]) == (400, field)
    assert "\n" not in answer.json()["detail"]


def test_an_etag_spares_who_knows_the_job_already(client: httpx.Client) -> None:
    job_id = _created(client)
    first = client.get(f"/v1/jobs/{job_id}")
    tag = first.headers["etag"]

    same = client.get(f"/v1/jobs/{job_id}", headers={"If-None-Match": f'"other", W/{tag}'})
    client.patch(f"/v1/jobs/{job_id}", json={"label": "changed"})
    changed = client.get(f"/v1/jobs/{job_id}", headers={"If-None-Match": tag})

    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
    assert (changed.status_code, changed.json()["job"]["label"]) == (200, "changed")
    assert changed.headers["etag"] != tag


def test_waits_for_several_states_by_their_aliases(client: httpx.Client) -> None:
    job_id = client.post("/v1/jobs", json={"instructions": "Press."}).json()["jobId"]

    answer = client.get(f"/v1/jobs/{job_id}", params={"wait": 20, "status": "FINISHED,CANCELLED"})

    assert answer.json()["job"]["status"] == "failed"
    assert client.get(f"/v1/jobs/{job_id}?wait=21").json()["field"] == "wait"


def test_steers_jobs(client: httpx.Client) -> None:
    job_id = _created(client)

    ranked = client.patch(f"/v1/jobs/{job_id}", json={"priority": 7, "lowPriority": True}).json()["job"]
    stopped = client.post(f"/v1/jobs/{job_id}/stop").json()["job"]
    resumed = client.post(f"/v1/jobs/{job_id}/resume").json()["job"]
    refused = client.post(f"/v1/jobs/{job_id}/retry")
    early = client.delete(f"/v1/jobs/{job_id}")
    canceled = client.post(f"/v1/jobs/{job_id}/cancel").json()["job"]
    deleted = client.delete(f"/v1/jobs/{job_id}")

    assert (ranked["priority"], ranked["lowPriority"]) == (7, True)
    assert [job["status"] for job in (stopped, resumed, canceled)] == ["stopped", "pending", "canceled"]
    assert (refused.status_code, early.status_code) == (409, 409)
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert client.get(f"/v1/jobs/{job_id}").status_code == 404


def test_a_job_that_depends_on_another_waits_for_it_and_is_skipped_with_it(client: httpx.Client) -> None:
    first = _created(client)
    second = _created(client, dependsOn=first)
    assert client.get(f"/v1/jobs/{second}").json()["job"]["dependsOn"] == [first]

    client.post(f"/v1/jobs/{first}/cancel")

    assert client.get(f"/v1/jobs/{second}").json()["job"]["status"] == "skipped"
    assert client.post("/v1/jobs", json={"script": SCRIPT, "dependsOn": first}).status_code == 409
    assert client.post("/v1/jobs", json={"script": SCRIPT, "dependsOn": some_id()}).json()["field"] == "dependsOn.0"


def test_a_reader_may_not_make_jobs_and_strangers_see_none(stage: Stage, client: httpx.Client) -> None:
    job_id = _created(client)

    with stage.client(Scope.READ) as reader, stage.client(None) as stranger, stage.other_project() as other:
        assert reader.get(f"/v1/jobs/{job_id}").status_code == 200
        assert reader.post("/v1/jobs", json={"script": SCRIPT}).status_code == 403
        assert stranger.get(f"/v1/jobs/{job_id}").status_code == 401
        assert other.get(f"/v1/jobs/{job_id}").status_code == 404
        assert other.get("/v1/jobs").json() == {"jobs": [], "cursor": None}
