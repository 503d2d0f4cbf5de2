"""Calls of templates."""

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2

from functions.api.answers import SAFE, answered
from functions.api.calls_jobs import created
from functions.api.parsing import Call, body, idempotency_key, json_object, page_size, part, query, whole
from wainwright.contracts.http.templates import TemplateAnswer, WriteTemplate
from wainwright.usecases.caller import Caller
from wainwright.wiring import http_api

MAX_VERSION = 999_999_999


def create_template(api: http_api.Api, caller: Caller, event: APIGatewayProxyEventV2) -> Response[str]:
    """``POST /v1/templates``."""
    record = api.templates.create(caller, body(event, WriteTemplate))
    return answered(201, TemplateAnswer(template=record), {"Location": f"/v1/templates/{record.id}"})


def list_templates(api: http_api.Api, caller: Caller, event: APIGatewayProxyEventV2) -> Response[str]:
    """``GET /v1/templates``."""
    given = query(event)
    return answered(200, api.templates.list(caller, limit=page_size(given), cursor=given.get("cursor")))


def get_template(api: http_api.Api, caller: Caller, event: APIGatewayProxyEventV2) -> Response[str]:
    """``GET /v1/templates/{templateId}``."""
    given = query(event)
    version = whole(given, "version", 1, 1, MAX_VERSION) if "version" in given else None
    return answered(200, TemplateAnswer(template=api.templates.get(caller, part(event), version)))


def update_template(api: http_api.Api, caller: Caller, event: APIGatewayProxyEventV2) -> Response[str]:
    """``PUT /v1/templates/{templateId}``."""
    record = api.templates.update(caller, part(event), body(event, WriteTemplate))
    return answered(200, TemplateAnswer(template=record))


def delete_template(api: http_api.Api, caller: Caller, event: APIGatewayProxyEventV2) -> Response[str]:
    """``DELETE /v1/templates/{templateId}``."""
    api.templates.delete(caller, part(event))
    return Response(204, headers=SAFE)


def invoke_template(api: http_api.Api, caller: Caller, event: APIGatewayProxyEventV2) -> Response[str]:
    """``POST /v1/templates/{templateId}/invoke``."""
    return created(api, api.invoke(caller, part(event), json_object(event), idempotency_key(event)))


CALLS: dict[str, Call] = {
    "createTemplate": create_template,
    "listTemplates": list_templates,
    "getTemplate": get_template,
    "updateTemplate": update_template,
    "deleteTemplate": delete_template,
    "invokeTemplate": invoke_template,
}
