"""A fake of the whole project behind the API: many jobs, each with a life of its own, templates, logs, limits, keys."""

import json
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.unit.client.fake_api import CREATED, FakeApi, job_record, problem
from wainwright.contracts.job_records import JobRecord
from wainwright.domain.capacity import Limits
from wainwright.domain.failures import Failure, FailureCategory
from wainwright.domain.logs import LogEntry
from wainwright.domain.states import AT_REST, JobStatus

BUNDLE = "a" * 64


@dataclass
class FakeProject(FakeApi):
    """Each look at a job takes it a step on: pending, running, then how it ends.

    What was sent along decides the end: a ``params.fail`` (or flat ``fail``) is the message of a failure, ``results`` are
    its results, ``stays`` the state that it stays in.
    """

    jobs: dict[str, JobRecord] = field(default_factory=dict)
    sent: dict[str, dict[str, Any]] = field(default_factory=dict)
    log: list[LogEntry] = field(default_factory=list)
    templates: dict[str, dict[str, Any]] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    keys: dict[str, dict[str, Any]] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    quarantine: dict[str, dict[str, Any]] = field(default_factory=dict)
    page: int = 2
    most_running: int = 0

    def _route(self, request: httpx.Request, method: str, path: str) -> httpx.Response:
        body = json.loads(request.content) if request.content else {}
        match method, path.strip("/").split("/"):
            case "POST", ["jobs"]:
                return self._create(body, body.get("params", {}))
            case "GET", ["jobs"]:
                return self._paged("jobs", [_json(job) for job in reversed(self.jobs.values())], request)
            case _, ["jobs", job_id, *rest]:
                return self._job_call(method, job_id, rest, body, request)
            case _, ["templates", *rest]:
                return self._template(method, rest, body, request)
            case "GET", ["analytics", "tests"]:
                return httpx.Response(200, json={"tests": [TEST], "cursor": None})
            case _, ["quarantine"]:
                return self._quarantine(method, body, request)
            case _, [("analytics" | "queue" | "limits" | "keys" | "secrets"), *_]:
                return self._project(method, path, body)
        return super()._route(request, method, path)

    def _job_call(
        self, method: str, job_id: str, rest: list[str], body: dict[str, Any], request: httpx.Request
    ) -> httpx.Response:
        if job_id not in self.jobs:
            return problem(404, "not-found", f"this project has no job {job_id}")
        match method, rest:
            case "GET", []:
                return self._look(job_id)
            case "PATCH", []:
                changes = {"lowPriority": "low_priority"}
                return self._change(job_id, **{changes.get(name, name): value for name, value in body.items()})
            case "DELETE", []:
                del self.jobs[job_id]
                return httpx.Response(204)
            case "POST", [("cancel" | "stop" | "resume" | "retry") as action]:
                return self._control(job_id, action)
            case "GET", ["logs"]:
                since = request.url.params.get("from", "")
                lines = [entry.model_dump(mode="json", by_alias=True) for entry in self.log]
                return self._paged("logs", [line for line in lines if line["timestamp"] >= since], request)
            case "POST", ["logs"]:
                self.log.append(LogEntry.model_validate({"timestamp": CREATED} | body))
                return httpx.Response(201, json={"log": self.log[-1].model_dump(mode="json", by_alias=True)})
        return super()._route(request, method, f"/jobs/{job_id}/{'/'.join(rest)}")

    def _create(self, body: dict[str, Any], steering: dict[str, Any]) -> httpx.Response:
        if steering.get("refuse"):
            return problem(400, "invalid-input", "refused")
        job_id = f"{len(self.sent) + 1:08d}-0000-4000-8000-000000000000"
        self.sent[job_id] = body | {"steering": steering}
        self.jobs[job_id] = job_record(
            id=job_id, url=body.get("url"), label=body.get("label"), priority=body.get("priority", 0)
        )
        going = [job for job in self.jobs.values() if job.status not in AT_REST]
        self.most_running = max(self.most_running, len(going))
        return httpx.Response(202, json={"jobId": job_id, "status": "pending", "job": _json(self.jobs[job_id])})

    def _look(self, job_id: str) -> httpx.Response:
        job, steering = self.jobs[job_id], self.sent[job_id]["steering"]
        told = httpx.Response(200, json={"job": _json(job)})
        if job.status == steering.get("stays"):
            return told
        match job.status:
            case JobStatus.PENDING:
                self._change(job_id, status=JobStatus.RUNNING)
            case JobStatus.RUNNING if "fail" in steering:
                failure = Failure.of(FailureCategory.ASSERTION, steering["fail"])
                self._change(job_id, status=JobStatus.FAILED, failure=failure, error=failure.to_line())
            case JobStatus.RUNNING:
                self._change(job_id, status=JobStatus.COMPLETED, results=steering.get("results"))
        return told

    def _control(self, job_id: str, action: str) -> httpx.Response:
        before, after = {
            "cancel": ({"pending", "running", "stopped"}, JobStatus.CANCELED),
            "stop": ({"pending", "running"}, JobStatus.STOPPED),
            "resume": ({"stopped"}, JobStatus.PENDING),
            "retry": ({"failed"}, JobStatus.PENDING),
        }[action]
        if self.jobs[job_id].status not in before:
            return problem(409, "refused", f"the job is {self.jobs[job_id].status}")
        return self._change(job_id, status=after)

    def _change(self, job_id: str, **changes: Any) -> httpx.Response:
        self.jobs[job_id] = self.jobs[job_id].model_copy(update=changes)
        return httpx.Response(200, json={"job": _json(self.jobs[job_id])})

    def _template(self, method: str, rest: list[str], body: dict[str, Any], request: httpx.Request) -> httpx.Response:
        match method, rest:
            case "GET", []:
                return self._paged("templates", list(self.templates.values()), request)
            case "POST", []:
                template_id = f"t{len(self.templates) + 1}"
                self.templates[template_id] = _template(template_id, 1, body)
                return httpx.Response(201, json={"template": self.templates[template_id]})
            case _, [template_id, *_] if template_id not in self.templates:
                return problem(404, "not-found", f"there is no template {template_id}")
            case "PUT", [template_id]:
                self.templates[template_id] = _template(template_id, self.templates[template_id]["version"] + 1, body)
            case "DELETE", [template_id]:
                del self.templates[template_id]
                return httpx.Response(204)
            case "POST", [_, "invoke"]:
                return self._create(body, body)
        return httpx.Response(200, json={"template": self.templates[rest[0]]})

    def _project(self, method: str, path: str, body: dict[str, Any]) -> httpx.Response:
        match method, path.strip("/").split("/"):
            case "GET", ["analytics"]:
                return httpx.Response(200, json=ANALYTICS)
            case "GET", ["queue"]:
                waiting = [_json(job) for job in self.jobs.values() if job.status is JobStatus.PENDING]
                lists = {"waiting": waiting, "longRunning": [], "recentFailures": []}
                limits = self.limits.model_dump(mode="json", by_alias=True)
                return httpx.Response(200, json={"queued": len(waiting), "running": 0, "limits": limits} | lists)
            case "PUT", ["limits"]:
                self.limits = Limits.model_validate(body)
            case "POST", ["keys"]:
                key_id = f"k{len(self.keys) + 1}"
                key = self.keys[key_id] = {"id": key_id, "createdAt": CREATED, "revoked": False} | body
                return httpx.Response(201, json={"key": key, "secret": "ww_secret"})
            case "GET", ["keys"]:
                return httpx.Response(200, json={"keys": list(self.keys.values())})
            case "DELETE", ["keys", key_id]:
                self.keys[key_id]["revoked"] = True
                return httpx.Response(204)
            case "GET", ["secrets"]:
                told = [{"name": name, "updatedAt": CREATED} for name in self.secrets]
                return httpx.Response(200, json={"secrets": told})
            case "PUT", ["secrets", name]:
                self.secrets[name] = body["value"]
                return httpx.Response(200, json={"secret": {"name": name, "updatedAt": CREATED}})
            case "DELETE", ["secrets", name]:
                del self.secrets[name]
                return httpx.Response(204)
        return httpx.Response(200, json=self.limits.model_dump(mode="json", by_alias=True))

    def _quarantine(self, method: str, body: dict[str, Any], request: httpx.Request) -> httpx.Response:
        if method == "GET":
            return httpx.Response(200, json={"quarantine": list(self.quarantine.values())})
        if method == "PUT":
            entry = self.quarantine[body["testId"]] = body | {"addedAt": CREATED, "by": "a key"}
            return httpx.Response(200, json={"quarantine": entry})
        if self.quarantine.pop(request.url.params["testId"], None) is None:
            return problem(404, "not-found", "this test is not in quarantine")
        return httpx.Response(204)

    def _paged(self, name: str, rows: list[dict[str, Any]], request: httpx.Request) -> httpx.Response:
        begin = int(request.url.params.get("cursor", "0"))
        end = begin + min(self.page, int(request.url.params.get("limit", self.page)))
        return httpx.Response(200, json={name: rows[begin:end], "cursor": str(end) if end < len(rows) else None})


TEST = {
    "id": "test_cart.py::test_pays", "file": "test_cart.py", "runs": 4, "failed": 1, "flaky": 2, "quarantined": True,
    "flakeRate": 0.5, "failureRate": 0.25, "expectedDuration": 1_500, "lastOutcomes": "PFKK", "lastRunAt": CREATED,
}  # fmt: skip

ANALYTICS = {
    "totalJobs": 3, "completedJobs": 2, "failedJobs": 1, "canceledJobs": 0, "successRate": 200 / 3,
    "averageDuration": 1500.0, "minDuration": 1000, "maxDuration": 2000, "p50Duration": 1000, "p95Duration": 2000,
    "errorTypes": {"assertion": 1}, "flakyTests": [{"id": "t::a", "count": 2}],
}  # fmt: skip


def _json(job: JobRecord) -> dict[str, Any]:
    return job.model_dump(mode="json", by_alias=True)


def _template(template_id: str, version: int, body: dict[str, Any]) -> dict[str, Any]:
    fields = ("name", "instructions", "bundleId", "url", "outputSchema", "parameters", "retry")
    times = {"createdAt": CREATED, "updatedAt": CREATED, "lastRunAt": None}
    known = {name: body.get(name) for name in fields}
    if body.get("script"):
        known["bundleId"] = BUNDLE
    return {"id": template_id, "version": version, "config": body.get("config", {})} | known | times
