"""API Gateway's HTTP APIs: a request becomes an event of payload format 2.0, and a handler's answer a response."""

from __future__ import annotations

import base64
import binascii
import json
import logging
import re
import threading
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from wainwright.local.endpoint import CorsRule, request_headers
from wainwright.local.functions import Answer, Functions, TooManyRequests
from wainwright.local.web import BodyRefused, read_body

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

logger = logging.getLogger(__name__)

REQUEST_BYTES = 10 * 1024 * 1024
"""API Gateway's bound on a request's body."""
_INTEGRATION_SECONDS = 30.0
_TEXT = re.compile(r"text/.*|application/(.*\+)?(json|xml|javascript)")
_PARAMETER = re.compile(r"\{(\w+)(\+?)\}")


@dataclass(frozen=True, slots=True)
class Route:
    """One route of an API, as `METHOD /path/{name}` or `$default`, and the function behind it."""

    key: str
    function: str
    timeout_seconds: float = _INTEGRATION_SECONDS


class Router:
    """Finds the route that API Gateway would: an exact path before a parameter, before a greedy one, before the default."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._default = next((route for route in routes if route.key == "$default"), None)
        keyed = [route for route in routes if route.key != "$default"]
        self._routes = sorted(
            ((_rank(route.key), route, _pattern(route.key)) for route in keyed), key=lambda each: each[0]
        )

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """The route and its path parameters; None where there is neither a match nor a default."""
        for _, route, pattern in self._routes:
            wanted = route.key.split(" ", 1)[0]
            if wanted in (method, "ANY") and (match := pattern.fullmatch(path)):
                return route, match.groupdict()
        return None if self._default is None else (self._default, {})


class HttpApi:
    """A WSGI application: one HTTP API."""

    def __init__(
        self,
        api_id: str,
        domain: str,
        routes: Sequence[Route],
        functions: Functions,
        cors: CorsRule | None,
        account_id: str,
    ) -> None:
        self._id = api_id
        self._domain = domain
        self._router = Router(routes)
        self._functions = functions
        self._cors = cors
        self._account_id = account_id

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        method = environ["REQUEST_METHOD"]
        origin = environ.get("HTTP_ORIGIN")
        if method == "OPTIONS" and self._cors is not None and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ:
            return _send(start_response, 204, self._cors_headers(origin), b"")
        path = environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace") or "/"
        found = self._router.find(method, path)
        if found is None:
            return self._say(start_response, 404, "Not Found")
        try:
            body = read_body(environ, REQUEST_BYTES)
        except BodyRefused as error:
            return self._say(start_response, error.status, "Request Too Long" if error.status == 413 else str(error))
        route, parameters = found
        event = self._event(environ, method, path, route, parameters, body)
        answer = self._invoke(route, event)
        if answer is None:
            return self._say(start_response, 503, "Service Unavailable")
        try:
            status, headers, content = _response(answer)
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            logger.error("%s answered %s with what is no response: %s", route.function, route.key, error)
            return self._say(start_response, 500, "Internal Server Error")
        return _send(start_response, status, headers + self._cors_headers(origin), b"" if method == "HEAD" else content)

    def _invoke(self, route: Route, event: dict[str, Any]) -> Answer | None:
        """The function's answer; None when it is late, or busy."""
        answers: list[Answer] = []
        done = threading.Event()

        def call() -> None:
            try:
                answers.append(self._functions.invoke(route.function, event))
            except TooManyRequests as error:
                logger.warning("%s", error)
            finally:
                done.set()

        if self._functions.spec(route.function).timeout_seconds <= route.timeout_seconds:
            call()
        else:
            threading.Thread(target=call, name=f"api-{route.function}", daemon=True).start()
            done.wait(route.timeout_seconds)
        return answers[0] if answers else None

    def _event(
        self,
        environ: WSGIEnvironment,
        method: str,
        path: str,
        route: Route,
        parameters: dict[str, str],
        body: bytes,
    ) -> dict[str, Any]:
        headers = request_headers(environ)
        cookies = [part.strip() for part in headers.pop("cookie", "").split(";") if part.strip()]
        raw_query = environ.get("QUERY_STRING", "")
        now = datetime.now(UTC)
        event: dict[str, Any] = {
            "version": "2.0",
            "routeKey": route.key,
            "rawPath": path,
            "rawQueryString": raw_query,
            "headers": headers,
            "requestContext": {
                "accountId": self._account_id,
                "apiId": self._id,
                "domainName": self._domain,
                "domainPrefix": self._id,
                "http": {
                    "method": method,
                    "path": path,
                    "protocol": environ.get("SERVER_PROTOCOL", "HTTP/1.1"),
                    "sourceIp": environ.get("REMOTE_ADDR", ""),
                    "userAgent": headers.get("user-agent", ""),
                },
                "requestId": str(uuid.uuid4()),
                "routeKey": route.key,
                "stage": "$default",
                "time": f"{now:%d/%b/%Y:%H:%M:%S +0000}",
                "timeEpoch": int(time.time() * 1000),
            },
            "isBase64Encoded": False,
        }
        if cookies:
            event["cookies"] = cookies
        if raw_query:
            event["queryStringParameters"] = _joined(parse_qsl(raw_query, keep_blank_values=True))
        if parameters:
            event["pathParameters"] = parameters
        if body:
            event |= _encoded(body, headers.get("content-type", ""))
        return event

    def _say(self, start_response: StartResponse, status: int, message: str) -> Iterable[bytes]:
        """Answer as API Gateway itself does."""
        headers = [("Content-Type", "application/json")]
        return _send(start_response, status, headers, json.dumps({"message": message}).encode())

    def _cors_headers(self, origin: str | None) -> list[tuple[str, str]]:
        cors = self._cors
        if cors is None or origin is None or not ("*" in cors.origins or origin in cors.origins):
            return []
        headers = [("Access-Control-Allow-Origin", origin), ("Vary", "Origin")]
        if cors.methods:
            headers.append(("Access-Control-Allow-Methods", ", ".join(cors.methods)))
        if cors.headers:
            headers.append(("Access-Control-Allow-Headers", ", ".join(cors.headers)))
        if cors.exposed:
            headers.append(("Access-Control-Expose-Headers", ", ".join(cors.exposed)))
        return headers


def _rank(key: str) -> tuple[Any, ...]:
    """Sorts the most specific route first."""
    method, path = key.split(" ", 1)
    parts = path.split("/")
    kinds = [2 if part.endswith("+}") else 1 if part.startswith("{") else 0 for part in parts]
    return ("{" in path and path.endswith("+}"), [*kinds], -len(parts), method == "ANY")


def _pattern(key: str) -> re.Pattern[str]:
    path = key.split(" ", 1)[1]
    pieces = []
    position = 0
    for match in _PARAMETER.finditer(path):
        pieces.append(re.escape(path[position : match.start()]))
        pieces.append(f"(?P<{match[1]}>{'.+' if match[2] else '[^/]+'})")
        position = match.end()
    return re.compile("".join([*pieces, re.escape(path[position:])]), re.DOTALL)


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def _encoded(body: bytes, content_type: str) -> dict[str, Any]:
    if _TEXT.fullmatch(content_type.split(";", 1)[0].strip().lower()):
        try:
            return {"body": body.decode(), "isBase64Encoded": False}
        except UnicodeDecodeError:
            logger.debug("a body of type %s is not UTF-8, so it is passed on as bytes", content_type)
    return {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}


def _response(answer: Answer) -> tuple[int, list[tuple[str, str]], bytes]:
    if answer.failed:
        return 500, [("Content-Type", "application/json")], b'{"message": "Internal Server Error"}'
    document = answer.json()
    if not isinstance(document, Mapping) or "statusCode" not in document:
        return 200, [("Content-Type", "application/json")], json.dumps(document).encode()
    headers = [(str(name), str(value)) for name, value in (document.get("headers") or {}).items()]
    for name, values in (document.get("multiValueHeaders") or {}).items():
        headers += [(str(name), str(value)) for value in values]
    headers += [("Set-Cookie", str(cookie)) for cookie in document.get("cookies") or ()]
    headers = [(name, value) for name, value in headers if name.lower() not in ("content-length", "connection")]
    body = document.get("body") or ""
    try:
        content = base64.b64decode(body, validate=True) if document.get("isBase64Encoded") else str(body).encode()
    except binascii.Error as error:
        raise ValueError(f"the body is not base64: {error}") from error
    if content and not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("Content-Type", "text/plain; charset=utf-8"))
    return int(document["statusCode"]), headers, content


def _send(start_response: StartResponse, status: int, headers: list[tuple[str, str]], body: bytes) -> Iterable[bytes]:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Unknown"
    start_response(f"{status} {phrase}", [*headers, ("Content-Length", str(len(body)))])
    return [body]
