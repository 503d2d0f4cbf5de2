"""Parameters of templates."""

from datetime import UTC, datetime
from typing import Any

import pytest

from wainwright.domain.errors import InvalidInput
from wainwright.domain.templates import Template
from wainwright.usecases.fill_parameters import CONFIG, OPTIONS, check_parameters, fill_parameters, request_of

NOW = datetime(2026, 11, 22, tzinfo=UTC)
PARAMETERS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "items": {"type": "integer", "minimum": 1},
        "currency": {"enum": ["EUR", "USD"], "default": "EUR"},
        "tags": {"type": "array", "default": []},
    },
    "required": ["items"],
}


def a_template(parameters: dict[str, Any] | None = PARAMETERS) -> Template:
    return Template(
        project="shop", id="7f4df6f4-3a54-4c60-9a4e-7a4f4c7f1a01", version=1, name="x", parameters=parameters,
        created_at=NOW, updated_at=NOW,
    )  # fmt: skip


def test_knows_options_and_config_keys_as_they_are_spelt_on_the_wire() -> None:
    assert {"url", "label", "priority", "lowPriority", "retry", "parallelism", "dependsOn"} == OPTIONS
    assert {"timeout", "viewport", "waitFor", "blockAds", "disableImages", "reducedMotion", "extraHeaders"} < CONFIG


@pytest.mark.parametrize("name", ["timeout", "waitFor", "url", "dependsOn", "lowPriority"])
def test_a_parameter_may_not_be_named_like_an_option_or_a_config_key(name: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_parameters({"type": "object", "properties": {name: {}}})

    assert refused.value.field == f"parameters.properties.{name}"


@pytest.mark.parametrize(
    ("schema", "field"),
    [
        ({}, "parameters.type"),
        ({"type": "array"}, "parameters.type"),
        ({"type": "object", "required": ["ghost"]}, "parameters.required"),
        ({"type": "object", "properties": {"a": {"type": 7}}}, "parameters.properties.a.type"),
        ({"type": "object", "properties": []}, "parameters.properties"),
    ],
)
def test_refuses_what_cannot_declare_parameters(schema: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_parameters(schema)

    assert refused.value.field == field


def test_declared_defaults_stand_for_what_is_left_out() -> None:
    assert fill_parameters(a_template(), {"items": 2}) == {"items": 2, "currency": "EUR", "tags": []}


def test_defaults_are_not_shared_between_jobs() -> None:
    fill_parameters(a_template(), {"items": 2})["tags"].append("one job's")
    assert fill_parameters(a_template(), {"items": 2})["tags"] == []


@pytest.mark.parametrize(
    ("given", "field"),
    [({"items": 0}, "params.items"), ({}, "params.items"), ({"items": 1, "size": 4}, "params.size")],
)
def test_refuses_parameters_that_the_template_does_not_allow(given: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        fill_parameters(a_template(), given)

    assert refused.value.field == field


def test_a_template_that_declares_nothing_takes_nothing() -> None:
    assert fill_parameters(a_template(None), {}) == {}
    with pytest.raises(InvalidInput):
        fill_parameters(a_template(None), {"items": 1})


def test_sorts_a_flat_body_into_options_config_and_parameters() -> None:
    request = request_of(
        a_template(),
        {
            "url": "https://a.example",
            "priority": 5,
            "timeout": 5_000,
            "viewport": {"width": 800, "height": 600},
            "items": 3,
        },
    )

    assert (request.url, request.priority, request.config.timeout) == ("https://a.example", 5, 5_000)
    assert request.params == {"items": 3}
    assert request.template_id == a_template().id


@pytest.mark.parametrize(
    ("flat", "field"),
    [
        ({"items": 1, "colour": "red"}, "colour"),
        ({"items": "one"}, "items"),
        ({}, "items"),
        ({"items": 1, "timeout": "soon"}, "timeout"),
        ({"items": 1, "url": "no address"}, "url"),
        ({"items": 1, "instructions": "Press."}, "instructions"),
    ],
)
def test_names_the_key_at_fault_in_a_flat_body(flat: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        request_of(a_template(), flat)

    assert refused.value.field == field
    assert "\n" not in refused.value.message
