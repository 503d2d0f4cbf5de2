"""The AWS of this process: moto for most services, our own functions, workers and file for Lambda, ECS and Parameter Store.

boto3 clients made anywhere in the process are answered without HTTP, moto's own interpreter of state machines included;
requests from other processes come in through the endpoint and are answered the same way.
"""

import json
import logging
import re
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any
from urllib.parse import unquote, urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from moto.core import responses
from moto.core.base_backend import BaseBackend
from moto.core.botocore_stubber import MockRawResponse
from moto.core.models import botocore_stubber
from moto.core.utils import method_names_from_class

from wainwright.local.functions import Functions, TooManyRequests
from wainwright.local.patches import Patches
from wainwright.local.template import REGION

logger = logging.getLogger(__name__)

HttpAnswer = tuple[int, Mapping[str, Any], bytes]
_INVOKE = re.compile(r"/2015-03-31/functions/([^/]+)/invocations")
JsonApi = Callable[[str, dict[str, Any]], tuple[int, dict[str, Any]]]
"""Gives the status and the JSON answer of one operation with its parameters."""

_MOTO_SERVICES = frozenset({"dynamodb", "events", "s3", "scheduler", "sqs", "states"})


class InProcessAws:
    """Answers AWS requests, whichever way they come. `apis` are services that are answered here, by name."""

    def __init__(self, endpoint_url: str, functions: Functions, apis: Mapping[str, JsonApi]) -> None:
        self._endpoint_url = endpoint_url
        self._functions = functions
        self._apis = apis

    def install(self, patches: Patches) -> None:
        """Answer the requests of boto3 clients that are made from now on in this process."""
        for service in ("lambda", *self._apis):
            patches.handle(f"before-send.{service}", partial(self._send, service), first=True)
        patches.handle("before-send.s3", self._send_to_s3, first=True)
        # The methods of a class, and the URLs of a service, stay the same; moto makes them anew for every request.
        patches.replace(responses, "method_names_from_class", cache(method_names_from_class))
        patches.replace(BaseBackend, "urls", _made_once(BaseBackend.urls))

    def call(self, service: str, method: str, target: str, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        """Answer a request for a service: `target` ends in path and query, header names are in lower case."""
        if service == "lambda":
            return self._invoke(method, urlsplit(target).path, headers, body)
        if service in self._apis:
            return self._call_api(service, headers, body)
        if service not in _MOTO_SERVICES:
            return _error(501, "NotImplemented", f"the local system has no {service}")
        host = "streams.dynamodb" if headers.get("x-amz-target", "").startswith("DynamoDBStreams_") else service
        sent = HTTPHeaders()
        for name, value in headers.items():
            sent[name] = value
        url = f"https://{host}.{REGION}.amazonaws.com{target}"
        request = AWSPreparedRequest(method, url, sent, body, stream_output=False)
        answer = botocore_stubber.process_request(request)
        if answer is None:
            return _error(404, "NotFound", f"the local system has nothing at {target}")
        status, answer_headers, content = answer
        return (
            int(status),
            dict(answer_headers),
            content.encode() if isinstance(content, str) else bytes(content or b""),
        )

    def _send(self, service: str, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        status, headers, body = self.call(service, request.method, request.url, _lower(request), _body(request))
        return AWSResponse(request.url, status, HTTPHeaders.from_dict(dict(headers)), MockRawResponse(body))

    def _send_to_s3(self, event_name: str, request: AWSPreparedRequest, **_: Any) -> AWSResponse | None:
        """S3 clients here know the endpoint, for the URLs that they presign; what they send need not go through it."""
        if not request.url.startswith(self._endpoint_url):
            return None
        url = f"https://s3.{REGION}.amazonaws.com{request.url.removeprefix(self._endpoint_url)}"
        moved = AWSPreparedRequest(request.method, url, request.headers, request.body, request.stream_output)
        return botocore_stubber(event_name, moved)

    def _invoke(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        match = _INVOKE.fullmatch(path)
        if match is None or method != "POST":
            return _error(501, "NotImplemented", "the local system has of Lambda only Invoke")
        name = unquote(match[1])
        try:
            self._functions.spec(name)
            event = json.loads(body or b"{}")
            if headers.get("x-amz-invocation-type") == "Event":
                self._functions.invoke_async(name, event)
                return 202, {}, b""
            answer = self._functions.invoke(name, event)
        except KeyError:
            return _error(404, "ResourceNotFoundException", f"Function not found: {name}")
        except ValueError as error:
            return _error(400, "InvalidRequestContentException", f"Could not parse request body into json: {error}")
        except TooManyRequests as error:
            return _error(429, "TooManyRequestsException", str(error))
        failed = {"x-amz-function-error": "Unhandled"} if answer.failed else {}
        return 200, {"x-amz-executed-version": "$LATEST", "content-type": "application/json", **failed}, answer.payload

    def _call_api(self, service: str, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        operation = headers.get("x-amz-target", "").rpartition(".")[2]
        status, answer = self._apis[service](operation, json.loads(body or b"{}"))
        return status, {"content-type": "application/x-amz-json-1.1"}, json.dumps(answer).encode()


def _made_once(made: Any) -> property:
    """A property of moto's backends, made once for each class of them."""
    known: dict[type, Any] = {}

    def get(backend: BaseBackend) -> Any:
        kind = type(backend)
        if kind not in known:
            known[kind] = made.fget(backend)
        return known[kind]

    return property(get)


def _lower(request: AWSPreparedRequest) -> dict[str, str]:
    headers: dict[str, Any] = dict(request.headers.items())
    return {name.lower(): value.decode() if isinstance(value, bytes) else str(value) for name, value in headers.items()}


def _body(request: AWSPreparedRequest) -> bytes:
    body: Any = request.body
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode()
    return bytes(body.read() if hasattr(body, "read") else body)


def _error(status: int, kind: str, message: str) -> HttpAnswer:
    document = {"__type": kind, "Type": "User", "message": message, "Message": message}
    headers = {"x-amzn-errortype": kind, "content-type": "application/json"}
    return status, headers, json.dumps(document).encode()
