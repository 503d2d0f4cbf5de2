"""Functions of ours behind ``lambda:Invoke``, for state machines that run in moto."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from typing import Any
from urllib.parse import unquote, urlsplit

from botocore import handlers
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders

Function = Callable[[dict[str, Any]], Any]


class _Raw(BytesIO):
    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


@contextmanager
def lambdas(functions: Mapping[str, Function]) -> Iterator[None]:
    """Answer invocations in this process, by the function's name; what is raised becomes the error of the same name."""

    def invoke(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        name = unquote(urlsplit(request.url).path.split("/functions/")[1].split("/")[0]).rpartition(":")[2]
        headers = {}
        try:
            body: Any = request.body or b"{}"
            answer = functions[name](json.loads(body))
        except Exception as error:  # noqa: BLE001 - told to the state machine
            headers["x-amz-function-error"] = "Unhandled"
            answer = {"errorType": type(error).__name__, "errorMessage": str(error)}
        raw: Any = _Raw(json.dumps(answer).encode())
        return AWSResponse(request.url, 200, HTTPHeaders.from_dict(headers), raw)

    entry = ("before-send.lambda.Invoke", invoke)
    handlers.BUILTIN_HANDLERS.insert(0, entry)
    try:
        yield
    finally:
        handlers.BUILTIN_HANDLERS.remove(entry)
