"""Templates as over HTTP: kept, given versions, invoked."""

import hashlib

import httpx
import pytest

from tests.functions.stage import BUCKET, PROJECT, SCRIPT, Stage, some_id
from wainwright.contracts.bundles import pack_files
from wainwright.contracts.names import bundle_key, template_prefix

PARAMETERS = {
    "type": "object",
    "properties": {"items": {"type": "integer"}, "currency": {"type": "string", "default": "EUR"}},
    "required": ["items"],
}
TEMPLATE = {
    "name": "Checkout", "script": SCRIPT, "url": "https://shop.example", "config": {"timeout": 60_000, "blockAds": True},
    "parameters": PARAMETERS, "outputSchema": {"type": "object"}, "retry": {"maxAttempts": 3},
}  # fmt: skip


def _template(client: httpx.Client, **more: object) -> str:
    answer = client.post("/v1/templates", json=TEMPLATE | more)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["template"]["id"])


def _keys(stage: Stage, prefix: str) -> list[str]:
    found = stage.clients.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix)
    return [each["Key"] for each in found.get("Contents", [])]


def test_a_template_is_kept_and_listed(client: httpx.Client) -> None:
    template_id = _template(client)

    found = client.get(f"/v1/templates/{template_id}").json()["template"]

    assert (found["name"], found["version"], found["lastRunAt"]) == ("Checkout", 1, None)
    assert (found["parameters"], found["config"]) == (PARAMETERS, {"timeout": 60_000, "blockAds": True})
    assert template_id in [each["id"] for each in client.get("/v1/templates?limit=1000").json()["templates"]]


def test_pages_of_templates_follow_each_other(client: httpx.Client) -> None:
    made = {_template(client) for _ in range(3)}

    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = client.get("/v1/templates", params={"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        found += [each["id"] for each in page["templates"]]
        cursor = page["cursor"]

    assert len(found) == len(set(found))
    assert made <= set(found)


def test_a_call_overrides_what_the_template_says(client: httpx.Client) -> None:
    template_id = _template(client)

    plain = client.post(f"/v1/templates/{template_id}/invoke", json={"items": 1}).json()
    other = client.post(
        f"/v1/templates/{template_id}/invoke",
        json={"items": 2, "currency": "USD", "url": "https://b.example", "timeout": 5_000, "priority": 3},
    ).json()

    assert plain["status"] == "pending"
    assert plain["jobId"] == plain["job"]["id"]
    assert plain["job"]["params"] == {"items": 1, "currency": "EUR"}
    assert (plain["job"]["url"], plain["job"]["config"]) == (TEMPLATE["url"], TEMPLATE["config"])
    assert (plain["job"]["templateId"], plain["job"]["templateVersion"]) == (template_id, 1)
    assert (other["job"]["url"], other["job"]["priority"]) == ("https://b.example", 3)
    assert other["job"]["config"] == {"timeout": 5_000, "blockAds": True}
    assert client.get(f"/v1/templates/{template_id}").json()["template"]["lastRunAt"] == other["job"]["createdAt"]
    assert len(client.get("/v1/jobs", params={"templateId": template_id}).json()["jobs"]) == 2


def test_a_job_may_name_its_template_itself(client: httpx.Client) -> None:
    template_id = _template(client)

    made = client.post("/v1/jobs", json={"templateId": template_id, "params": {"items": 4}})

    assert made.json()["job"]["params"] == {"items": 4, "currency": "EUR"}
    assert client.post("/v1/jobs", json={"templateId": template_id}).json()["field"] == "params.items"
    assert client.post("/v1/jobs", json={"templateId": some_id()}).status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"items": 1, "size": 4}, "size"),
        ({"items": "x"}, "items"),
        ({}, "items"),
        ({"items": 1, "waitFor": -1}, "waitFor"),
    ],
)
def test_an_invocation_that_is_wrong_is_refused_by_name(client: httpx.Client, body: object, field: str) -> None:
    answer = client.post(f"/v1/templates/{_template(client)}/invoke", json=body)

    assert (answer.status_code, answer.json()["field"]) == (400, field)


def test_an_invocation_without_a_body_is_one_without_parameters(client: httpx.Client) -> None:
    template_id = _template(client, parameters=None)
    assert client.post(f"/v1/templates/{template_id}/invoke").status_code == 202


def test_the_same_key_makes_one_job_of_a_template(client: httpx.Client) -> None:
    template_id = _template(client)
    headers = {"Idempotency-Key": some_id()}

    made = [client.post(f"/v1/templates/{template_id}/invoke", json={"items": 1}, headers=headers) for _ in range(2)]
    other = client.post(f"/v1/templates/{template_id}/invoke", json={"items": 2}, headers=headers)

    assert len({answer.json()["jobId"] for answer in made}) == 1
    assert other.status_code == 409


def test_a_new_version_leaves_the_jobs_of_the_old_one_alone(client: httpx.Client) -> None:
    template_id = _template(client)
    job = client.post(f"/v1/templates/{template_id}/invoke", json={"items": 1}).json()["job"]

    updated = client.put(f"/v1/templates/{template_id}", json={"name": "Anew", "script": SCRIPT + "\n# 2\n"})
    new_job = client.post(f"/v1/templates/{template_id}/invoke", json={}).json()["job"]

    assert (updated.status_code, updated.json()["template"]["version"]) == (200, 2)
    assert (job["templateVersion"], new_job["templateVersion"]) == (1, 2)
    assert job["bundleId"] != new_job["bundleId"]
    assert client.get(f"/v1/templates/{template_id}?version=1").json()["template"]["name"] == "Checkout"
    assert client.get(f"/v1/templates/{template_id}?version=3").status_code == 404
    assert client.get(f"/v1/templates/{template_id}?version=first").json()["field"] == "version"


def test_what_a_template_runs_outlives_the_uploads(stage: Stage, client: httpx.Client) -> None:
    archive = pack_files({"test_a.py": SCRIPT.encode(), "unique": some_id().encode()})
    digest = hashlib.sha256(archive).hexdigest()
    refused = client.post("/v1/templates", json={"name": "x", "bundleId": digest})
    stage.upload(archive, digest)
    template_id = _template(client, script=None, bundleId=digest, parameters=None)
    stage.clients.s3.delete_object(Bucket=BUCKET, Key=bundle_key(PROJECT, digest))

    job = client.post(f"/v1/templates/{template_id}/invoke", json={}).json()["job"]

    assert (refused.status_code, refused.json()["field"]) == (400, "bundleId")
    assert job["bundleId"] == digest
    again = stage.clients.s3.get_object(Bucket=BUCKET, Key=bundle_key(PROJECT, digest))["Body"].read()
    assert again == archive


def test_a_deleted_template_is_gone_with_what_it_kept_and_its_jobs_stay(stage: Stage, client: httpx.Client) -> None:
    template_id = _template(client)
    job = client.post(f"/v1/templates/{template_id}/invoke", json={"items": 1}).json()["job"]
    assert _keys(stage, template_prefix(PROJECT, template_id))

    assert client.delete(f"/v1/templates/{template_id}").status_code == 204

    assert _keys(stage, template_prefix(PROJECT, template_id)) == []
    assert client.get(f"/v1/jobs/{job['id']}").json()["job"]["templateId"] == template_id
    assert _keys(stage, bundle_key(PROJECT, job["bundleId"]))
    for answer in (
        client.get(f"/v1/templates/{template_id}"),
        client.put(f"/v1/templates/{template_id}", json=TEMPLATE),
        client.post(f"/v1/templates/{template_id}/invoke", json={}),
        client.delete(f"/v1/templates/{template_id}"),
        client.get("/v1/templates/no-id"),
    ):
        assert answer.status_code == 404


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"script": "def ("}, "script"),
        ({"outputSchema": {"type": "thing"}}, "outputSchema.type"),
        ({"parameters": {"type": "array"}}, "parameters.type"),
        ({"parameters": {"type": "object", "properties": {"viewport": {}}}}, "parameters.properties.viewport"),
        ({"instructions": "Press."}, "body"),
        ({"name": ""}, "name"),
    ],
)
def test_a_template_that_is_wrong_is_refused_by_name(client: httpx.Client, more: dict[str, object], field: str) -> None:
    answer = client.post("/v1/templates", json=TEMPLATE | more)

    assert (answer.status_code, answer.json()["field"]) == (400, field)


def test_a_template_of_instructions_makes_jobs_that_say_why_they_fail(client: httpx.Client) -> None:
    template_id = _template(client, script=None, instructions="Press.", parameters=None)

    job = client.post(f"/v1/templates/{template_id}/invoke", json={}).json()["job"]

    assert (job["status"], job["failure"]["category"]) == ("failed", "instructions")
    assert job["error"].startswith("instructions: ")


def test_another_project_sees_no_template(stage: Stage, client: httpx.Client) -> None:
    template_id = _template(client)

    with stage.other_project("third") as other:
        assert other.get(f"/v1/templates/{template_id}").status_code == 404
        assert other.get("/v1/templates").json()["templates"] == []
        assert other.post("/v1/jobs", json={"templateId": template_id}).status_code == 404
