"""One flow, called with either client."""

import functools
from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, cast, overload

from wainwright.client.asynchronous import AsyncClient
from wainwright.client.calls import Calls
from wainwright.client.steps import Flow
from wainwright.client.sync import Client

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
P = ParamSpec("P")

ClientT = TypeVar("ClientT", bound=Client | AsyncClient)


class Either(Protocol[P, T_co]):
    """A function of a client: called with a ``Client`` it answers, with an ``AsyncClient`` it is awaited."""

    @overload
    def __call__(self, client: Client, /, *args: P.args, **kwargs: P.kwargs) -> T_co: ...
    @overload
    def __call__(self, client: AsyncClient, /, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, T_co]: ...


def either(flow: Callable[Concatenate[Calls, P], Flow[T]]) -> Either[P, T]:
    """Make a function of a client of a flow of its calls."""

    @functools.wraps(flow)
    def function(client: Client | AsyncClient, /, *args: P.args, **kwargs: P.kwargs) -> object:
        return client.run(flow(client.calls, *args, **kwargs))

    return cast("Either[P, T]", function)
