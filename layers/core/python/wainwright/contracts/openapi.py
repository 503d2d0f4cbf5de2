"""The OpenAPI 3.1 document, made from the table of operations and the models they name."""

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal, cast

from pydantic.json_schema import models_json_schema

from wainwright.contracts.bodies import ANSWERS, REQUESTS
from wainwright.contracts.http.service import Problem
from wainwright.contracts.operations import OPERATIONS, Operation, Query
from wainwright.contracts.problems import CONTENT_TYPE
from wainwright.domain.job_config import JobConfig
from wainwright.domain.job_requests import JobOptions
from wainwright.domain.model import Record
from wainwright.version import __version__

Mode = Literal["validation", "serialization"]

ALWAYS = (401, 403, 500, 503)
"""Problems that any call may answer with."""

_TITLES = {
    400: "A field is wrong; `field` names it.",
    401: "No valid API key.",
    403: "The key lacks the scope.",
    404: "No such thing in this project.",
    409: "The state it is in does not allow this.",
    413: "Over a size bound.",
    429: "The project's capacity is used up; see Retry-After.",
    500: "A fault of the system; `instance` finds it in the logs.",
    503: "Something the system rests on is busy or did not answer; see Retry-After.",
}

_OTHER_CONTENT = {"openapi": "application/json", "streamEvents": "text/event-stream", "getReport": "*/*"}
_EXTRA_ANSWERS = {
    "streamEvents": {"204": {"description": "The terminal event was told before."}},
    "getReport": {"302": {"description": "A large file: where to fetch it for a while."}},
    "getJob": {"304": {"description": "Nothing changed since the ETag in If-None-Match."}},
}
_EXTRA_HEADERS = {
    "createJob": ("Idempotency-Key", "The same key with the same body gives the same job, for 24 hours."),
    "invokeTemplate": ("Idempotency-Key", "The same key with the same body gives the same job, for 24 hours."),
    "streamEvents": ("Last-Event-ID", "Go on after this event."),
    "getJob": ("If-None-Match", "The ETag of the answer before."),
}


_OPTIONAL_BODIES = frozenset({"retryJob", "invokeTemplate"})

Schemas = Mapping[tuple[type[Record], Mode], dict[str, Any]]


@cache
def document() -> dict[str, Any]:
    """The document as JSON-able values. The same object each time: not to be changed."""
    requests: set[type[Record]] = {*REQUESTS.values(), JobOptions, JobConfig}
    answers: set[type[Record]] = {*ANSWERS.values(), Problem}
    wanted: list[tuple[type[Record], Mode]] = [(model, "validation") for model in requests]
    wanted += [(model, "serialization") for model in answers]
    schemas, definitions = models_json_schema(
        sorted(wanted, key=lambda each: (each[0].__name__, each[1])), ref_template="#/components/schemas/{model}"
    )
    found = cast("Schemas", schemas)
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        path = "/v1" + operation.path.replace("{path+}", "{path}")
        paths.setdefault(path, {})[operation.method.lower()] = _operation(operation, found)
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
    """The document as the repository keeps it."""
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


def _operation(operation: Operation, schemas: Schemas) -> dict[str, Any]:
    answers: dict[str, Any] = {str(operation.status): {"description": operation.summary} | _content(operation, schemas)}
    answers |= _EXTRA_ANSWERS.get(operation.id, {})
    for status in sorted({*operation.problems, *ALWAYS}):
        schema = {"$ref": "#/components/schemas/Problem"}
        answers[str(status)] = {"description": _TITLES[status], "content": {CONTENT_TYPE: {"schema": schema}}}
    parameters = [_path_parameter(name) for name in re.findall(r"{(\w+)\+?}", operation.path)]
    parameters += [_query_parameter(query) for query in operation.queries]
    if operation.id in _EXTRA_HEADERS:
        name, description = _EXTRA_HEADERS[operation.id]
        parameters.append({"name": name, "in": "header", "description": description, "schema": {"type": "string"}})
    described: dict[str, Any] = {
        "operationId": operation.id,
        "summary": operation.summary,
        "description": f"Needs a key with the scope `{operation.scope}`.",
        "parameters": parameters,
        "responses": answers,
    }
    body = _body(operation, schemas)
    if body is not None:
        required = operation.id not in _OPTIONAL_BODIES
        described["requestBody"] = {"required": required, "content": {"application/json": {"schema": body}}}
    return described


def _body(operation: Operation, schemas: Schemas) -> dict[str, Any] | None:
    if operation.id == "invokeTemplate":
        return {"$ref": "#/components/schemas/InvokeTemplate"}
    model = REQUESTS.get(operation.id)
    return None if model is None else schemas[model, "validation"]


def _content(operation: Operation, schemas: Schemas) -> dict[str, Any]:
    if operation.status == 204:
        return {}
    model = ANSWERS.get(operation.id)
    if model is None:
        return {"content": {_OTHER_CONTENT[operation.id]: {"schema": {}}}}
    return {"content": {"application/json": {"schema": schemas[model, "serialization"]}}}


def _path_parameter(name: str) -> dict[str, Any]:
    schema = {"type": "string", "format": "uuid"} if name in ("jobId", "templateId") else {"type": "string"}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _query_parameter(query: Query) -> dict[str, Any]:
    return {"name": query.name, "in": "query", "description": query.summary, "schema": {"type": query.kind}}
