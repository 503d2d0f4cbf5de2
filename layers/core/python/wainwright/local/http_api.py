"""API Gateway's HTTP APIs: a request becomes an event of payload format 2.0, and a handler's answer a response."""

import base64
import json
import logging
import re
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request, Response

from wainwright.local.functions import Answer, Functions, TooManyRequests
from wainwright.local.template import ACCOUNT_ID
from wainwright.local.web import lower_headers, read_body

logger = logging.getLogger(__name__)

REQUEST_BYTES = 10 * 1024 * 1024
"""API Gateway's bound on a request's body."""
_JSON = "application/json"
_TEXT = re.compile(r"text/.*|application/(.*\+)?(json|xml|javascript)")
_PARAMETER = re.compile(r"\\{(\w+)(\\\+)?\\}")
"""``{name}`` or ``{name+}`` of a route, after `re.escape`."""


@dataclass(frozen=True, slots=True)
class Route:
    """One route of an API, as `METHOD /path/{name}` or `$default`, and the function behind it."""

    key: str
    function: str


class Router:
    """Finds the route that API Gateway would: an exact path before a parameter, before a greedy one, before the default."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._default = next((route for route in routes if route.key == "$default"), None)
        keyed = sorted((route for route in routes if route.key != "$default"), key=lambda route: _rank(route.key))
        self._routes = [(route, route.key.split(" ", 1)[0], _pattern(route.key)) for route in keyed]

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """The route and its path parameters; None where there is neither a match nor a default."""
        for route, wanted, pattern in self._routes:
            if wanted in (method, "ANY") and (match := pattern.fullmatch(path)):
                return route, match.groupdict()
        return None if self._default is None else (self._default, {})


class HttpApi:
    """A WSGI application: one HTTP API."""

    def __init__(self, api_id: str, domain: str, routes: Sequence[Route], functions: Functions) -> None:
        self._id = api_id
        self._domain = domain
        self._router = Router(routes)
        self._functions = functions

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        return self._answer(Request(environ))(environ, start_response)

    def _answer(self, request: Request) -> Response:
        found = self._router.find(request.method, request.path)
        if found is None:
            return _message(404, "Not Found")
        try:
            body = read_body(request, REQUEST_BYTES)
        except HTTPException as error:
            return _message(error.code or 400, "Request Too Long" if error.code == 413 else str(error.description))
        route, parameters = found
        try:
            answer = self._functions.invoke(route.function, self._event(request, route, parameters, body))
        except TooManyRequests as error:
            logger.warning("%s", error)
            return _message(503, "Service Unavailable")
        try:
            return _response(answer)
        except (TypeError, ValueError, AttributeError) as error:
            logger.error("%s answered %s with what is no response: %s", route.function, route.key, error)
            return _message(500, "Internal Server Error")

    def _event(self, request: Request, route: Route, parameters: dict[str, str], body: bytes) -> dict[str, Any]:
        headers = lower_headers(request)
        cookies = [part.strip() for part in headers.pop("cookie", "").split(";") if part.strip()]
        event: dict[str, Any] = {
            "version": "2.0",
            "routeKey": route.key,
            "rawPath": request.path,
            "rawQueryString": request.environ.get("QUERY_STRING", ""),
            "headers": headers,
            "requestContext": {
                "accountId": ACCOUNT_ID,
                "apiId": self._id,
                "domainName": self._domain,
                "domainPrefix": self._id,
                "http": {
                    "method": request.method,
                    "path": request.path,
                    "protocol": request.environ.get("SERVER_PROTOCOL", "HTTP/1.1"),
                    "sourceIp": request.remote_addr or "",
                    "userAgent": headers.get("user-agent", ""),
                },
                "requestId": str(uuid.uuid4()),
                "routeKey": route.key,
                "stage": "$default",
                "time": f"{datetime.now(UTC):%d/%b/%Y:%H:%M:%S +0000}",
                "timeEpoch": int(time.time() * 1000),
            },
            "isBase64Encoded": False,
        }
        if cookies:
            event["cookies"] = cookies
        if request.args:
            event["queryStringParameters"] = {name: ",".join(values) for name, values in request.args.lists()}
        if parameters:
            event["pathParameters"] = parameters
        return event | _encoded(body, request.mimetype) if body else event


def _rank(key: str) -> tuple[Any, ...]:
    """Sorts the most specific route first."""
    method, path = key.split(" ", 1)
    parts = path.split("/")
    kinds = [2 if part.endswith("+}") else 1 if part.startswith("{") else 0 for part in parts]
    return (path.endswith("+}"), kinds, -len(parts), method == "ANY")


def _pattern(key: str) -> re.Pattern[str]:
    path = re.escape(key.split(" ", 1)[1])
    return re.compile(_PARAMETER.sub(lambda match: f"(?P<{match[1]}>{'.+' if match[2] else '[^/]+'})", path), re.DOTALL)


def _encoded(body: bytes, mimetype: str) -> dict[str, Any]:
    if _TEXT.fullmatch(mimetype):
        try:
            return {"body": body.decode(), "isBase64Encoded": False}
        except UnicodeDecodeError:
            logger.debug("a body of type %s is not UTF-8, so it is passed on as bytes", mimetype)
    return {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}


def _message(status: int, message: str) -> Response:
    """An answer of API Gateway's own."""
    return Response(json.dumps({"message": message}), status, content_type=_JSON)


def _response(answer: Answer) -> Response:
    """The response that a function's answer means. Raises ValueError, TypeError or AttributeError if it means none."""
    if answer.failed:
        return _message(500, "Internal Server Error")
    document = answer.json()
    if not isinstance(document, Mapping) or "statusCode" not in document:
        return Response(json.dumps(document), content_type=_JSON)
    headers = Headers()
    for source in ("headers", "multiValueHeaders"):
        for name, value in (document.get(source) or {}).items():
            headers.extend({name: [str(each) for each in (value if isinstance(value, list) else [value])]})
    headers.extend({"Set-Cookie": [str(cookie) for cookie in document.get("cookies") or ()]})
    for name in ("Content-Length", "Connection"):
        headers.remove(name)
    body = document.get("body") or ""
    content = base64.b64decode(body, validate=True) if document.get("isBase64Encoded") else str(body)
    return Response(content, int(document["statusCode"]), headers)
