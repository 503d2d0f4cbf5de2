"""The one door to this run's AWS for other processes: whoever has this run's key, or a URL presigned with it.

moto by itself answers anyone, and lets pages of any origin read and reset everything. Here nothing is answered that is
not signed; no header of moto's for other origins gets out; and a page may read an object across origins only as the
bucket's own rules in the template allow.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import urlsplit
from wsgiref.types import StartResponse, WSGIEnvironment

from botocore.credentials import Credentials
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request, Response

from wainwright.local.inprocess import InProcessAws
from wainwright.local.meter import Meter
from wainwright.local.signatures import SignatureRefused, SignedRequest, verify
from wainwright.local.web import lower_headers, read_body

logger = logging.getLogger(__name__)

BODY_BYTES = 256 * 1024 * 1024
"""The largest request, an object's upload among them."""
CorsRule = Mapping[str, Any]
"""One of a bucket's rules for pages of other origins, as the template has it."""

_CORS_HEADERS = {
    "AllowedMethods": "Access-Control-Allow-Methods",
    "AllowedHeaders": "Access-Control-Allow-Headers",
    "ExposedHeaders": "Access-Control-Expose-Headers",
}
_DROPPED_HEADERS = {"connection", "date", "server", "transfer-encoding", "status", "vary"}
"""The server writes them itself."""


class Endpoint:
    """A WSGI application in front of the AWS in this process. `cors` has the rules of buckets, by name."""

    def __init__(
        self, aws: InProcessAws, credentials: Credentials, cors: Mapping[str, Sequence[CorsRule]], meter: Meter
    ) -> None:
        self._aws = aws
        self._credentials = credentials
        self._cors = cors
        self._meter = meter

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Check, then answer."""
        return self._answer(Request(environ))(environ, start_response)

    def _answer(self, request: Request) -> Response:
        method, target, origin = request.method, request.environ["REQUEST_URI"], request.headers.get("Origin")
        if method == "OPTIONS":
            rule = self._rule(target, origin or "", request.headers.get("Access-Control-Request-Method", ""))
            return _refusal(403, "no rule allows this") if rule is None else _shared(Response(), rule, origin or "")
        try:
            body = read_body(request, BODY_BYTES)
        except HTTPException as error:
            return _refusal(error.code or 400, str(error.description))
        headers = lower_headers(request)
        try:
            signed = SignedRequest(method, f"http://{headers['host']}", target, headers, body)
            service = verify(signed, self._credentials, datetime.now(UTC))
        except SignatureRefused as error:
            logger.warning("refused %s %s: %s", method, urlsplit(target).path, error)
            return _refusal(403, str(error))
        rule = None if origin is None else self._rule(target, origin, method)
        if origin is not None and (rule is None or "authorization" in headers):
            return _refusal(403, f"pages of {origin} are not allowed here")
        with self._meter.requested(service, method, target, headers):
            status, answered, content = self._aws.call(service, method, target, headers, body)
            self._meter.answered(service, method, target, headers, body, content)
        response = _response(method, status, answered, content)
        return response if rule is None or origin is None else _shared(response, rule, origin)

    def _rule(self, target: str, origin: str, method: str) -> CorsRule | None:
        bucket = urlsplit(target).path.lstrip("/").split("/", 1)[0]
        for rule in self._cors.get(bucket, ()):
            if method in rule["AllowedMethods"] and any(fnmatchcase(origin, each) for each in rule["AllowedOrigins"]):
                return rule
        return None


def _refusal(status: int, message: str) -> Response:
    return Response(message, status)


def _response(method: str, status: int, headers: Mapping[str, Any], content: bytes) -> Response:
    """moto's answer without its headers for other origins and without those that the server writes itself."""
    dropped = _DROPPED_HEADERS if method == "HEAD" else _DROPPED_HEADERS | {"content-length"}
    kept = [
        (name, str(value))
        for name, value in headers.items()
        if name.lower() not in dropped and not name.lower().startswith("access-control-")
    ]
    return Response([content], status, [*kept, ("X-Content-Type-Options", "nosniff")])


def _shared(response: Response, rule: CorsRule, origin: str) -> Response:
    """The response with what tells a browser that a page of this origin may read it."""
    response.headers["Access-Control-Allow-Origin"] = origin
    response.headers["Vary"] = "Origin"
    for name, header in _CORS_HEADERS.items():
        if name in rule:
            response.headers[header] = ", ".join(rule[name])
    if "MaxAge" in rule:
        response.headers["Access-Control-Max-Age"] = str(rule["MaxAge"])
    return response
