"""The one door to this run's AWS for other processes: whoever has this run's key, or a URL presigned with it.

moto by itself answers anyone, and lets pages of any origin read and reset everything. Here nothing is answered that is
not signed; no header of moto's for other origins gets out; and a page may read an object across origins only as the
bucket's own rules in the template allow.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore.credentials import Credentials

from wainwright.local.calls import CallLog
from wainwright.local.inprocess import HttpAnswer, InProcessAws
from wainwright.local.meter import Meter
from wainwright.local.signatures import SignatureRefused, SignedRequest, verify
from wainwright.local.web import BodyRefused, read_body, refuse

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

logger = logging.getLogger(__name__)

BODY_BYTES = 256 * 1024 * 1024
"""The largest request, an object's upload among them."""


@dataclass(frozen=True, slots=True)
class CorsRule:
    """What pages of other origins may do with the objects of a bucket."""

    origins: tuple[str, ...]
    methods: tuple[str, ...]
    headers: tuple[str, ...] = ()
    exposed: tuple[str, ...] = ()
    max_age_seconds: int | None = None


class Endpoint:
    """A WSGI application in front of the AWS in this process."""

    def __init__(
        self,
        url: str,
        aws: InProcessAws,
        credentials: Credentials,
        cors: Mapping[str, tuple[CorsRule, ...]],
        calls: CallLog | None = None,
        meter: Meter | None = None,
    ) -> None:
        self._calls = calls
        self._meter = meter
        self._url = url
        self._aws = aws
        self._credentials = credentials
        self._cors = cors

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Check, then answer."""
        method = environ["REQUEST_METHOD"]
        target = environ["REQUEST_URI"]
        origin = environ.get("HTTP_ORIGIN")
        if method == "OPTIONS":
            return self._preflight(environ, target, start_response)
        try:
            body = read_body(environ, BODY_BYTES)
        except BodyRefused as error:
            return refuse(start_response, error.status, str(error))
        headers = request_headers(environ)
        request = SignedRequest(method, f"http://{headers['host']}", target, headers, body)
        try:
            service = verify(request, self._credentials, datetime.now(UTC))
        except SignatureRefused as error:
            logger.warning("refused %s %s: %s", method, urlsplit(target).path, error)
            return refuse(start_response, 403, str(error))
        presigned = "authorization" not in headers
        if origin is not None and not (presigned and self._rule(target, origin, method)):
            return refuse(start_response, 403, f"pages of {origin} have no business here")
        if self._calls is not None:
            self._calls.from_worker(service, method, target, headers)
        status, answer_headers, answer = self._call(service, method, target, headers, body)
        sent = _plain_headers(answer_headers, len(answer), method)
        if origin is not None and (rule := self._rule(target, origin, method)):
            sent += _cors_headers(rule, origin)
        start_response(f"{status} {_phrase(status)}", sent)
        return [] if method == "HEAD" else [answer]

    def _call(self, service: str, method: str, target: str, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        if self._meter is None:
            return self._aws.call(service, method, target, headers, body)
        with self._meter.requested(headers):
            answer = self._aws.call(service, method, target, headers, body)
            self._meter.from_worker(service, method, target, headers, body, answer[2])
            return answer

    def _rule(self, target: str, origin: str, method: str) -> CorsRule | None:
        bucket = urlsplit(target).path.lstrip("/").split("/", 1)[0]
        for rule in self._cors.get(bucket, ()):
            if method in rule.methods and any(fnmatchcase(origin, allowed) for allowed in rule.origins):
                return rule
        return None

    def _preflight(self, environ: WSGIEnvironment, target: str, start_response: StartResponse) -> Iterable[bytes]:
        origin = environ.get("HTTP_ORIGIN", "")
        rule = self._rule(target, origin, environ.get("HTTP_ACCESS_CONTROL_REQUEST_METHOD", ""))
        if rule is None:
            return refuse(start_response, 403, "no rule allows this")
        start_response("200 OK", [("Content-Length", "0"), *_cors_headers(rule, origin)])
        return []


def request_headers(environ: WSGIEnvironment) -> dict[str, str]:
    """The request's headers, names in lower case."""
    headers = {
        name.removeprefix("HTTP_").replace("_", "-").lower(): str(value)
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            headers[name.replace("_", "-").lower()] = str(environ[name])
    return headers


def _plain_headers(headers: Mapping[str, Any], length: int, method: str) -> list[tuple[str, str]]:
    """moto's headers, without those that let other origins in and those that the server writes itself."""
    dropped = {"connection", "date", "server", "transfer-encoding", "status", "vary"}
    sent = [
        (str(name), str(value))
        for name, value in headers.items()
        if name.lower() not in dropped and not name.lower().startswith("access-control-")
    ]
    if method != "HEAD":
        sent = [(name, value) for name, value in sent if name.lower() != "content-length"]
        sent.append(("Content-Length", str(length)))
    return [*sent, ("X-Content-Type-Options", "nosniff")]


def _cors_headers(rule: CorsRule, origin: str) -> list[tuple[str, str]]:
    headers = [
        ("Access-Control-Allow-Origin", origin),
        ("Access-Control-Allow-Methods", ", ".join(rule.methods)),
        ("Vary", "Origin"),
    ]
    if rule.headers:
        headers.append(("Access-Control-Allow-Headers", ", ".join(rule.headers)))
    if rule.exposed:
        headers.append(("Access-Control-Expose-Headers", ", ".join(rule.exposed)))
    if rule.max_age_seconds is not None:
        headers.append(("Access-Control-Max-Age", str(rule.max_age_seconds)))
    return headers


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
