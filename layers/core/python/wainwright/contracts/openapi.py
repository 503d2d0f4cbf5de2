"""The OpenAPI 3.1 document, made from the table of operations and the models they name."""

import re
from functools import cache
from typing import Any

from pydantic.json_schema import models_json_schema

import wainwright
from wainwright.contracts.http import Problem
from wainwright.contracts.operations import OPERATIONS, Operation, Query
from wainwright.contracts.problems import CONTENT_TYPE
from wainwright.domain.model import Record

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
    503: "Try again.",
}

_OTHER_CONTENT = {"openapi": "application/json", "streamEvents": "text/event-stream", "getReport": "*/*"}
_EXTRA_ANSWERS = {
    "streamEvents": {"204": {"description": "The terminal event was told before."}},
    "getReport": {"302": {"description": "A large file: where to fetch it for a while."}},
    "getJob": {"304": {"description": "Nothing changed since the ETag in If-None-Match."}},
}
_EXTRA_HEADERS = {
    "createJob": ("Idempotency-Key", "The same key with the same body gives the same job, for 24 hours."),
    "streamEvents": ("Last-Event-ID", "Go on after this event."),
    "getJob": ("If-None-Match", "The ETag of the answer before."),
}


@cache
def document() -> dict[str, Any]:
    """The document as JSON-able values. The same object each time: not to be changed."""
    models: set[type[Record]] = {Problem}
    for operation in OPERATIONS:
        models.update(model for model in (operation.answer, operation.body) if model is not None)
    ordered = sorted(models, key=lambda model: model.__name__)
    _, schemas = models_json_schema(
        [(model, "validation" if model.__name__.startswith("Create") else "serialization") for model in ordered],
        ref_template="#/components/schemas/{model}",
    )
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        path = "/v1" + operation.path.replace("{path+}", "{path}")
        paths.setdefault(path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Wainwright", "version": wainwright.__version__, "license": {"name": "Apache-2.0"}},
        "servers": [{"url": "/"}],
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "An API key."}},
            "schemas": schemas["$defs"],
        },
    }


def _operation(operation: Operation) -> dict[str, Any]:
    answers: dict[str, Any] = {
        str(operation.status): {"description": operation.summary, "content": _content(operation)}
    }
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
    if operation.body is not None:
        schema = {"$ref": f"#/components/schemas/{operation.body.__name__}"}
        described["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return described


def _content(operation: Operation) -> dict[str, Any]:
    if operation.status == 204:
        return {}
    if operation.answer is None:
        return {_OTHER_CONTENT[operation.id]: {"schema": {}}}
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{operation.answer.__name__}"}}}


def _path_parameter(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _query_parameter(query: Query) -> dict[str, Any]:
    return {"name": query.name, "in": "query", "description": query.summary, "schema": {"type": query.kind}}
