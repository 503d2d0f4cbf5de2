"""One coroutine, called with either client."""

import functools
from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, overload

from wainwright.client.calls import Calls
from wainwright.client.clients import AsyncClient, Client
from wainwright.client.transport import finish

T = TypeVar("T")
P = ParamSpec("P")

ClientT = TypeVar("ClientT", bound=Client | AsyncClient)


class Pattern(Generic[ClientT]):
    """Base of the patterns that keep a client."""

    def __init__(self, client: ClientT) -> None:
        self.client = client

    @property
    def calls(self) -> Calls:
        """The client's calls, to be awaited."""
        return self.client if isinstance(self.client, AsyncClient) else self.client.calls


class both(Generic[P, T]):  # noqa: N801 - a decorator
    """A function of calls, or a method of a pattern: it answers with a ``Client``, and is awaited with an ``AsyncClient``."""

    def __init__(self, function: Callable[Concatenate[Any, P], Coroutine[Any, Any, T]]) -> None:
        self._function = function
        functools.update_wrapper(self, function)

    @overload
    def __call__(self, client: Client, /, *args: P.args, **kwargs: P.kwargs) -> T: ...
    @overload
    def __call__(self, client: AsyncClient, /, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, T]: ...
    def __call__(self, target: Client | AsyncClient | Pattern[Any], /, *args: P.args, **kwargs: P.kwargs) -> object:
        if isinstance(target, Pattern):
            coroutine, client = self._function(target, *args, **kwargs), target.client
        else:
            coroutine = self._function(target if isinstance(target, AsyncClient) else target.calls, *args, **kwargs)
            client = target
        return coroutine if isinstance(client, AsyncClient) else finish(coroutine)

    @overload
    def __get__(self, pattern: Pattern[Client], owner: type) -> Callable[P, T]: ...
    @overload
    def __get__(self, pattern: Pattern[AsyncClient], owner: type) -> Callable[P, Coroutine[Any, Any, T]]: ...
    def __get__(self, pattern: Any, owner: type) -> object:
        return self if pattern is None else functools.update_wrapper(functools.partial(self, pattern), self._function)
