"""``/v1/jobs``: creating, reading, listing, waiting, canceling."""

import base64
import json
from typing import Any

import pytest

from functions.api import handler as function
from tests.functions.conftest import Cloud
from tests.support.builders import PROJECT, SCRIPT, completed, job_id
from tests.support.events import Http
from tests.support.faults import Faults
from tests.support.finding import find_jobs
from wainwright.contracts.scopes import Scope
from wainwright.domain.jobs import Job


def created(http: Http, **fields: Any) -> Any:
    answer = http.post("/v1/jobs", {"script": SCRIPT, **fields})
    assert answer.status == 202, answer.content
    return answer.json["job"]


def finished(cloud: Cloud, job_id: str) -> Job:
    job = cloud.job(job_id)
    job = cloud.jobs.write(job, job.admit(job.created_at))
    job = cloud.jobs.write(job, job.claim("w1", job.created_at))
    return cloud.jobs.write(job, job.finish(completed(), job.created_at))


class TestCreating:
    def test_accepts_a_script(self, http: Http, cloud: Cloud) -> None:
        answer = http.post("/v1/jobs", {"script": SCRIPT, "label": "checkout", "lowPriority": True})

        assert answer.status == 202
        body = answer.json
        assert body["jobId"] == body["job"]["id"]
        assert (body["status"], body["job"]["status"], body["job"]["label"]) == ("pending", "pending", "checkout")
        assert answer.headers["location"] == f"/v1/jobs/{body['jobId']}"
        assert answer.headers["cache-control"] == "no-store"
        assert cloud.job(body["jobId"]).low_priority
        assert cloud.woken() == [PROJECT]

    def test_gives_the_same_job_for_the_same_idempotency_key(self, http: Http, cloud: Cloud) -> None:
        answers = [http.post("/v1/jobs", {"script": SCRIPT}, headers={"Idempotency-Key": "k"}) for _ in range(2)]

        assert [answer.status for answer in answers] == [202, 202]
        assert len({answer.json["jobId"] for answer in answers}) == 1
        assert cloud.jobs.load(PROJECT).queued == 1

    def test_refuses_another_request_under_the_same_idempotency_key(self, http: Http) -> None:
        http.post("/v1/jobs", {"script": SCRIPT}, headers={"Idempotency-Key": "k"})

        answer = http.post("/v1/jobs", {"script": SCRIPT, "label": "x"}, headers={"Idempotency-Key": "k"})

        assert answer.problem(409, "idempotency-conflict")["advice"]

    @pytest.mark.parametrize("key", ["", "k" * 256, "é" * 200], ids=["empty", "too long", "too many bytes"])
    def test_refuses_an_idempotency_key_out_of_bounds(self, http: Http, key: str) -> None:
        answer = http.post("/v1/jobs", {"script": SCRIPT}, headers={"Idempotency-Key": key})

        assert answer.problem(400, "invalid-input")["field"] == "Idempotency-Key"

    def test_takes_the_longest_idempotency_key(self, http: Http) -> None:
        assert http.post("/v1/jobs", {"script": SCRIPT}, headers={"Idempotency-Key": "k" * 255}).status == 202

    def test_says_where_a_script_does_not_compile(self, http: Http, cloud: Cloud) -> None:
        problem = http.post("/v1/jobs", {"script": "def test_a():\n  x ="}).problem(400, "invalid-input")

        assert (problem["field"], problem["line"], problem["column"]) == ("script", 2, 6)
        assert cloud.jobs.loads() == []

    def test_names_an_unknown_field(self, http: Http) -> None:
        problem = http.post("/v1/jobs", {"script": SCRIPT, "prioritty": 1}).problem(400, "invalid-input")

        assert problem["field"] == "prioritty"
        assert "prioritty" in problem["detail"]

    def test_names_a_field_inside_another(self, http: Http) -> None:
        problem = http.post("/v1/jobs", {"script": SCRIPT, "config": {"timeout": "soon"}}).problem(400, "invalid-input")

        assert problem["field"] == "config.timeout"

    @pytest.mark.parametrize("body", ["", "{", "script", "[]", "null", '{"script": "x"} extra'])
    def test_refuses_a_body_that_is_no_json_object(self, http: Http, body: str) -> None:
        assert http.post("/v1/jobs", body=body).problem(400, "invalid-input")["field"] == "body"

    def test_refuses_no_body_at_all(self, http: Http) -> None:
        assert http.post("/v1/jobs").problem(400, "invalid-input")["field"] == "body"

    def test_takes_a_body_that_the_gateway_has_encoded(self, http: Http) -> None:
        body = base64.b64encode(json.dumps({"script": "# Zoë\n"}).encode()).decode()

        assert http.post("/v1/jobs", body=body, encoded=True).status == 202

    @pytest.mark.parametrize("content", [b"\xff\xfe{}", b'{"script": "\xe9"}'])
    def test_refuses_a_body_that_is_no_text(self, http: Http, content: bytes) -> None:
        answer = http.post("/v1/jobs", body=base64.b64encode(content).decode(), encoded=True)

        assert answer.problem(400, "invalid-input")["field"] == "body"

    def test_refuses_a_body_over_the_bound(self, http: Http) -> None:
        problem = http.post("/v1/jobs", {"script": "#" + "x" * 1_048_576}).problem(413, "too-large")

        assert "/v1/bundles" in problem["advice"]

    def test_refuses_a_bundle_that_was_never_uploaded(self, http: Http) -> None:
        assert http.post("/v1/jobs", {"bundleId": "a" * 64}).problem(400, "invalid-input")["field"] == "bundleId"

    def test_refuses_a_job_beyond_capacity_and_says_when_to_come_again(self, http: Http) -> None:
        for _ in range(3):
            created(http)

        answer = http.post("/v1/jobs", {"script": SCRIPT})

        problem = answer.problem(429, "capacity-exceeded")
        assert "3 jobs queued" in problem["detail"]
        assert int(answer.headers["retry-after"]) >= 1

    @pytest.mark.usefixtures("no_pauses")
    def test_tells_to_try_again_when_the_database_is_busy(self, http: Http) -> None:
        with Faults(function.api().clients.dynamodb).installed() as faults:
            faults.refuse("TransactionCanceledException", reasons=("TransactionConflict",), times=10)
            answer = http.post("/v1/jobs", {"script": SCRIPT})

        assert answer.problem(503, "unavailable")["advice"]


class TestReading:
    def test_gives_a_job(self, http: Http) -> None:
        job = created(http, params={"a": [1]}, url="https://shop.example", config={"timeout": 5_000})

        answer = http.get(f"/v1/jobs/{job['id']}")

        assert answer.status == 200
        assert answer.json["job"] == job | {"waitingMs": answer.json["job"]["waitingMs"]}
        assert (job["params"], job["config"], job["url"]) == ({"a": [1]}, {"timeout": 5_000}, "https://shop.example")

    def test_finds_no_job_of_another_project(self, http: Http, cloud: Cloud) -> None:
        job = created(http)

        http.get(f"/v1/jobs/{job['id']}", key=cloud.key(project="other")).problem(404, "not-found")
        http.get(f"/v1/jobs/{job_id(99)}").problem(404, "not-found")

    @pytest.mark.parametrize("id", ["x", "..", "1", "A" * 36, "%20", "{jobId}"])
    def test_refuses_what_is_no_job_id(self, http: Http, id: str) -> None:
        assert http.get(f"/v1/jobs/{id}").problem(400, "invalid-input")["field"] == "jobId"

    def test_answers_304_to_whoever_has_this_version(self, http: Http, cloud: Cloud) -> None:
        path = f"/v1/jobs/{created(http)['id']}"
        tag = http.get(path).headers["etag"]

        unchanged = http.get(path, headers={"If-None-Match": tag})
        assert (unchanged.status, unchanged.headers["etag"], unchanged.content) == (304, tag, b"")

        finished(cloud, path.rpartition("/")[2])
        changed = http.get(path, headers={"If-None-Match": tag})
        assert (changed.status, changed.json["job"]["status"]) == (200, "completed")
        assert changed.headers["etag"] != tag

    def test_names_an_unknown_query_parameter_and_the_known_ones(self, http: Http) -> None:
        problem = http.get(f"/v1/jobs/{created(http)['id']}", query={"wat": "1"}).problem(400, "invalid-input")

        assert problem["field"] == "wat"
        assert "wait" in problem["advice"]

    @pytest.mark.parametrize("wait", ["21", "-1", "x", "", "1.5", "٣", "9" * 5_000])
    def test_refuses_a_wait_out_of_bounds(self, http: Http, wait: str) -> None:
        answer = http.get(f"/v1/jobs/{created(http)['id']}", query={"wait": wait})

        assert answer.problem(400, "invalid-input")["field"] == "wait"

    def test_refuses_an_unknown_state_and_names_the_known_ones(self, http: Http) -> None:
        problem = http.get(f"/v1/jobs/{created(http)['id']}", query={"status": "completed,done"})

        assert "canceled" in problem.problem(400, "invalid-input")["advice"]


class TestWaiting:
    @pytest.fixture
    def pauses(self, cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> list[float]:
        """Pauses of the long-poll; the job that is waited for ends in the second."""
        pauses: list[float] = []

        def pause(seconds: float) -> None:
            pauses.append(seconds)
            if len(pauses) == 2:
                finished(cloud, find_jobs(cloud.jobs, PROJECT, status=None, limit=1, cursor=None).jobs[0].id)

        monkeypatch.setattr(function.api(), "pause", pause)
        return pauses

    def test_answers_when_the_job_has_ended(self, http: Http, pauses: list[float]) -> None:
        answer = http.get(f"/v1/jobs/{created(http)['id']}", query={"wait": "20"})

        assert answer.json["job"]["status"] == "completed"
        assert len(pauses) == 2

    def test_answers_at_once_in_a_state_that_was_named(self, http: Http, pauses: list[float]) -> None:
        answer = http.get(f"/v1/jobs/{created(http)['id']}", query={"wait": "20", "status": "failed, PENDING"})

        assert answer.json["job"]["status"] == "pending"
        assert pauses == []

    def test_answers_as_it_stands_when_the_time_is_up(self, http: Http, pauses: list[float]) -> None:
        answer = http.get(f"/v1/jobs/{created(http)['id']}", query={"wait": "1", "status": "canceled"})

        assert answer.status == 200
        assert sum(pauses) == pytest.approx(1)


class TestListing:
    def test_lists_newest_first_page_by_page(self, http: Http) -> None:
        ids = [created(http)["id"] for _ in range(3)]

        first = http.get("/v1/jobs", query={"limit": "2"}).json
        second = http.get("/v1/jobs", query={"limit": "2", "cursor": first["cursor"]}).json

        assert sorted(job["id"] for page in (first, second) for job in page["jobs"]) == sorted(ids)
        assert second["cursor"] is None
        times = [job["createdAt"] for page in (first, second) for job in page["jobs"]]
        assert times == sorted(times, reverse=True)

    def test_lists_jobs_of_one_state(self, http: Http, cloud: Cloud) -> None:
        done, waiting = created(http)["id"], created(http)["id"]
        finished(cloud, done)

        def ids(status: str) -> list[str]:
            return [job["id"] for job in http.get("/v1/jobs", query={"status": status}).json["jobs"]]

        assert (ids("completed"), ids("PENDING"), ids("failed")) == ([done], [waiting], [])

    def test_shows_no_jobs_of_other_projects(self, http: Http, cloud: Cloud) -> None:
        created(http)

        assert http.get("/v1/jobs", key=cloud.key(project="other")).json == {"jobs": [], "cursor": None}

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ({"limit": "0"}, "limit"),
            ({"limit": "1001"}, "limit"),
            ({"limit": "many"}, "limit"),
            ({"limit": "9" * 5_000}, "limit"),
            ({"status": "done"}, "status"),
            ({"status": "failed,done"}, "status"),
            ({"cursor": "x"}, "cursor"),
            ({"state": "failed"}, "state"),
        ],
        ids=lambda value: str(value)[:30],
    )
    def test_names_the_parameter_at_fault(self, http: Http, query: dict[str, str], field: str) -> None:
        assert http.get("/v1/jobs", query=query).problem(400, "invalid-input")["field"] == field


class TestCanceling:
    def test_cancels_a_waiting_job(self, http: Http) -> None:
        answer = http.post(f"/v1/jobs/{created(http)['id']}/cancel")

        assert answer.status == 200
        job = answer.json["job"]
        assert (job["status"], job["failure"]["category"]) == ("canceled", "canceled_by_user")
        assert job["error"] == "canceled_by_user: canceled by request"

    def test_refuses_to_cancel_what_has_ended(self, http: Http, cloud: Cloud) -> None:
        id = created(http)["id"]
        finished(cloud, id)

        problem = http.post(f"/v1/jobs/{id}/cancel").problem(409, "refused")

        assert "completed" in problem["detail"]

    def test_finds_no_job_of_another_project(self, http: Http, cloud: Cloud) -> None:
        id = created(http)["id"]

        http.post(f"/v1/jobs/{id}/cancel", key=cloud.key(project="other")).problem(404, "not-found")
        assert cloud.job(id).waiting


class TestScopes:
    def test_a_key_that_may_only_read_creates_and_cancels_nothing(self, http: Http, cloud: Cloud) -> None:
        id = created(http)["id"]
        key = cloud.key(Scope.READ)

        problem = http.post("/v1/jobs", {"script": SCRIPT}, key=key).problem(403, "forbidden")
        assert "run" in problem["detail"]
        http.post(f"/v1/jobs/{id}/cancel", key=key).problem(403, "forbidden")
        assert http.get(f"/v1/jobs/{id}", key=key).status == 200
