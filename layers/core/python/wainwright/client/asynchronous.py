"""The client for asyncio programs: it does the very steps that :mod:`wainwright.client.sync` does."""

import asyncio
import functools
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine, Generator
from contextlib import aclosing, closing
from pathlib import Path
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

import httpx

from wainwright.client import words
from wainwright.client.calls import Calls
from wainwright.client.endpoint import endpoint_of
from wainwright.client.errors import unreachable
from wainwright.client.retries import RetryRules
from wainwright.client.steps import Do, Done, Emit, Flow, Pause, Request, Send, Step, Stream, advance
from wainwright.client.sync import CONNECT_TIMEOUT
from wainwright.domain.errors import WainwrightError

T = TypeVar("T")
P = ParamSpec("P")

CHUNK = 1_048_576
"""Bytes of a file that are read at a time."""


class AsyncRuns:
    """Something with methods made of flows: the client, or a part of it."""

    _client: "AsyncClient"


def call(
    flow: Callable[Concatenate[Calls, P], Flow[T]],
) -> Callable[Concatenate[AsyncRuns, P], Coroutine[Any, Any, T]]:
    """A method that does a flow's steps and returns its result."""

    @functools.wraps(flow)
    async def method(self: AsyncRuns, /, *args: P.args, **kwargs: P.kwargs) -> T:
        client = self._client
        return await client.run(flow(client.calls, *args, **kwargs))

    return method


def stream(flow: Callable[Concatenate[Calls, P], Stream[T]]) -> Callable[Concatenate[AsyncRuns, P], AsyncIterator[T]]:
    """A method that does a flow's steps as its values are asked for."""

    @functools.wraps(flow)
    def method(self: AsyncRuns, /, *args: P.args, **kwargs: P.kwargs) -> AsyncIterator[T]:
        client = self._client
        return client.iterate(flow(client.calls, *args, **kwargs))

    return method


class AsyncJobs(AsyncRuns):
    """Jobs in the words of a job control: a job is given by its id or its record."""

    def __init__(self, client: "AsyncClient") -> None:
        self._client = client

    create = call(Calls.create_job)
    find_by_id = call(words.find_by_id)
    find = stream(words.find)
    logs = stream(words.logs)
    log_info = call(words.log_info)
    log_error = call(words.log_error)
    wait_for = call(words.wait_for)
    wait_for_result = call(words.wait_for_result)
    set_priority = call(words.set_priority)
    set_low_priority = call(words.set_low_priority)
    remove_low_priority = call(words.remove_low_priority)
    cancel = call(words.cancel)
    stop = call(words.stop)
    resume = call(words.resume)
    retry = call(words.retry)
    delete = call(words.delete)


class AsyncTemplates(AsyncRuns):
    """Templates: what to run, stored by a name."""

    def __init__(self, client: "AsyncClient") -> None:
        self._client = client

    create = call(Calls.create_template)
    get = call(Calls.get_template)
    list = stream(words.all_templates)
    update = call(Calls.update_template)
    delete = call(Calls.delete_template)
    invoke = call(Calls.invoke_template)


class AsyncClient(AsyncRuns):
    """The same as :class:`wainwright.client.Client`, to be awaited. Use it in an ``async with``, or ``aclose`` it.

    Its arguments and errors are those of ``Client``; ``sleep`` is awaited.
    """

    def __init__(
        self,
        endpoint: str,
        key: str,
        *,
        timeout: float = 30.0,
        transport: httpx.AsyncBaseTransport | None = None,
        retries: RetryRules | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self.calls = Calls(endpoint_of(endpoint), key, timeout=timeout, rules=retries or RetryRules())
        self._http = httpx.AsyncClient(transport=transport, trust_env=not self.calls.endpoint.loopback)
        self._sleep = sleep
        self._client = self
        self.jobs = AsyncJobs(self)
        self.templates = AsyncTemplates(self)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    @property
    def endpoint(self) -> str:
        """The API's address, without version."""
        return self.calls.endpoint.url

    health = call(Calls.health)
    openapi = call(Calls.openapi)
    create_job = call(Calls.create_job)
    get_job = call(Calls.get_job)
    wait_for = call(Calls.wait_for)
    list_jobs = call(Calls.list_jobs)
    patch_job = call(Calls.patch_job)
    delete_job = call(Calls.delete_job)
    cancel_job = call(Calls.cancel_job)
    stop_job = call(Calls.stop_job)
    resume_job = call(Calls.resume_job)
    retry_job = call(Calls.retry_job)
    list_logs = call(Calls.list_logs)
    create_log = call(Calls.create_log)
    ticket = call(Calls.ticket)
    events = stream(Calls.events)
    upload_bundle = call(Calls.upload_bundle)
    report_file = call(Calls.report_file)
    manifest = call(Calls.manifest)
    create_template = call(Calls.create_template)
    list_templates = call(Calls.list_templates)
    get_template = call(Calls.get_template)
    update_template = call(Calls.update_template)
    delete_template = call(Calls.delete_template)
    invoke_template = call(Calls.invoke_template)
    analytics = call(Calls.analytics)
    analyze_tests = call(Calls.analyze_tests)
    queue = call(Calls.queue)
    get_limits = call(Calls.get_limits)
    put_limits = call(Calls.put_limits)
    list_keys = call(Calls.list_keys)
    create_key = call(Calls.create_key)
    revoke_key = call(Calls.revoke_key)
    list_secrets = call(Calls.list_secrets)
    put_secret = call(Calls.put_secret)
    delete_secret = call(Calls.delete_secret)
    list_quarantine = call(Calls.list_quarantine)
    put_quarantine = call(Calls.put_quarantine)
    delete_quarantine = call(Calls.delete_quarantine)

    async def run(self, flow: Flow[T]) -> T:
        """Do the steps of a flow, and return its result."""
        async with aclosing(self._steps(flow)) as steps:
            async for step in steps:
                if isinstance(step, Done):
                    result: T = step.value
                    return result
        raise RuntimeError("a flow ended without a result")

    async def iterate(self, stream: Stream[T]) -> AsyncIterator[T]:
        """Do the steps of a stream as its values are asked for."""
        async with aclosing(self._steps(stream)) as steps:
            async for step in steps:
                if isinstance(step, Emit):
                    yield step.value

    async def _steps(self, flow: Generator[Step | Emit[Any], Any, T]) -> AsyncGenerator[Emit[Any] | Done[T]]:
        """Do the flow's steps, and pass on what it emits and its result."""
        answer: object = None
        failure: Exception | None = None
        with closing(flow):
            while True:
                step = advance(flow, answer, failure)
                answer, failure = None, None
                match step:
                    case Done():
                        yield step
                        return
                    case Emit():
                        yield step
                    case Pause(seconds):
                        await self._sleep(seconds)
                    case Send() | Do():
                        try:
                            answer = await self._do(step)
                        except (OSError, WainwrightError) as error:
                            failure = error

    async def _do(self, step: Send | Do) -> object:
        if isinstance(step, Do):
            return await asyncio.to_thread(step.function)
        try:
            return await self._send(step.request)
        except httpx.TransportError as error:
            raise unreachable(step.request, error) from error

    async def _send(self, request: Request) -> httpx.Response:
        timeout = httpx.Timeout(request.timeout, connect=min(CONNECT_TIMEOUT, request.timeout))
        headers = httpx.Headers(request.headers)
        content: Any = request.content
        if request.upload is not None:
            headers.setdefault("Content-Length", str(request.upload.stat().st_size))
            content = _chunks(request.upload)
        async with self._http.stream(
            request.method, request.url, headers=headers, content=content, timeout=timeout
        ) as answer:
            if request.save is None or not answer.is_success:
                await answer.aread()
                return answer
            with request.save.open("wb") as file:
                async for chunk in answer.aiter_bytes():
                    await asyncio.to_thread(file.write, chunk)
            return answer


async def _chunks(file: Path) -> AsyncIterator[bytes]:
    with file.open("rb") as opened:
        while chunk := await asyncio.to_thread(opened.read, CHUNK):
            yield chunk
