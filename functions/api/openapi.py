"""The OpenAPI 3.1 document, made from the declared operations and the models that they name."""

import json
import re
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any, Literal, cast

from pydantic.json_schema import models_json_schema

from functions.api.operations import MODULES, Operation, Router
from wainwright.contracts.http.service import Problem
from wainwright.contracts.problems import CONTENT_TYPE
from wainwright.domain.job_config import JobConfig
from wainwright.domain.job_requests import JobOptions
from wainwright.domain.record import Record
from wainwright.version import __version__

Mode = Literal["validation", "serialization"]
Schemas = Mapping[tuple[type[Record], Mode], dict[str, Any]]

ALWAYS = (401, 403, 500, 503)
"""Problems that any call may answer with."""

_TITLES = {
    400: "A field is wrong; `field` names it.",
    401: "No valid API key.",
    403: "The key lacks the scope.",
    404: "This does not exist in this project.",
    409: "The state does not allow this.",
    413: "Over a size bound.",
    429: "The project's capacity is used up; see Retry-After.",
    500: "An error in the system; search the logs for `instance`.",
    503: "A service that the system depends on is busy or did not answer; see Retry-After.",
}


@cache
def operations() -> tuple[Operation, ...]:
    """Return every operation. Each may also answer 401, 403, 429 of the gateway, 500 and 503."""
    routers: list[Router] = [import_module(f"functions.api.{name}").route for name in MODULES]
    return tuple(operation for router in routers for operation in router.operations)


@cache
def document() -> dict[str, Any]:
    """Return the document as JSON-able values. The same object each time: not to be changed."""
    requests: set[type[Record]] = {each.model for each in operations() if each.model} | {JobOptions, JobConfig}
    answers: set[type[Record]] = {each.answer for each in operations() if each.answer} | {Problem}
    wanted: list[tuple[type[Record], Mode]] = [(model, "validation") for model in requests]
    wanted += [(model, "serialization") for model in answers]
    schemas, definitions = models_json_schema(
        sorted(wanted, key=lambda each: (each[0].__name__, each[1])), ref_template="#/components/schemas/{model}"
    )
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations():
        path = "/v1" + operation.path.replace("{path+}", "{path}")
        paths.setdefault(path, {})[operation.method.lower()] = _describe(operation, cast("Schemas", schemas))
    return {
        "openapi": "3.1.0",
        "info": {"title": "Wainwright", "version": __version__, "license": {"name": "Apache-2.0"}},
        "servers": [{"url": "/"}],
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "An API key."}},
            "schemas": definitions["$defs"]
            | {
                "InvokeTemplate": _flat_body(definitions["$defs"]),
                "Problem": _with_place(definitions["$defs"]["Problem"]),
            },
        },
    }


def to_text() -> str:
    """Return the document as the repository keeps it."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def _with_place(problem: dict[str, Any]) -> dict[str, Any]:
    """Problems of a script also say where in it they are; ``file`` where it is one of several."""
    place = {"line": {"type": "integer"}, "column": {"type": "integer"}, "file": {"type": "string"}}
    return problem | {"properties": problem["properties"] | place}


def _flat_body(definitions: dict[str, Any]) -> dict[str, Any]:
    """The body of an invocation: options and config keys in one object, and whatever the template declares."""
    properties = definitions["JobOptions"]["properties"] | definitions["JobConfig"]["properties"]
    return {
        "type": "object",
        "title": "InvokeTemplate",
        "description": "Options, config keys, and the parameters that the template declares. Anything else is refused.",
        "properties": properties,
        "additionalProperties": True,
    }


def _describe(operation: Operation, schemas: Schemas) -> dict[str, Any]:
    answers: dict[str, Any] = {str(operation.status): {"description": operation.summary} | _content(operation, schemas)}
    answers |= {str(status): {"description": description} for status, description in operation.also.items()}
    for status in sorted({*operation.problems, *ALWAYS}):
        schema = {"$ref": "#/components/schemas/Problem"}
        answers[str(status)] = {"description": _TITLES[status], "content": {CONTENT_TYPE: {"schema": schema}}}
    described: dict[str, Any] = {
        "operationId": operation.id,
        "summary": operation.summary,
        "description": f"Needs a key with the scope `{operation.scope}`.",
        "parameters": _parameters(operation),
        "responses": answers,
    }
    if operation.takes_body:
        flat = {"$ref": "#/components/schemas/InvokeTemplate"}
        schema = schemas[operation.model, "validation"] if operation.model else flat
        described["requestBody"] = {
            "required": operation.needs_body,
            "content": {"application/json": {"schema": schema}},
        }
    return described


def _content(operation: Operation, schemas: Schemas) -> dict[str, Any]:
    if operation.status == 204:
        return {}
    schema = {} if operation.answer is None else schemas[operation.answer, "serialization"]
    return {"content": {operation.content: {"schema": schema}}}


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    text = {"type": "string"}
    found: list[dict[str, Any]] = []
    for name in re.findall(r"{(\w+)\+?}", operation.path):
        schema = text | {"format": "uuid"} if name in ("jobId", "templateId") else text
        found.append({"name": name, "in": "path", "required": True, "schema": schema})
    for name, query in operation.queries.items():
        found.append({"name": name, "in": "query", "description": query.summary, "schema": {"type": query.kind}})
    return found + [
        {"name": header.name, "in": "header", "description": header.summary, "schema": text}
        for header in operation.headers
    ]
