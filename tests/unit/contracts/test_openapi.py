"""The OpenAPI document: valid, and the truth about what is served."""

import json
import re

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from functions.api.calls import CALLS, call_of
from wainwright.contracts.bodies import ANSWERS, REQUESTS
from wainwright.contracts.http.jobs import CreateJob
from wainwright.contracts.openapi import document
from wainwright.contracts.operations import OPERATIONS
from wainwright.contracts.scopes import Scope


def test_is_a_valid_openapi_document() -> None:
    OpenAPIV31SpecValidator(document()).validate()


def test_can_be_written_as_json() -> None:
    assert json.loads(json.dumps(document())) == document()


def test_describes_every_operation_and_no_others() -> None:
    described = {
        (method.upper(), path): operation["operationId"]
        for path, methods in document()["paths"].items()
        for method, operation in methods.items()
    }

    assert described == {(op.method, "/v1" + op.path.replace("+", "")): op.id for op in OPERATIONS}


def test_every_operation_is_served_by_the_api_or_is_the_event_stream() -> None:
    ids = [operation.id for operation in OPERATIONS]

    assert len(ids) == len(set(ids))
    assert set(CALLS) | {"streamEvents"} == set(ids)
    assert "streamEvents" not in CALLS
    assert all(callable(call_of(each)) for each in CALLS)


def test_every_body_belongs_to_an_operation() -> None:
    assert {*REQUESTS, *ANSWERS} <= {operation.id for operation in OPERATIONS}
    assert not {operation.id for operation in OPERATIONS if operation.status == 204} & set(ANSWERS)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_each_operation_tells_its_answers_parameters_and_scope(operation: object) -> None:
    from wainwright.contracts.operations import Operation

    assert isinstance(operation, Operation)
    described = document()["paths"]["/v1" + operation.path.replace("+", "")][operation.method.lower()]

    assert str(operation.status) in described["responses"]
    assert {str(status) for status in (401, 403, 500, 503, *operation.problems)} <= set(described["responses"])
    named = [parameter["name"] for parameter in described["parameters"] if parameter["in"] == "path"]
    assert named == re.findall(r"{(\w+)\+?}", operation.path)
    asked = [parameter["name"] for parameter in described["parameters"] if parameter["in"] == "query"]
    assert asked == [query.name for query in operation.queries]
    assert f"`{operation.scope}`" in described["description"]
    flat = operation.id == "invokeTemplate"  # its body depends on the template, so no model says it
    assert ("requestBody" in described) == (operation.id in REQUESTS or flat)


def test_fields_are_spelt_as_on_the_wire() -> None:
    properties = document()["components"]["schemas"]["CreateJob"]["properties"]

    assert set(properties) == {info.alias or name for name, info in CreateJob.model_fields.items()}
    assert "lowPriority" in properties
    assert document()["components"]["schemas"]["CreateJob"]["additionalProperties"] is False


def test_scopes_grow() -> None:
    assert [[needed for needed in Scope if scope.allows(needed)] for scope in Scope] == [
        [Scope.READ],
        [Scope.READ, Scope.RUN],
        [Scope.READ, Scope.RUN, Scope.ADMIN],
    ]
