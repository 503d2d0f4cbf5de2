"""The two clients: ``AsyncClient`` is the calls themselves, ``Client`` the same on a transport that blocks."""

import asyncio
import functools
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Iterator
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

import httpx

from wainwright.client.calls import Calls
from wainwright.client.endpoint import endpoint_of
from wainwright.client.jobs import AsyncJobs
from wainwright.client.retries import RetryRules
from wainwright.client.transport import AsyncTransport, BlockingTransport, finish, iterate
from wainwright.contracts.http.templates import TemplateRecord

T = TypeVar("T")
P = ParamSpec("P")


async def list_templates(calls: Calls) -> AsyncGenerator[TemplateRecord]:
    """Iterate over the project's templates, by name; pages are fetched as they are needed."""
    page = await calls.list_templates()
    while True:
        for template in page.templates:
            yield template
        if page.cursor is None:
            return
        page = await calls.list_templates(cursor=page.cursor)


class AsyncTemplates:
    """Templates: what to run, stored by a name."""

    def __init__(self, calls: Calls) -> None:
        self.create = calls.create_template
        self.get = calls.get_template
        self.list = functools.partial(list_templates, calls)
        self.update = calls.update_template
        self.delete = calls.delete_template
        self.invoke = calls.invoke_template


class AsyncClient(Calls):
    """The same as :class:`Client`, to be awaited. Use it in an ``async with``, or ``aclose`` it.

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
        address = endpoint_of(endpoint)
        super().__init__(address, key, AsyncTransport(address, transport, sleep), timeout=timeout, retries=retries)
        self.jobs = AsyncJobs(self)
        self.templates = AsyncTemplates(self)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self.aclose()


class _Blocking:
    """A facade of something asynchronous whose transport blocks."""

    calls: Any


def call(method: Callable[Concatenate[Any, P], Coroutine[Any, Any, T]]) -> Callable[Concatenate[_Blocking, P], T]:
    """Make a method that returns the result of an asynchronous one."""

    @functools.wraps(method)
    def blocking(self: _Blocking, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return finish(method(self.calls, *args, **kwargs))

    return blocking


def stream(
    method: Callable[Concatenate[Any, P], AsyncGenerator[T]],
) -> Callable[Concatenate[_Blocking, P], Iterator[T]]:
    """Make a method that iterates over the values of an asynchronous one."""

    @functools.wraps(method)
    def blocking(self: _Blocking, /, *args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
        return iterate(method(self.calls, *args, **kwargs))

    return blocking


class Jobs(_Blocking):
    """Jobs, each given by its id or its record."""

    def __init__(self, calls: Calls) -> None:
        self.calls = AsyncJobs(calls)

    create = call(AsyncJobs.create)
    find_by_id = call(AsyncJobs.find_by_id)
    find = stream(AsyncJobs.find)
    logs = stream(AsyncJobs.logs)
    log_info = call(AsyncJobs.log_info)
    log_error = call(AsyncJobs.log_error)
    wait_for = call(AsyncJobs.wait_for)
    wait_for_result = call(AsyncJobs.wait_for_result)
    set_priority = call(AsyncJobs.set_priority)
    set_low_priority = call(AsyncJobs.set_low_priority)
    remove_low_priority = call(AsyncJobs.remove_low_priority)
    cancel = call(AsyncJobs.cancel)
    stop = call(AsyncJobs.stop)
    resume = call(AsyncJobs.resume)
    retry = call(AsyncJobs.retry)
    delete = call(AsyncJobs.delete)


class Templates(_Blocking):
    """Templates: what to run, stored by a name."""

    def __init__(self, client: "Client") -> None:
        self.calls = client.calls
        self.create = client.create_template
        self.get = client.get_template
        self.update = client.update_template
        self.delete = client.delete_template
        self.invoke = client.invoke_template

    list = stream(list_templates)


class Client(_Blocking):
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
        address = endpoint_of(endpoint)
        self.calls = Calls(address, key, BlockingTransport(address, transport, sleep), timeout=timeout, retries=retries)
        self.jobs = Jobs(self.calls)
        self.templates = Templates(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        finish(self.calls.aclose())

    @property
    def endpoint(self) -> str:
        """The API's address, without version."""
        return str(self.calls.endpoint)

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
