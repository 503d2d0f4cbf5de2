"""Moving bytes: the request that a call sends, and the transports that await its answer or block until it is there.

Calls are coroutines, written once. An :class:`AsyncTransport` suspends them; a :class:`BlockingTransport` never does, so that
:func:`finish` has their result without an event loop.
"""

import asyncio
import math
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import httpx

from wainwright.client.endpoint import is_loopback
from wainwright.client.errors import UnexpectedAnswer, Unreachable

T = TypeVar("T")

CONNECT_TIMEOUT = 10.0
"""Seconds to reach a host at all, whatever the answer may take."""

MAX_REDIRECTS = 2
"""Redirects that one GET follows. httpx sends the key to no other origin than the first one's."""

CHUNK = 1_048_576
"""Bytes of a file that are read at a time."""


@dataclass(frozen=True)
class Request:
    """One HTTP request. ``upload`` is a file to send, ``save`` one for a good answer's body; ``timeout`` in seconds.

    ``again``: sending it a second time does nothing that the first did not. ``patient``: it is a look at a job that is
    waited for. After ``deadline``, on the monotonic clock, it is not sent again. ``job_id`` goes into errors.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None
    upload: Path | None = None
    save: Path | None = None
    timeout: float = 30.0
    again: bool = True
    patient: bool = False
    deadline: float = math.inf
    job_id: str | None = None


class AsyncTransport:
    """Awaits answers on the running event loop; functions that block run in threads."""

    def __init__(
        self,
        endpoint: str,
        transport: httpx.AsyncBaseTransport | None,
        sleep: Callable[[float], Awaitable[object]],
    ) -> None:
        self._http = httpx.AsyncClient(transport=transport, **_settings(endpoint))
        self._sleep = sleep

    async def send(self, request: Request) -> httpx.Response:
        """Send a request and read its answer whole.

        Raises:
            Unreachable: no answer came.
            UnexpectedAnswer: it redirects endlessly.
        """
        options = _options(request)
        if request.upload is not None:
            options["headers"].setdefault("Content-Length", str(request.upload.stat().st_size))
            options["content"] = _chunks(request.upload)
        with _translate_errors(request):
            async with self._http.stream(request.method, request.url, **options) as answer:
                if request.save is None or not answer.is_success:
                    await answer.aread()
                    return answer
                with request.save.open("wb") as file:
                    async for chunk in answer.aiter_bytes():
                        await asyncio.to_thread(file.write, chunk)
                return answer

    async def sleep(self, seconds: float) -> None:
        await self._sleep(seconds)

    async def call(self, function: Callable[[], T]) -> T:
        """Return the result of a function that may block."""
        return await asyncio.to_thread(function)

    async def close(self) -> None:
        await self._http.aclose()


class BlockingTransport:
    """Blocks until the answer is there."""

    def __init__(self, endpoint: str, transport: httpx.BaseTransport | None, sleep: Callable[[float], None]) -> None:
        self._http = httpx.Client(transport=transport, **_settings(endpoint))
        self._sleep = sleep

    async def send(self, request: Request) -> httpx.Response:
        options = _options(request)
        with _translate_errors(request), request.upload.open("rb") if request.upload else nullcontext() as upload:
            if upload is not None:
                options["content"] = upload
            with self._http.stream(request.method, request.url, **options) as answer:
                if request.save is None or not answer.is_success:
                    answer.read()
                    return answer
                with request.save.open("wb") as file:
                    for chunk in answer.iter_bytes():
                        file.write(chunk)
                return answer

    async def sleep(self, seconds: float) -> None:
        self._sleep(seconds)

    async def call(self, function: Callable[[], T]) -> T:
        return function()

    async def close(self) -> None:
        self._http.close()


Transport: TypeAlias = AsyncTransport | BlockingTransport


def finish(coroutine: Coroutine[Any, Any, T]) -> T:
    """Return the result of a coroutine whose transport blocks."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    raise RuntimeError("a coroutine on a blocking transport was suspended")


def iterate(values: AsyncGenerator[T]) -> Iterator[T]:
    """Iterate over the values of an asynchronous generator whose transport blocks."""
    hooks = sys.get_asyncgen_hooks()
    sys.set_asyncgen_hooks(None, None)  # with them a running event loop would close the generator at its own end
    first = values.__anext__()
    sys.set_asyncgen_hooks(*hooks)
    try:
        yield finish(first)
        while True:
            yield finish(values.__anext__())
    except StopAsyncIteration:
        return
    finally:
        finish(values.aclose())


def _settings(endpoint: str) -> dict[str, Any]:
    # Proxies and the like that the environment names are for the network, not for a server on this machine.
    return {"trust_env": not is_loopback(httpx.URL(endpoint).host), "max_redirects": MAX_REDIRECTS}


def _options(request: Request) -> dict[str, Any]:
    return {
        "headers": httpx.Headers(request.headers),
        "content": request.content,
        "timeout": httpx.Timeout(request.timeout, connect=min(CONNECT_TIMEOUT, request.timeout)),
        "follow_redirects": request.method == "GET",
    }


async def _chunks(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while chunk := await asyncio.to_thread(file.read, CHUNK):
            yield chunk


@contextmanager
def _translate_errors(request: Request) -> Iterator[None]:
    try:
        yield
    except httpx.TooManyRedirects as error:
        raise UnexpectedAnswer(f"{error.request.url.host} redirects endlessly", job_id=request.job_id) from error
    except httpx.TransportError as error:
        raise _unreachable(request, error) from error


def _unreachable(request: Request, error: httpx.TransportError) -> Unreachable:
    url = error.request.url  # of the host that the last redirect named
    where = f"{url.scheme}://{url.netloc.decode()}"
    sent = not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
    if isinstance(error, httpx.TimeoutException):
        message = f"{where} did not answer within {request.timeout:g} s"
        return Unreachable(message, timed_out=True, sent=sent, job_id=request.job_id)
    return Unreachable(
        f"{where} cannot be reached: {str(error) or type(error).__name__}",
        advice="Check the endpoint, and that the system is up.",
        sent=sent,
        job_id=request.job_id,
    )
