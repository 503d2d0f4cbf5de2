"""Repetition of calls, and the pauses before: pure arithmetic."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

REPEATED_STATUSES = frozenset({429, 500, 502, 503, 504})
"""Answers that say that the same request may succeed later."""

UNDONE_STATUSES = frozenset({429, 503})
"""Those of them that also say that nothing was done."""


@dataclass(frozen=True)
class RetryRules:
    """Number of times a call is sent, and the pauses in between, in seconds.

    The pause doubles from ``first_pause`` up to ``longest_pause``, less up to half of it by chance, so that clients
    that failed together do not come back together. A ``Retry-After`` beyond ``longest_retry_after`` is not waited for:
    the caller gets the error. A look at a job that is waited for is sent up to ``look_tries`` times, which takes some
    minutes: the job goes on, and so does the wait.
    """

    tries: int = 5
    look_tries: int = 40
    first_pause: float = 0.25
    longest_pause: float = 8.0
    longest_retry_after: float = 60.0
    chance: Callable[[], float] = random.random

    def pause(self, attempt: int, retry_after: str | None = None, *, tries: int | None = None) -> float | None:
        """Return the seconds to wait after try number ``attempt`` (from 1) of ``tries``, or None to give up."""
        if attempt >= (self.tries if tries is None else tries):
            return None
        pause = min(self.first_pause * 2.0 ** (attempt - 1), self.longest_pause) * (1 - self.chance() / 2)
        asked = seconds_of(retry_after) if retry_after else None
        if asked is None:
            return pause
        return None if asked > self.longest_retry_after else max(asked, pause)


def seconds_of(retry_after: str, now: datetime | None = None) -> float | None:
    """Return the seconds that a ``Retry-After`` header (a number, or an HTTP date) asks for; None if it is not readable."""
    try:
        return max(0.0, float(int(retry_after)))
    except ValueError:
        pass
    try:
        at = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return max(0.0, (at - (now or datetime.now(UTC))).total_seconds())
