"""The steps that a call consists of, without doing any of them.

A call is a generator: it yields what is to be done (:class:`Send`, :class:`Pause`, :class:`Emit`) and returns its
result. A transport (:mod:`wainwright.client.sync`) does the steps. So what is sent, retried and followed is written
once, whichever way the bytes move.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import httpx


@dataclass(frozen=True)
class Request:
    """One HTTP request. ``upload`` is a file to send, ``save`` one for a good answer's body; ``timeout`` in seconds."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None
    upload: Path | None = None
    save: Path | None = None
    timeout: float = 30.0


@dataclass(frozen=True)
class Send:
    """Send a request: its answer, read whole, is sent in, or ``Unreachable`` thrown in."""

    request: Request


@dataclass(frozen=True)
class Pause:
    """Wait for so many seconds."""

    seconds: float


@dataclass(frozen=True)
class Emit:
    """Hand a value to whoever iterates."""

    value: Any


T = TypeVar("T")

Flow: TypeAlias = Generator[Send | Pause | Emit, httpx.Response | None, T]
"""A call on its way to a result of type T. An answer is sent in after ``Send``, None after anything else."""


def send(request: Request) -> Flow[httpx.Response]:
    """Have one request sent, and return its answer."""
    answer = yield Send(request)
    if answer is None:
        raise TypeError("a transport has to send an answer in after Send")
    return answer
