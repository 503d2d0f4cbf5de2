"""Which tests run, as far as a worker's successor is to know."""

import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime

from wainwright.domain.tests import RunningTest
from wainwright.worker.runners.suite import TestCase

NOTED_SECONDS = 3.0
"""A test that has run for so long is noted by a write of its own; a quicker one only where something is written anyway."""

MOST_RUNNING = 10
"""Tests that are noted; Playwright Test may run many at once."""

MOST_OF_AN_ID = 500


class Running:
    """Tests that have begun and whose outcomes are not recorded. For several threads.

    Should the worker be lost, whoever ends the run for it can tell by what was noted which tests it had in hand.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._began: dict[str, tuple[datetime, float]] = {}
        self._noted: frozenset[str] = frozenset()

    def begin(self, test_id: str, at: datetime) -> None:
        """A test begins, perhaps once more."""
        if len(test_id) <= MOST_OF_AN_ID:
            with self._lock:
                self._began[test_id] = (at, self._monotonic())

    def end(self, test_id: str) -> None:
        """What it came to is about to be written."""
        with self._lock:
            self._began.pop(test_id, None)

    @property
    def due(self) -> float | None:
        """Seconds until what has begun is to be noted; None where it all is."""
        with self._lock:
            waiting = [
                since for test_id, (_, since) in list(self._began.items())[:MOST_RUNNING] if test_id not in self._noted
            ]
        return max(min(waiting) + NOTED_SECONDS - self._monotonic(), 0.0) if waiting else None

    def note(self, cases: Mapping[str, TestCase]) -> tuple[RunningTest, ...]:
        """What is to be written now, the oldest first."""
        with self._lock:
            began = dict(list(self._began.items())[:MOST_RUNNING])
            self._noted = frozenset(began)
        named = [(cases.get(test_id) or unnamed(test_id), since) for test_id, (since, _) in began.items()]
        return tuple(
            RunningTest(id=case.id, file=case.file[:MOST_OF_AN_ID], line=case.line, title=case.title[:MOST_OF_AN_ID], since=since)
            for case, since in named
        )  # fmt: skip


def unnamed(test_id: str) -> TestCase:
    """A test of which no more than its id is known."""
    return TestCase(test_id, test_id.partition("::")[0], 0, test_id)
