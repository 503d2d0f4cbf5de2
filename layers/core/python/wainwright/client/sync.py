"""The client for programs that wait for each call: it does the steps of :mod:`wainwright.client.calls` in turn."""

import functools
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

import httpx

from wainwright.client import words
from wainwright.client.calls import Calls
from wainwright.client.endpoint import endpoint_of
from wainwright.client.errors import unreachable
from wainwright.client.retries import RetryRules
from wainwright.client.steps import Do, Done, Emit, Flow, Pause, Request, Send, Step, Stream, advance
from wainwright.domain.errors import WainwrightError

T = TypeVar("T")
P = ParamSpec("P")

CONNECT_TIMEOUT = 10.0
"""Seconds to reach a host at all, whatever the answer may take."""


class Runs:
    """Something with methods made of flows: the client, or a part of it."""

    _client: "Client"


def call(flow: Callable[Concatenate[Calls, P], Flow[T]]) -> Callable[Concatenate[Runs, P], T]:
    """A method that does a flow's steps and returns its result."""

    @functools.wraps(flow)
    def method(self: Runs, /, *args: P.args, **kwargs: P.kwargs) -> T:
        client = self._client
        return client.run(flow(client.calls, *args, **kwargs))

    return method


def stream(flow: Callable[Concatenate[Calls, P], Stream[T]]) -> Callable[Concatenate[Runs, P], Iterator[T]]:
    """A method that does a flow's steps as its values are asked for."""

    @functools.wraps(flow)
    def method(self: Runs, /, *args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
        client = self._client
        return client.iterate(flow(client.calls, *args, **kwargs))

    return method


class Jobs(Runs):
    """Jobs in the words of a job control: a job is given by its id or its record."""

    def __init__(self, client: "Client") -> None:
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


class Templates(Runs):
    """Templates: what to run, stored by a name."""

    def __init__(self, client: "Client") -> None:
        self._client = client

    create = call(Calls.create_template)
    get = call(Calls.get_template)
    list = stream(words.all_templates)
    update = call(Calls.update_template)
    delete = call(Calls.delete_template)
    invoke = call(Calls.invoke_template)


class Client(Runs):
    """Talks to one Wainwright with one key. Usable from several threads; close it, or use it in a ``with``.

    Every call of the API is a method; ``jobs`` and ``templates`` have the same in the words of a job control, with
    iterators over pages and defaults. Calls are repeated, with growing pauses, when the API cannot be reached, is
    overloaded or asks to come back, unless the first may have been done and a second would do it twice.

    Args:
        endpoint: the API's address, ``https://…``; plain ``http`` only to this machine.
        key: the API key.
        timeout: seconds that one ordinary request may take.
        transport: what moves the bytes, in place of the network.
        retries: how often and how soon a call is repeated.

    Raises (all calls):
        ApiError: the API refused or failed.
        Unreachable: no answer came.
        UnexpectedAnswer: an answer came that is not Wainwright's.
    """

    def __init__(
        self,
        endpoint: str,
        key: str,
        *,
        timeout: float = 30.0,
        transport: httpx.BaseTransport | None = None,
        retries: RetryRules | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.calls = Calls(endpoint_of(endpoint), key, timeout=timeout, rules=retries or RetryRules())
        # Proxies and the like that the environment names are for the network, not for a server on this machine.
        self._http = httpx.Client(transport=transport, trust_env=not self.calls.endpoint.loopback)
        self._sleep = sleep
        self._client = self
        self.jobs = Jobs(self)
        self.templates = Templates(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

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

    def run(self, flow: Flow[T]) -> T:
        """Do the steps of a flow, and return its result."""
        steps = self._steps(flow)
        while True:
            try:
                next(steps)
            except StopIteration as end:
                result: T = end.value
                return result

    def iterate(self, stream: Stream[T]) -> Iterator[T]:
        """Do the steps of a stream as its values are asked for."""
        yield from self._steps(stream)

    def _steps(self, flow: Generator[Step | Emit[Any], Any, T]) -> Generator[Any, None, T]:
        """Do the flow's steps, and pass on what it emits."""
        answer: object = None
        failure: Exception | None = None
        with closing(flow):
            while True:
                step = advance(flow, answer, failure)
                answer, failure = None, None
                match step:
                    case Done(result):
                        return result
                    case Emit(value):
                        yield value
                    case Pause(seconds):
                        self._sleep(seconds)
                    case Send() | Do():
                        try:
                            answer = self._do(step)
                        except (OSError, WainwrightError) as error:
                            failure = error

    def _do(self, step: Send | Do) -> object:
        if isinstance(step, Do):
            return step.function()
        try:
            return self._send(step.request)
        except httpx.TransportError as error:
            raise unreachable(step.request, error) from error

    def _send(self, request: Request) -> httpx.Response:
        if request.upload is not None:
            with request.upload.open("rb") as file:
                return self._send_content(request, file)
        return self._send_content(request, request.content)

    def _send_content(self, request: Request, content: Any) -> httpx.Response:
        timeout = httpx.Timeout(request.timeout, connect=min(CONNECT_TIMEOUT, request.timeout))
        with self._http.stream(
            request.method, request.url, headers=dict(request.headers), content=content, timeout=timeout
        ) as answer:
            if request.save is None or not answer.is_success:
                answer.read()
                return answer
            with request.save.open("wb") as file:
                for chunk in answer.iter_bytes():
                    file.write(chunk)
            return answer
