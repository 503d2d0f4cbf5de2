"""Tests that run, noted so that a successor of their worker can name them; and tests without an outcome, by what was noted."""

import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from wainwright.domain.instants import to_text
from wainwright.domain.jobs import Job
from wainwright.domain.tests import RunningTest
from wainwright.ports.job_store import StoredTest
from wainwright.ports.work_lists import WorkListStore
from wainwright.worker.runners.suite import TestCase, TestError, TestResult

NOTED_SECONDS = 3.0
"""A test that has run for so long is noted by a write of its own; a quicker one only where something is written anyway."""

MAX_RUNNING = 10
"""Tests that are noted; Playwright Test may run many at once."""

MAX_ID = 500


class RunningTests:
    """Tests that have begun and whose outcomes are not recorded. For several threads."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._began: dict[str, tuple[datetime, float]] = {}
        self._noted: frozenset[str] = frozenset()

    def begin(self, test_id: str, at: datetime) -> None:
        """A test begins, perhaps once more."""
        if len(test_id) <= MAX_ID:
            with self._lock:
                self._began[test_id] = (at, self._monotonic())

    def end(self, test_id: str) -> None:
        """A test ended: its outcome is about to be written."""
        with self._lock:
            self._began.pop(test_id, None)

    @property
    def due(self) -> float | None:
        """Seconds until what has begun is to be noted; None where it all is."""
        with self._lock:
            waiting = [
                since for test_id, (_, since) in list(self._began.items())[:MAX_RUNNING] if test_id not in self._noted
            ]
        return max(min(waiting) + NOTED_SECONDS - self._monotonic(), 0.0) if waiting else None

    def note(self, cases: Mapping[str, TestCase]) -> tuple[RunningTest, ...]:
        """Return what is to be written now, the oldest first."""
        with self._lock:
            began = dict(list(self._began.items())[:MAX_RUNNING])
            self._noted = frozenset(began)
        named = [(cases.get(test_id) or unnamed(test_id), since) for test_id, (since, _) in began.items()]
        return tuple(
            RunningTest(id=case.id, file=case.file[:MAX_ID], line=case.line, title=case.title[:MAX_ID], since=since)
            for case, since in named
        )  # fmt: skip


def unnamed(test_id: str) -> TestCase:
    """Return a test of which no more than its id is known."""
    return TestCase(test_id, test_id.partition("::")[0], 0, test_id)


@dataclass(frozen=True)
class Unfinished:
    """Tests without an outcome whose names are known; ``interrupted`` are those among them that had begun."""

    not_run: tuple[TestCase, ...]
    interrupted: tuple[TestResult, ...]


def find_unfinished(
    lists: WorkListStore, job: Job, rows: Iterable[StoredTest], running: Sequence[RunningTest], why: str
) -> Unfinished:
    """Return them from what was noted as running, and in a job of several lanes from its work list. A lane runs what it holds
    in that order: the first case of it without an outcome had begun, or was just about to."""
    ended = {row.id for row in rows if row.attempt == job.attempt}
    begun = [each for each in running if each.id not in ended]
    if job.lanes == 1:
        cases = tuple(TestCase(each.id, each.file, each.line, each.title) for each in begun)
        return Unfinished(
            cases, tuple(_interrupted(case, each.since, why) for case, each in zip(cases, begun, strict=True))
        )
    last = lists.last(job)
    if last is None:
        return Unfinished((), ())
    work, order = last
    cases = tuple(unnamed(test_id) for test_id in order.ids if test_id not in ended)
    first = {_first(tuple(order.ids[at] for at in held), ended) for held in work.held.values()} - {None}
    since = job.started_at or job.created_at
    return Unfinished(cases, tuple(_interrupted(case, since, why) for case in cases if case.id in first))


def _first(ids: Sequence[str], ended: Collection[str]) -> str | None:
    return next((test_id for test_id in ids if test_id not in ended), None)


def _interrupted(case: TestCase, since: datetime, why: str) -> TestResult:
    """Return a result without evidence, which went with the worker."""
    return TestResult(
        case.id, case.file, case.line, case.title, "failed", 0.0, to_text(since), path=case.path,
        errors=(TestError(f"This test began and has no outcome: {why}"),),
    )  # fmt: skip
