"""Tests that are flaky, fail or take long, over the jobs of a project."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from wainwright.domain.analytics import TestRecord
from wainwright.domain.test_history import KEPT, TestStats
from wainwright.ports.clock import Clock
from wainwright.ports.quarantine import QuarantineStore
from wainwright.ports.test_history import FileStats, TestHistory
from wainwright.usecases.caller import Caller

MOST_FILES = 1_000
"""Files of a project that are read for each page: an order by rate or duration is one of all of them."""

SortBy = Literal["flakeRate", "failureRate", "duration"]

_ORDER: Mapping[str, Callable[[TestStats], float]] = {
    "flakeRate": lambda stats: stats.flake_rate,
    "failureRate": lambda stats: stats.failure_rate,
    "duration": lambda stats: stats.expected_ms or 0.0,
}


@dataclass(frozen=True)
class TestQuery:
    """Filters, an order (the highest first) and a page, which starts after ``start`` tests. ``flaky``: only tests that were, or
    were not, in the time that is kept.
    """

    flaky: bool | None = None
    file: str | None = None
    sort_by: SortBy = "flakeRate"
    start: int = 0
    limit: int = 50


@dataclass(frozen=True)
class TestPage:
    """Some tests, the start of the next page, and a mark if the project has more files than were read."""

    tests: list[TestRecord]
    following: int | None
    truncated: bool


@dataclass(frozen=True)
class AnalyzeTests:
    """Ranks the tests of a project by their history."""

    history: TestHistory
    quarantine: QuarantineStore
    clock: Clock

    def __call__(self, caller: Caller, query: TestQuery) -> TestPage:
        """Return one page."""
        now = self.clock()
        files, truncated = self._files(caller.project, query.file)
        found = [
            (test_id, file, stats)
            for file, tests in files.items()
            for test_id, stats in tests.items()
            if stats.last_run_at > now - KEPT and (query.flaky is None or bool(stats.flaky) is query.flaky)
        ]
        order = _ORDER[query.sort_by]
        found.sort(key=lambda each: (-order(each[2]), -each[2].runs, each[0]))
        quarantined = {entry.test_id for entry in self.quarantine.list(caller.project) if entry.holds(now)}
        end = query.start + query.limit
        page = [_record(*each, quarantined=each[0] in quarantined) for each in found[query.start : end]]
        return TestPage(page, end if end < len(found) else None, truncated)

    def _files(self, project: str, file: str | None) -> tuple[Mapping[str, FileStats], bool]:
        """Return the files to read, and True if the project has more."""
        if file is not None:
            return self.history.files(project, [file]), False
        found = self.history.all(project, most=MOST_FILES + 1)
        return dict(islice(found.items(), MOST_FILES)), len(found) > MOST_FILES


def _record(test_id: str, file: str, stats: TestStats, *, quarantined: bool) -> TestRecord:
    return TestRecord(
        id=test_id, file=file, runs=stats.runs, failed=stats.failed, flaky=stats.flaky, quarantined=quarantined,
        flake_rate=round(stats.flake_rate, 4), failure_rate=round(stats.failure_rate, 4),
        expected_duration=None if stats.expected_ms is None else round(stats.expected_ms), last_outcomes=stats.last,
        last_run_at=stats.last_run_at,
    )  # fmt: skip
