"""Calls about the project as a whole: health, analytics, queue, limits, keys, secrets."""

import json
from datetime import timedelta

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2

import wainwright
from functions.api.answers import SAFE, answered
from functions.api.parsing import Call, body, part, query, whole
from wainwright.contracts.http.keys import CreateKey, KeyCreated, KeyList, KeyRecord
from wainwright.contracts.http.secrets import PutSecret, SecretAnswer, SecretList
from wainwright.contracts.http.service import Health
from wainwright.contracts.names import is_template_id
from wainwright.contracts.openapi import document
from wainwright.domain.capacity import Limits
from wainwright.domain.errors import InvalidInput
from wainwright.ports.access import ApiKey
from wainwright.usecases.caller import Caller
from wainwright.usecases.periods import read_range
from wainwright.wiring import http_api

LONG_RUNNING_MINUTES = 10
MAX_MINUTES = 10_080


def health(api: http_api.Api, caller: Caller, _event: APIGatewayProxyEventV2) -> Response[str]:
    """``GET /v1/health``."""
    return answered(200, Health(version=wainwright.__version__, stage=api.stage, project=caller.project))


def openapi(_api: http_api.Api, _caller: Caller, _event: APIGatewayProxyEventV2) -> Response[str]:
    """``GET /v1/openapi.json``."""
    return Response(200, content_type="application/json", body=json.dumps(document()), headers=SAFE)


def analytics(api: http_api.Api, caller: Caller, event: APIGatewayProxyEventV2) -> Response[str]:
    """``GET /v1/analytics``: of jobs by their ids, or by template and time."""
    given = query(event)
    if "jobIds" in given:
        if len(given) > 1:
            raise InvalidInput("jobIds", "jobIds goes with no other parameter", advice="Leave the others out.")
        return answered(200, api.analyze.by_ids(caller, [each.strip() for each in given["jobIds"].split(",")]))
    template_id = given.get("templateId")
    if template_id is not None and not is_template_id(template_id):
        raise InvalidInput("templateId", f"templateId: {template_id[:40]!r} is no template id")
    span = read_range(("from", "to"), given.get("from"), given.get("to"))
    return answered(200, api.analyze.by_time(caller, template_id, span))


def queue(api: http_api.Api, caller: Caller, event: APIGatewayProxyEventV2) -> Response[str]:
    """``GET /v1/queue``."""
    minutes = whole(query(event), "longRunningMinutes", LONG_RUNNING_MINUTES, 0, MAX_MINUTES)
    return answered(200, api.queue(caller, long_running=timedelta(minutes=minutes)))


def get_limits(api: http_api.Api, caller: Caller, _event: APIGatewayProxyEventV2) -> Response[str]:
    """``GET /v1/limits``."""
    return answered(200, api.limits.get(caller))


def put_limits(api: http_api.Api, caller: Caller, event: APIGatewayProxyEventV2) -> Response[str]:
    """``PUT /v1/limits``."""
    return answered(200, api.limits.put(caller, body(event, Limits)))


def list_keys(api: http_api.Api, caller: Caller, _event: APIGatewayProxyEventV2) -> Response[str]:
    """``GET /v1/keys``."""
    return answered(200, KeyList(keys=[_record(key) for key in api.keys.list(caller.project)]))


def create_key(api: http_api.Api, caller: Caller, event: APIGatewayProxyEventV2) -> Response[str]:
    """``POST /v1/keys``."""
    request = body(event, CreateKey)
    key, secret = api.keys.create(caller.project, request.scope, request.name)
    return answered(201, KeyCreated(key=_record(key), secret=secret))


def revoke_key(api: http_api.Api, caller: Caller, event: APIGatewayProxyEventV2) -> Response[str]:
    """``DELETE /v1/keys/{keyId}``."""
    api.keys.revoke(caller.project, part(event))
    return Response(204, headers=SAFE)


def list_secrets(api: http_api.Api, caller: Caller, _event: APIGatewayProxyEventV2) -> Response[str]:
    """``GET /v1/secrets``."""
    return answered(200, SecretList(secrets=list(api.secrets.list(caller.project))))


def put_secret(api: http_api.Api, caller: Caller, event: APIGatewayProxyEventV2) -> Response[str]:
    """``PUT /v1/secrets/{name}``."""
    value = body(event, PutSecret).value
    return answered(200, SecretAnswer(secret=api.secrets.put(caller.project, part(event), value)))


def delete_secret(api: http_api.Api, caller: Caller, event: APIGatewayProxyEventV2) -> Response[str]:
    """``DELETE /v1/secrets/{name}``."""
    api.secrets.delete(caller.project, part(event))
    return Response(204, headers=SAFE)


def _record(key: ApiKey) -> KeyRecord:
    return KeyRecord(id=key.id, name=key.name, scope=key.scope, created_at=key.created_at, revoked=key.revoked)


CALLS: dict[str, Call] = {
    "health": health,
    "openapi": openapi,
    "analytics": analytics,
    "queue": queue,
    "getLimits": get_limits,
    "putLimits": put_limits,
    "listKeys": list_keys,
    "createKey": create_key,
    "revokeKey": revoke_key,
    "listSecrets": list_secrets,
    "putSecret": put_secret,
    "deleteSecret": delete_secret,
}
