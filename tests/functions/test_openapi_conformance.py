"""Every call, with requests made from the OpenAPI document: no fault of the system, and no answer that it does not describe."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import hypothesis.strategies as st
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from functions.api.openapi import operations
from functions.api.operations import Operation
from tests.functions.stage import SCRIPT, Stage, running_stage
from wainwright.contracts.scopes import Scope
from wainwright.usecases import stream_events

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = 20
"""Requests for each call."""


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with running_stage(tmp_path_factory.mktemp("home")) as found:
        yield found


@pytest.fixture(scope="module")
def described(stage: Stage) -> Iterator[schemathesis.BaseSchema]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(stream_events, "SEGMENT_SECONDS", 0.5)
        patched.setattr(stream_events, "POLL_SECONDS", 0.5)
        yield schemathesis.openapi.from_wsgi("/v1/openapi.json", stage.api, headers=_headers(stage))


def _headers(stage: Stage) -> dict[str, str]:
    return {"Authorization": f"Bearer {stage.keys[Scope.ADMIN]}"}


def _some_things(stage: Stage) -> dict[tuple[str, str], str]:
    """Ids of things that are there, by the path parameter that they stand for and their state."""
    with stage.client() as client:
        client.put("/v1/limits", json={"queued": 100_000})
        pending = client.post("/v1/jobs", json={"script": SCRIPT}).json()["jobId"]
        failed = client.post("/v1/jobs", json={"instructions": "Press the button."}).json()["jobId"]
        template = client.post("/v1/templates", json={"name": "one", "script": SCRIPT}).json()["template"]["id"]
        other = client.post("/v1/templates", json={"name": "two", "instructions": "Press."}).json()["template"]["id"]
        key = client.post("/v1/keys", json={"name": "a key"}).json()["key"]["id"]
    return {
        ("jobId", "pending"): pending, ("jobId", "failed"): failed, ("templateId", "pending"): template,
        ("templateId", "failed"): other, ("keyId", "pending"): key,
    }  # fmt: skip


@pytest.mark.parametrize("operation", operations(), ids=lambda operation: operation.id)
def test_answers_as_the_document_says(operation: Operation, described: schemathesis.BaseSchema, stage: Stage) -> None:
    path = "/v1" + operation.path.replace("{path+}", "{path}")
    known = _some_things(stage)

    @settings(
        max_examples=EXAMPLES, derandomize=True, deadline=None, database=None,
        phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=described[path][operation.method].as_strategy(), of=st.sampled_from([None, "pending", "failed"]))
    def conforms(case: schemathesis.Case[Any], of: str | None) -> None:
        if of is not None:  # random ids alone would be answered by 404 alone
            case.path_parameters.update({name: known[name, of] for name in case.path_parameters if (name, of) in known})
        case.call_and_validate(headers=_headers(stage), checks=CHECKS)

    conforms()
