"""Bodies of requests and payloads: what is taken, what is refused, and how it is said."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from tests.support.builders import job_id
from wainwright.contracts.http.bounds import MAX_BUNDLE_BYTES
from wainwright.contracts.http.bundles import CreateBundle
from wainwright.contracts.http.jobs import CreateJob
from wainwright.contracts.messages import ExecutionInput, FinishInput, TokenResult, WakeUp, WorkMessage
from wainwright.domain.job_requests import MAX_SCRIPT_BYTES
from wainwright.domain.jobs import MAX_PRIORITY
from wainwright.domain.record import input_fault

DIGEST = "ab" * 32


def fault(model: type[CreateJob | CreateBundle], body: object) -> tuple[str, str]:
    text = body if isinstance(body, str) else json.dumps(body)
    with pytest.raises(ValidationError) as refused:
        model.model_validate_json(text)
    error = input_fault(refused.value)
    assert error.advice
    return error.field, error.message


class TestCreateJob:
    def test_takes_everything_there_is_in_camel_case(self) -> None:
        body = {
            "bundleId": DIGEST, "url": "http://127.0.0.1:8000/a?b=c", "label": "l", "params": {"a": [1, None]},
            "config": {"timeout": 1_000, "browser": "chromium", "trace": "on", "screenshot": "off", "video": "retain-on-failure"},
            "priority": -5, "lowPriority": True, "dependsOn": ["a"],
            "retry": {"maxAttempts": 3, "delayMs": 0, "backoffMultiplier": 1.5},
        }  # fmt: skip

        request = CreateJob.model_validate_json(json.dumps(body))

        assert json.loads(request.model_dump_json(by_alias=True, exclude_none=True)) == body

    @pytest.mark.parametrize(
        ("fields", "field"),
        [
            pytest.param({"scrpt": "x"}, "scrpt", id="a misspelt field"),
            pytest.param({"bundleId": "nope"}, "bundleId", id="no digest"),
            pytest.param({"bundleId": DIGEST.upper()}, "bundleId", id="a digest in capitals"),
            pytest.param({"bundleId": DIGEST + "\n"}, "bundleId", id="a digest and a line end"),
            pytest.param({"script": ""}, "script", id="an empty script"),
            pytest.param({"script": 5}, "script", id="a script that is a number"),
            pytest.param({"script": "x", "url": "shop"}, "url", id="half an address"),
            pytest.param({"script": "x", "url": "file:///etc/passwd"}, "url", id="an address of a file"),
            pytest.param({"script": "x", "url": "http://a/" + "b" * 2_048}, "url", id="an endless address"),
            pytest.param({"script": "x", "label": ""}, "label", id="an empty label"),
            pytest.param({"script": "x", "label": "l" * 201}, "label", id="a long label"),
            pytest.param({"script": "x", "params": []}, "params", id="params that are a list"),
            pytest.param({"script": "x", "priority": MAX_PRIORITY + 1}, "priority", id="too high a priority"),
            pytest.param({"script": "x", "priority": 1.5}, "priority", id="half a priority"),
            pytest.param({"script": "x", "config": {"timeout": 999}}, "config.timeout", id="too short a timeout"),
            pytest.param({"script": "x", "config": {"timeout": 39_600_001}}, "config.timeout", id="too long a timeout"),
            pytest.param({"script": "x", "config": {"browser": "ie"}}, "config.browser", id="an unknown browser"),
            pytest.param({"script": "x", "config": {"waitForr": 1}}, "config.waitForr", id="a misspelt setting"),
            pytest.param({"script": "x", "retry": {"maxAttempts": 0}}, "retry.maxAttempts", id="no try at all"),
            pytest.param({"script": "x", "retry": {"delayMs": -1}}, "retry.delayMs", id="a delay into the past"),
        ],
    )
    def test_names_the_field_at_fault_as_it_is_spelt_on_the_wire(self, fields: dict[str, Any], field: str) -> None:
        named, message = fault(CreateJob, fields)

        assert named == field
        assert field in message

    @pytest.mark.parametrize(
        "body",
        [
            pytest.param({}, id="nothing to run"),
            pytest.param({"script": "x", "bundleId": DIGEST}, id="two things to run"),
            pytest.param({"script": "ä" * (MAX_SCRIPT_BYTES // 2 + 1)}, id="a script over the bound"),
            pytest.param([], id="a list"),
            pytest.param("", id="an empty body"),
            pytest.param("{", id="half an object"),
            pytest.param("null", id="null"),
        ],
    )
    def test_names_the_body_where_no_field_is_at_fault(self, body: object) -> None:
        field, message = fault(CreateJob, body)

        assert field == "body"
        assert message

    def test_a_script_may_be_as_large_as_the_bound(self) -> None:
        assert len(CreateJob(script="x" * MAX_SCRIPT_BYTES).script or "") == MAX_SCRIPT_BYTES


class TestCreateBundle:
    @pytest.mark.parametrize("size", [0, -1, MAX_BUNDLE_BYTES + 1, 1.5, "many"])
    def test_refuses_a_size_out_of_bounds(self, size: object) -> None:
        assert fault(CreateBundle, {"sha256": DIGEST, "size": size})[0] == "size"

    def test_takes_a_bundle_of_the_largest_size(self) -> None:
        assert CreateBundle(sha256=DIGEST, size=MAX_BUNDLE_BYTES).size == MAX_BUNDLE_BYTES


class TestMessages:
    def test_what_the_state_machine_adds_is_what_finish_takes(self) -> None:
        request = ExecutionInput(project="p", job_id=job_id(1), run=2, timeout_seconds=60)
        body = json.loads(request.model_dump_json(by_alias=True))
        ended = json.loads(TokenResult(job_id=job_id(1), run=2, fence=3).model_dump_json(by_alias=True))

        well = FinishInput.model_validate(body | {"ended": ended})
        badly = FinishInput.model_validate(body | {"error": {"Error": "States.Timeout"}})

        assert (well.job_id, well.run, well.ended) == (job_id(1), 2, TokenResult(job_id=job_id(1), run=2, fence=3))
        assert badly.error is not None
        assert (badly.error.error, badly.error.cause) == ("States.Timeout", None)

    def test_messages_are_spelt_as_the_state_machine_spells_them(self) -> None:
        message = WorkMessage(project="p", job_id=job_id(1), run=1, task_token="t")

        told = json.loads(message.model_dump_json(by_alias=True, exclude_defaults=True))
        assert sorted(told) == ["jobId", "project", "run", "taskToken"]
        assert json.loads(WakeUp(project="p").model_dump_json(by_alias=True, exclude_defaults=True)) == {"project": "p"}
