"""The declared operations, and what the OpenAPI document says of them."""

import json
import re

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from functions.api.openapi import document, operations
from functions.api.operations import MODULES, Operation
from wainwright.contracts.http.jobs import CreateJob


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

    assert described == {(op.method, "/v1" + op.path.replace("+", "")): op.id for op in operations()}


def test_every_operation_but_the_event_stream_is_served_by_the_api() -> None:
    ids = [operation.id for operation in operations()]

    assert len(ids) == len(set(ids))
    assert [operation.id for operation in operations() if not operation.served] == ["streamEvents"]


@pytest.mark.parametrize("operation", operations(), ids=lambda operation: operation.id)
def test_the_path_of_an_operation_leads_to_its_module_alone(operation: Operation) -> None:
    path = "/v1" + re.sub(r"{\w+\+?}", "0a", operation.path)

    found = [module for module, paths in MODULES.items() if paths.match(path)]

    assert [f"functions.api.{module}" for module in found] == [operation.call.__module__]


@pytest.mark.parametrize("operation", operations(), ids=lambda operation: operation.id)
def test_each_operation_tells_its_answers_parameters_and_scope(operation: Operation) -> None:
    described = document()["paths"]["/v1" + operation.path.replace("+", "")][operation.method.lower()]

    assert str(operation.status) in described["responses"]
    assert {str(status) for status in (401, 403, 500, 503, *operation.problems)} <= set(described["responses"])
    named = [parameter["name"] for parameter in described["parameters"] if parameter["in"] == "path"]
    assert named == re.findall(r"{(\w+)\+?}", operation.path)
    asked = [parameter["name"] for parameter in described["parameters"] if parameter["in"] == "query"]
    assert asked == [*operation.queries]
    assert f"`{operation.scope}`" in described["description"]
    assert ("requestBody" in described) == operation.takes_body
    assert (operation.status == 204) <= (operation.answer is None)


def test_fields_are_spelt_as_on_the_wire() -> None:
    properties = document()["components"]["schemas"]["CreateJob"]["properties"]

    assert set(properties) == {info.alias or name for name, info in CreateJob.model_fields.items()}
    assert "lowPriority" in properties
    assert document()["components"]["schemas"]["CreateJob"]["additionalProperties"] is False
