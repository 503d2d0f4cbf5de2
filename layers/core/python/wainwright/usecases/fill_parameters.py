"""Parameters that a template declares, and the values that a call gives for them."""

import copy
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from wainwright.domain.errors import InvalidInput
from wainwright.domain.job_config import JobConfig
from wainwright.domain.job_requests import JobOptions, JobRequest
from wainwright.domain.record import Record, input_fault
from wainwright.domain.templates import Template
from wainwright.usecases.check_schemas import check_schema, check_value


def _wire_names(model: type[Record]) -> frozenset[str]:
    return frozenset(field.alias or name for name, field in model.model_fields.items())


OPTIONS = _wire_names(JobOptions)
CONFIG = _wire_names(JobConfig)


def declared(parameters: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Return the declared parameters: name → schema."""
    properties: Mapping[str, Any] = (parameters or {}).get("properties", {})
    return properties


def check_parameters(schema: Mapping[str, Any]) -> None:
    """Refuse what cannot declare parameters that come flat among options and config keys (requirement A2).

    Raises:
        InvalidInput: it is no schema of type object, or a parameter is named like an option or a config key.
    """
    if schema.get("type") != "object":
        raise InvalidInput(
            "parameters.type", "parameters must be a JSON schema of type object",
            advice='Write {"type": "object", "properties": {…}}.',
        )  # fmt: skip
    check_schema("parameters", schema)
    for name in declared(schema):
        if name in OPTIONS | CONFIG:
            raise InvalidInput(
                f"parameters.properties.{name}", f"a parameter may not be named {name}: that is an option of every job",
                advice="Give it another name.",
            )  # fmt: skip
    for name in schema.get("required", ()):
        if name not in declared(schema):
            raise InvalidInput(
                "parameters.required", f"{name!r} is required but not declared, so no value could be given",
                advice="Declare it below properties.",
            )  # fmt: skip


def fill_parameters(template: Template, given: Mapping[str, Any], *, field: str = "params") -> dict[str, Any]:
    """Return the parameters of a job: what was given, with the declared defaults for the rest.

    Raises:
        InvalidInput: one is not declared, or does not fit the schema; it is named below ``field``, if that is given.
    """
    known = declared(template.parameters)
    for name in given:
        if name not in known:
            raise _unknown(f"{field}.{name}" if field else name, name, known)
    values = {
        name: copy.deepcopy(schema["default"])
        for name, schema in known.items()
        if isinstance(schema, dict) and "default" in schema
    } | dict(given)
    if template.parameters is not None:
        check_value(field, template.parameters, values)
    return values


def request_of(template: Template, flat: Mapping[str, Any]) -> JobRequest:
    """Return the request that a flat body stands for: options, config keys and declared parameters in one object.

    Raises:
        InvalidInput: a key is none of these, or its value is wrong.
    """
    known = declared(template.parameters)
    for name in flat:
        if name not in OPTIONS and name not in CONFIG and name not in known:
            raise _unknown(name, name, known)
    params = {name: value for name, value in flat.items() if name in known}
    fill_parameters(template, params, field="")
    options = {name: value for name, value in flat.items() if name in OPTIONS}
    try:
        config = JobConfig.model_validate({name: value for name, value in flat.items() if name in CONFIG})
        return JobRequest.model_validate(options | {"templateId": template.id, "config": config, "params": params})
    except ValidationError as error:
        raise input_fault(error) from error


def _unknown(field: str, name: str, known: Mapping[str, Any]) -> InvalidInput:
    declares = ", ".join(known) or "none"
    return InvalidInput(
        field[:200], f"the template declares no parameter {name[:100]!r}", advice=f"Declared parameters: {declares}."
    )
