"""The steps that a call consists of, without doing any of them.

A call is a generator: it yields what is to be done (:class:`Send`, :class:`Pause`, :class:`Do`, :class:`Emit`) and returns
its result. A driver (:mod:`wainwright.client.sync`, :mod:`wainwright.client.asynchronous`) does the steps. So what is sent,
retried, followed and waited for is written once, whichever way the bytes move.
"""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeAlias, TypeVar

import httpx

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True)
class Request:
    """One HTTP request. ``upload`` is a file to send, ``save`` one for a good answer's body; ``timeout`` in seconds.

    ``again``: sending it a second time does nothing that the first did not.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None
    upload: Path | None = None
    save: Path | None = None
    timeout: float = 30.0
    again: bool = True


@dataclass(frozen=True)
class Send:
    """Send a request: its answer, read whole, is sent in, or ``Unreachable`` thrown in."""

    request: Request


@dataclass(frozen=True)
class Pause:
    """Wait for so many seconds."""

    seconds: float


@dataclass(frozen=True)
class Do:
    """Call a function that may block, on files for instance: its result is sent in, or its error thrown in."""

    function: Callable[[], Any]


@dataclass(frozen=True)
class Emit(Generic[T_co]):
    """Hand a value to whoever iterates."""

    value: T_co


@dataclass(frozen=True)
class Done(Generic[T_co]):
    """There are no more steps: the result."""

    value: T_co


Step: TypeAlias = Send | Pause | Do

Flow: TypeAlias = Generator[Step, Any, T]
"""A call on its way to a result of type T. After ``Send`` an answer is sent in, after ``Do`` a result."""

Stream: TypeAlias = Generator[Step | Emit[T], Any, None]
"""Calls on their way to several values of type T."""


def send(request: Request) -> Flow[httpx.Response]:
    """Have one request sent, and return its answer."""
    answer: httpx.Response | None = yield Send(request)
    if answer is None:
        raise TypeError("a driver has to send an answer in after Send")
    return answer


def do(function: Callable[[], T]) -> Flow[T]:
    """Have a function called where it may block, and return its result."""
    result: T = yield Do(function)
    return result


def advance(
    flow: Generator[Step | Emit[Any], Any, T], answer: object, failure: Exception | None
) -> Step | Emit[Any] | Done[T]:
    """The flow's next step, after the last one's answer or failure."""
    try:
        return flow.throw(failure) if failure is not None else flow.send(answer)
    except StopIteration as end:
        return Done(end.value)
