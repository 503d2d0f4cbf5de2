"""Calls about the service itself."""

import json

from functions.api.answers import JSON, SAFE, Response
from functions.api.context import Api
from functions.api.operations import Router
from wainwright.contracts.http.service import Health
from wainwright.contracts.scopes import Scope
from wainwright.usecases.caller import Caller
from wainwright.version import __version__

route = Router()


@route("GET /health", Scope.READ, id="health")
def tell_health(api: Api, caller: Caller) -> Health:
    """Tell that the system answers, and who asks."""
    return Health(version=__version__, stage=api.settings.stage, project=caller.project)


@route("GET /openapi.json", Scope.READ, id="openapi")
def describe_api(_api: Api, _caller: Caller) -> Response:
    """This document."""
    from functions.api.openapi import document

    return Response(200, content_type=JSON, body=json.dumps(document()), headers=SAFE)
