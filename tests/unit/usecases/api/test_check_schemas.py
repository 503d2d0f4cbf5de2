"""JSON schemas that users declare."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from wainwright.domain.errors import InvalidInput, TooLarge
from wainwright.usecases import check_schemas
from wainwright.usecases.check_schemas import MAX_DETAIL_BYTES, MAX_PLAIN, check_schema, check_size, check_value


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


@pytest.mark.parametrize("number", [10**400, float("inf"), float("nan")], ids=["400 digits", "infinite", "nan"])
def test_a_number_that_cannot_be_divided_does_not_fit(number: float) -> None:
    with pytest.raises(InvalidInput):
        check_value("params", {"multipleOf": 0.5}, number)


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


@pytest.fixture
def short_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_schemas, "CPU_SECONDS", 0.3)


def _repeated(times: int, innermost: dict[str, Any], wrap: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
    """Return a schema whose definitions each refer to the next one more than once."""
    definitions = {f"d{number}": wrap(f"#/$defs/d{number + 1}") for number in range(times)}
    return {"$defs": definitions | {f"d{times}": innermost}, "$ref": "#/$defs/d0"}


MULTIPLYING: dict[str, Callable[[str], dict[str, Any]]] = {
    "allOf": lambda ref: {"allOf": [{"$ref": ref}, {"$ref": ref}]},
    "anyOf": lambda ref: {"anyOf": [{"$ref": ref}, {"$ref": ref}]},
    "oneOf": lambda ref: {"oneOf": [{"$ref": ref}, {"$ref": ref}]},
    "not": lambda ref: {"not": {"$ref": ref}, "$ref": ref},
    "if": lambda ref: {"if": {"$ref": ref}, "then": {"$ref": ref}, "else": {"$ref": ref}},
    "unevaluatedProperties": lambda ref: {
        "allOf": [{"$ref": ref}, {"$ref": ref}],
        "unevaluatedProperties": {"$ref": ref},
    },
}


@pytest.mark.parametrize("keyword", MULTIPLYING)
def test_refuses_references_that_multiply(keyword: str, short_bound: None) -> None:
    with pytest.raises(InvalidInput, match="CPU time") as refused:
        check_schema("outputSchema", _repeated(40, {"type": "null"}, MULTIPLYING[keyword]))

    assert refused.value.field == "outputSchema"


MEETING: dict[str, Callable[[str], dict[str, Any]]] = {
    "pattern": lambda pattern: {"additionalProperties": {"pattern": pattern}},
    "propertyNames": lambda pattern: {"propertyNames": {"pattern": pattern}},
    "patternProperties": lambda pattern: {"patternProperties": {pattern: {}}},
    "unevaluatedProperties": lambda pattern: {"unevaluatedProperties": {"pattern": pattern}},
}


@pytest.mark.parametrize(
    ("keyword", "pattern"),
    [
        *(("pattern", each) for each in ("^(a+)+$", "^(a|aa)+$", "^(a*)*b$", "^(?:a?){40}a{40}$", "(.*a){30}$")),
        *((keyword, "^(a|a)*$") for keyword in MEETING),
    ],
)
def test_a_pattern_that_never_ends_is_a_fault_of_the_value_it_meets(
    keyword: str, pattern: str, short_bound: None
) -> None:
    text = "a" * 39 + "!"
    with pytest.raises(InvalidInput, match="CPU time") as refused:
        check_value("results", MEETING[keyword](pattern), {text: text})

    assert refused.value.field == "results"


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"uniqueItems": True}, [{"n": number} for number in range(12_000)]),
        ({"items": {"enum": list(range(20_000))}}, [-1] * 20_000),
        ({"items": {"required": [str(number) for number in range(5_000)]}}, [{}] * 5_000),
        ({"anyOf": [{"type": "null"}] * 5_000}, {"x": "y" * 150_000}),
    ],
    ids=["unique", "enum", "required", "memory"],
)
def test_a_check_that_costs_too_much_ends(schema: dict[str, Any], value: object, short_bound: None) -> None:
    with pytest.raises(InvalidInput, match=r"CPU time .* MiB"):
        check_value("results", schema, value)


def test_other_threads_run_while_a_pattern_is_matched(short_bound: None) -> None:
    beats = 0
    over = threading.Event()

    def beat() -> None:
        nonlocal beats
        while not over.wait(0.05):
            beats += 1

    heart = threading.Thread(target=beat)
    heart.start()
    try:
        with pytest.raises(InvalidInput):
            check_value("results", {"pattern": "^(a+)+$"}, "a" * 39 + "!")
    finally:
        over.set()
        heart.join()

    assert beats > 3


@pytest.mark.parametrize("padding", ["", "x" * MAX_PLAIN], ids=["here", "in a process"])
def test_a_fault_reads_the_same_wherever_it_is_found(padding: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_value("params", {"title": padding, "properties": {"é": {"type": "string"}}}, {"é": 3})

    assert (refused.value.field, refused.value.message) == ("params.é", "params.é: 3 is not of type 'string'")


def test_takes_a_schema_of_the_largest_size() -> None:
    one = {"type": "string", "pattern": "^[a-z]+$"}
    schema = {"properties": {f"p{number}": one for number in range(MAX_DETAIL_BYTES // 52)}}

    check_schema("outputSchema", schema)
    check_value("results", schema, {f"p{number}": "abc" for number in range(MAX_DETAIL_BYTES // 52)})
