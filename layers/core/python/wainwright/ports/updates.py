"""Optimistic updates: read, decide, write under a condition; and anew where another writer was first."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from wainwright.domain.errors import Conflict, Unavailable

T = TypeVar("T")

TRIES = 8
BASE_SECONDS, MAX_SECONDS = 0.005, 0.5


def retry_conflicts(
    attempt: Callable[[], T], subject: str, *, tries: int = TRIES, pause: Callable[[float], None] = time.sleep
) -> T:
    """Call ``attempt``, which reads, decides and writes, until it raises no Conflict; return what it returns.

    Raises:
        Unavailable: another writer was first each time; the message names ``subject``.
    """
    for number in range(tries):
        try:
            return attempt()
        except Conflict:
            pause(jittered_delay(number))
    raise Unavailable(
        f"{subject} could not be written: others always wrote first", advice="Send the same request again."
    )


def jittered_delay(number: int, base: float = BASE_SECONDS, most: float = MAX_SECONDS) -> float:
    """Seconds to wait after the try of this number, counted from 0: exponential back-off with full jitter."""
    return random.uniform(0, min(most, base * 2**number))  # noqa: S311 - spreads load, no secret
