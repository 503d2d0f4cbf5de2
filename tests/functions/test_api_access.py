"""Who is let in, what every answer has, and calls that there are not."""

import importlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from functions.api.handler import api, handler
from functions.api.openapi import document, operations
from functions.api.operations import Operation
from tests.functions.conftest import Cloud
from tests.support.builders import PROJECT, SCRIPT, job_id
from tests.support.events import CONTEXT, Answer, Http, http_event
from wainwright import __version__
from wainwright.adapters.clock import system_clock
from wainwright.contracts.problems import UNAVAILABLE_RETRY_SECONDS
from wainwright.contracts.scopes import Scope
from wainwright.settings import SettingsInvalid
from wainwright.usecases.manage_keys import ManageKeys

OUTAGES = [
    EndpointConnectionError(endpoint_url="https://dynamodb.example"),
    ReadTimeoutError(endpoint_url="https://dynamodb.example"),
    ClientError({"Error": {"Code": "ThrottlingException", "Message": "Rate of dynamodb exceeded"}}, "GetItem"),
]
SERVED = [operation for operation in operations() if operation.id != "streamEvents"]


def path_of(operation: Operation) -> str:
    return "/v1" + operation.path.replace("{jobId}", job_id(99)).replace("{path+}", "index.html")


class TestKeys:
    @pytest.mark.parametrize("operation", SERVED, ids=lambda operation: operation.id)
    def test_no_call_is_answered_without_a_key(self, http: Http, operation: Operation) -> None:
        answer = http(operation.method, path_of(operation), key=None)

        assert answer.problem(401, "unauthenticated")["advice"]
        assert answer.headers["www-authenticate"] == "Bearer"

    @pytest.mark.parametrize(
        "authorization", ["Bearer ww_wrong", "Bearer", "Basic abc", "ww_wrong", ""],
    )  # fmt: skip
    def test_a_wrong_key_is_no_key(self, http: Http, authorization: str) -> None:
        answer = http.get("/v1/health", key=None, headers={"Authorization": authorization})

        answer.problem(401, "unauthenticated")

    def test_a_revoked_key_is_no_key(self, http: Http, cloud: Cloud) -> None:
        keys = ManageKeys(cloud.access, system_clock)
        key, secret = keys.create(PROJECT, Scope.ADMIN, "n")
        keys.revoke(PROJECT, key.id)

        http.get("/v1/health", key=secret).problem(401, "unauthenticated")

    @pytest.mark.parametrize(
        "operation", [op for op in SERVED if op.scope is not Scope.READ], ids=lambda operation: operation.id
    )
    def test_a_key_that_may_only_read_changes_nothing(self, http: Http, cloud: Cloud, operation: Operation) -> None:
        answer = http(operation.method, path_of(operation), key=cloud.key(Scope.READ), json_body={"script": SCRIPT})

        assert answer.problem(403, "forbidden")["advice"]

    def test_header_names_may_be_in_any_case(self, cloud: Cloud) -> None:
        event = http_event("GET", "/v1/health")
        event["headers"]["Authorization"] = f"Bearer {cloud.key()}"

        assert Answer.of(handler(event, CONTEXT)).status == 200


class TestEveryCall:
    @pytest.mark.parametrize("operation", SERVED, ids=lambda operation: operation.id)
    def test_is_served(self, http: Http, cloud: Cloud, operation: Operation) -> None:
        body: dict[str, object] | None = {} if operation.needs_body else None
        answer = http(operation.method, path_of(operation), key=cloud.key(operation.scope), json_body=body)

        assert answer.status in {operation.status, *operation.problems}
        if answer.status == 404:
            assert "no call" not in answer.json["detail"]

    def test_health_tells_who_asks(self, http: Http) -> None:
        answer = http.get("/v1/health")

        assert answer.json == {"status": "ok", "version": __version__, "stage": "test", "project": PROJECT}

    def test_the_openapi_document_is_served(self, http: Http) -> None:
        assert http.get("/v1/openapi.json").json == document()

    def test_answers_are_neither_guessed_at_nor_kept(self, http: Http) -> None:
        for answer in (http.get("/v1/health"), http.get("/v1/nowhere"), http.get("/v1/health", key=None)):
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["cache-control"] == "no-store"


class TestNoSuchCall:
    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("GET", "/"),
            ("GET", "/v1"),
            ("GET", "/v1/"),
            ("GET", "/v1/nowhere"),
            ("GET", "/v2/health"),
            ("DELETE", "/v1/health"),
            ("PUT", "/v1/jobs"),
            ("GET", f"/v1/jobs/{job_id(1)}/nowhere"),
            ("POST", f"/v1/jobs/{job_id(1)}"),
            ("GET", f"/v1/jobs/{job_id(1)}/events"),
            ("POST", "/r/ticket/index.html"),
        ],
    )
    def test_is_a_problem_that_says_where_to_look(self, http: Http, method: str, path: str) -> None:
        problem = http(method, path).problem(404, "not-found")

        assert f"{method} {path}" in problem["detail"]
        assert "openapi.json" in problem["advice"]


def test_a_fault_of_ours_tells_nothing_of_the_inside_but_where_to_find_it(
    http: Http, cloud: Cloud, caplog: pytest.LogCaptureFixture
) -> None:
    cloud.clients.dynamodb.delete_table(TableName="wainwright-test")

    answer = http.get("/v1/health", key="ww_" + "x" * 43)

    problem = answer.problem(500, "internal")
    assert "wainwright-test" not in answer.content.decode()
    assert "ResourceNotFound" not in answer.content.decode()
    assert problem["instance"] in {record.__dict__.get("requestId") for record in caplog.records}
    assert any(record.exc_info for record in caplog.records)


@pytest.mark.parametrize("error", OUTAGES, ids=lambda error: type(error).__name__)
def test_when_the_database_does_not_answer_or_is_too_busy_the_caller_is_asked_to_come_again(
    http: Http, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(BaseClient, "_make_api_call", fail)

    answer = http.get("/v1/health", key="ww_" + "z" * 43)

    problem = answer.problem(503, "unavailable")
    assert answer.headers["retry-after"] == str(UNAVAILABLE_RETRY_SECONDS)
    assert "again" in problem["advice"]
    assert "dynamodb" not in answer.content.decode().lower()
    assert problem["instance"] in {record.__dict__.get("requestId") for record in caplog.records}
    assert any(record.exc_info for record in caplog.records)


def test_without_its_settings_it_names_what_is_missing(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    api.cache_clear()
    monkeypatch.delenv("WAINWRIGHT_BUCKET")

    with pytest.raises(SettingsInvalid, match="WAINWRIGHT_BUCKET"):
        api()


@pytest.mark.parametrize("module", ["dispatch_jobs", "finish_job", "publish_events", "stream_events", "sweep"])
def test_every_function_names_a_setting_that_is_missing(monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    function: Any = importlib.import_module(f"functions.{module}.handler")
    put_together: Any = next(value for value in vars(function).values() if hasattr(value, "cache_clear"))
    put_together.cache_clear()
    for name in ("WAINWRIGHT_TABLE", "WAINWRIGHT_EVENT_BUS", "WAINWRIGHT_STAGE"):
        monkeypatch.delenv(name, raising=False)

    with pytest.raises(SettingsInvalid, match=r"WAINWRIGHT_(TABLE|EVENT_BUS)"):
        put_together()


_IMPORT = """
import sys

def refuse(event, _arguments):
    if event.startswith("socket.connect"):
        raise SystemExit("opened a connection")

sys.addaudithook(refuse)
"""


def test_importing_functions_needs_no_environment_and_opens_no_connection() -> None:
    names = [
        path.name for path in (Path(__file__).parents[2] / "functions").iterdir() if (path / "handler.py").exists()
    ]
    assert len(names) >= 7
    program = _IMPORT + "\n".join(f"import functions.{name}.handler" for name in names)

    done = subprocess.run(
        [sys.executable, "-c", program], env={"PYTHONPATH": os.pathsep.join(sys.path)}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
