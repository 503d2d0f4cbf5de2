"""A clock that a test may put forward."""

from __future__ import annotations

import time


class Clock:
    """The monotonic clock, put forward so that no outcome depends on how fast the machine is."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def monotonic(self) -> float:
        """As `time.monotonic`."""
        return time.monotonic() + self._ahead

    def put_forward(self, seconds: float) -> None:
        """Once: what triggers it may be seen again."""
        self._ahead = self._ahead or seconds
