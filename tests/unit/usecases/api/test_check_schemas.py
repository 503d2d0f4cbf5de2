"""JSON schemas that users declare."""

from typing import Any

import pytest

from wainwright.domain.errors import InvalidInput, TooLarge
from wainwright.usecases.check_schemas import MAX_DETAIL_BYTES, check_schema, check_size, check_value


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object"},
        {"type": "object", "properties": {"url": {"type": "string", "format": "uri", "pattern": "^https?:"}}},
        {"$defs": {"node": {"properties": {"next": {"$ref": "#/$defs/node"}}}}, "$ref": "#/$defs/node"},
        {"properties": {"$ref": {"type": "string"}}},
    ],
)
def test_takes_schemas_of_the_dialect(schema: dict[str, Any]) -> None:
    check_schema("outputSchema", schema)


@pytest.mark.parametrize(
    ("schema", "field"),
    [
        ({"type": "objekt"}, "outputSchema.type"),
        ({"properties": {"a": {"minimum": "1"}}}, "outputSchema.properties.a.minimum"),
        ({"required": "a"}, "outputSchema.required"),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, "outputSchema.$schema"),
        ({"$ref": "https://elsewhere.example/schema"}, "outputSchema.$ref"),
        ({"items": {"$ref": "file:///etc/passwd"}}, "outputSchema.items.$ref"),
        ({"anyOf": [{"$dynamicRef": "other#x"}]}, "outputSchema.anyOf.0.$dynamicRef"),
        ({"properties": {"a": {"$ref": "#/$defs/missing"}}}, "outputSchema.properties.a.$ref"),
        ({"$ref": "#"}, "outputSchema"),
        ({"properties": {"a": {"pattern": "("}}}, "outputSchema.properties.a.pattern"),
        ({"pattern": "a{99999999999999999999}"}, "outputSchema"),
        ({"patternProperties": {"[": {}}}, "outputSchema.patternProperties"),
    ],
)
def test_refuses_what_is_no_schema_and_names_the_path(schema: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_schema("outputSchema", schema)

    assert refused.value.field == field


def test_refuses_a_schema_that_is_nested_beyond_reason() -> None:
    schema: dict[str, Any] = {}
    for _ in range(2_000):
        schema = {"items": schema}

    with pytest.raises(InvalidInput):
        check_schema("outputSchema", schema)


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ({"count": "3"}, "params.count"),
        ({"count": 3, "items": [1, "2"]}, "params.items.1"),
        ({}, "params.count"),
        ([], "params"),
    ],
)
def test_names_the_path_of_a_value_that_does_not_fit(value: object, field: str) -> None:
    schema = {
        "type": "object",
        "properties": {"count": {"type": "integer"}, "items": {"items": {"type": "integer"}}},
        "required": ["count"],
    }
    with pytest.raises(InvalidInput) as refused:
        check_value("params", schema, value)

    assert refused.value.field == field


def test_takes_a_value_that_fits() -> None:
    check_value("params", {"type": "object"}, {"a": 1})


def test_names_the_largest_part_of_what_is_too_large() -> None:
    check_size(params={"a": "x" * (MAX_DETAIL_BYTES - 20)}, config={})
    with pytest.raises(TooLarge) as refused:
        check_size(params={"a": "x" * (MAX_DETAIL_BYTES - 20)}, config={"userAgent": "y" * 100})

    assert "params has" in refused.value.message
    assert str(MAX_DETAIL_BYTES) in refused.value.message


@pytest.mark.parametrize("number", [float("nan"), float("inf"), 10**5_000], ids=["nan", "infinite", "5,001 digits"])
def test_refuses_numbers_that_json_cannot_write(number: float) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_size(params={"a": number})

    assert refused.value.field == "params"
