"""Time that a suite of short browser tests takes as a job, beside the same suite run directly.

Usage: python -m benchmarks.tax [--workers N] [--smoke] [--json FILE]
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs

from benchmarks import playwright_test
from benchmarks.measuring import Cell, Options, Result, Table, Verdict, alternately, median, run
from benchmarks.suites import (
    EVIDENCE,
    DirectPlaywrightTest,
    DirectPytest,
    meet,
    python_suite,
    warmed,
    write_typescript_suite,
)
from benchmarks.systems import System, local_system
from wainwright import Client

PURPOSE = (
    "A suite through a warm local system, beside the same suite run directly: short browser tests, tracing on in both."
)
REPEATS = {1: 3, 20: 4, 100: 1}
"""Number of tests -> repeats."""
SMOKE = {1: 1, 2: 1}
WORKERS = max(1, len(os.sched_getaffinity(0)) // 2) if hasattr(os, "sched_getaffinity") else 1
"""Half as many as there are cores: one traced browser test keeps more than one busy, on both sides."""
BUDGET_AT = 20
BUDGETS = {"Python": 1.00, "TypeScript": 1.05}
DIRECTLY = {"Python": "pytest -n {workers} --tracing on", "TypeScript": "playwright test --workers={workers}"}

NOTE_SIDES = (
    "Workers: {workers}, each with a spare, at rest before every run; jobs have parallelism {workers}. A job is timed from its "
    "POST to the long-poll that says that it has ended; what is run directly, from the start of its process to its end."
)
NOTE_REPEATS = (
    "Repeats: {times}, the two sides in turn; medians. Fixed and per-test cost by least squares through the medians."
)
NOTE_ALIKE = (
    "Directly, too: Chromium with the flags that a worker gives it, no pytest plugins but those that the suite needs. No "
    "screenshots on either side. The TypeScript bundle is uploaded, and its dependencies are installed, beforehand."
)

Side = Callable[[], float]


@dataclass(frozen=True)
class Sides:
    """One suite, as a job and directly: each runs once and returns its seconds."""

    job: Side
    direct: Side


@dataclass(frozen=True)
class Line:
    """Seconds = fixed + tests · each."""

    fixed: float
    each: float

    @classmethod
    def through(cls, seconds: Mapping[int, float]) -> Line:
        """By least squares."""
        slope, intercept = statistics.linear_regression([*seconds], [*seconds.values()])
        return cls(intercept, slope)


class Bench:
    """A warm system, and what is run on it and beside it."""

    def __init__(self, system: System, folder: Path, workers: int) -> None:
        self._system = system
        self._folder = folder
        self._workers = workers

    def python(self, tests: int) -> Sides:
        """The Python suite."""
        script = python_suite(tests)
        direct = DirectPytest(self._folder / f"python-{tests}", script)
        return Sides(
            self._job({"script": script, "parallelism": self._workers}, tests),
            self._directly(lambda: direct.run("-n", str(self._workers))),
        )

    def typescript(self, tests: int, rival: playwright_test.Rival) -> Sides:
        """The TypeScript suite. Its bundle is there before anything is timed."""
        direct = DirectPlaywrightTest(self._folder / f"typescript-{tests}", tests, rival)
        return Sides(
            self._job({"bundleId": self._bundle(tests, 1), "parallelism": self._workers}, tests),
            self._directly(lambda: direct.run(f"--workers={self._workers}")),
        )

    def typescript_in_one_lane(self, tests: int) -> Side:
        """The TypeScript suite in a job of one lane, in which Playwright Test has as many workers itself."""
        return self._job({"bundleId": self._bundle(tests, self._workers)}, tests)

    def _bundle(self, tests: int, workers: int) -> str:
        suite = self._folder / f"bundle-{tests}-{workers}"
        write_typescript_suite(suite, tests, workers=workers)
        with Client(self._system.endpoint, self._system.key) as client:
            return client.upload_bundle(suite)

    def _job(self, body: Mapping[str, Any], tests: int) -> Side:
        def timed() -> float:
            warmed(self._system, self._folder, self._workers)
            began = time.monotonic()
            job = self._system.run(**body, config=EVIDENCE)
            seconds = time.monotonic() - began
            if job["tests"]["passed"] != tests:
                raise SystemExit(f"the job passed {job['tests']['passed']} tests of {tests}")
            return seconds

        return timed

    def _directly(self, start: Callable[[], None]) -> Side:
        def timed() -> float:
            warmed(self._system, self._folder, self._workers)
            began = time.monotonic()
            start()
            return time.monotonic() - began

        return timed


def measure(options: Options) -> Result:
    """Both languages, each size, both sides in turn."""
    workers: int = options.arguments.workers
    repeats = SMOKE if options.smoke else REPEATS
    times = ", ".join(f"{number} with {tests} tests" for tests, number in repeats.items())
    notes = [NOTE_SIDES.format(workers=workers), NOTE_REPEATS.format(times=times), NOTE_ALIKE]
    found: dict[str, dict[int, dict[str, list[float]]]] = {}
    further: list[list[Cell]] = []
    with tempfile.TemporaryDirectory(prefix="wainwright-tax-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        installed = platformdirs.user_cache_path("wainwright", appauthor=False) / "benchmarks" / "dependencies"
        with local_system(folder / "up", workers, WAINWRIGHT_CACHE_DIR=str(installed)) as system:
            bench = Bench(system, folder, workers)
            meet(system, folder, workers)
            found["Python"] = _sizes(bench.python, repeats, warm_up=not options.smoke)
            try:
                rival = playwright_test.installed()
            except playwright_test.RivalMissing as error:
                notes.append(f"TypeScript was left out: {error}")
            else:
                found["TypeScript"] = _sizes(
                    lambda tests: bench.typescript(tests, rival), repeats, warm_up=not options.smoke
                )
                if workers > 1:
                    further = _in_one_lane(bench, max(set(repeats) - {100}), repeats, found["TypeScript"])
    tables = [_table(found, workers), _lines(found)]
    if further:
        tables.append(
            Table("TypeScript as a job of one lane whose Playwright Test has the workers itself", ONE_LANE, further)
        )
    return Result(tables, _verdicts(found, smoke=options.smoke), notes, raw={"seconds": found})


ONE_LANE = ("suite", "tests", "job s", "directly s", "ratio")


def _sizes(
    sides_of: Callable[[int], Sides], repeats: Mapping[int, int], *, warm_up: bool
) -> dict[int, dict[str, list[float]]]:
    """Seconds of each run by size and side."""
    found = {}
    for number, (tests, times) in enumerate(repeats.items()):
        sides = sides_of(tests)
        # The first size warms up what all sizes share: installed packages, compiled files, the file system's cache.
        found[tests] = alternately(
            {"job": sides.job, "direct": sides.direct}, times, warm_up=int(warm_up and number == 0)
        )
    return found


def _in_one_lane(
    bench: Bench, tests: int, repeats: Mapping[int, int], found: Mapping[int, Mapping[str, Sequence[float]]]
) -> list[list[Cell]]:
    side = bench.typescript_in_one_lane(tests)
    seconds = median([side() for _ in range(repeats[tests])])
    direct = median(found[tests]["direct"])
    return [["TypeScript", tests, seconds, direct, seconds / direct]]


def _table(found: Mapping[str, Mapping[int, Mapping[str, Sequence[float]]]], workers: int) -> Table:
    rows: list[list[Cell]] = []
    for language, sizes in found.items():
        for tests, sides in sizes.items():
            job, direct = median(sides["job"]), median(sides["direct"])
            directly = DIRECTLY[language].format(workers=workers)
            rows.append([language, tests, len(sides["job"]), job, directly, direct, job / direct])
    columns = ("suite", "tests", "repeats", "job, median s", "directly", "directly, median s", "ratio")
    return Table("A suite as a job and run directly", columns, rows)


def _lines(found: Mapping[str, Mapping[int, Mapping[str, Sequence[float]]]]) -> Table:
    rows: list[list[Cell]] = []
    for language, sizes in found.items():
        for side, name in (("job", "job"), ("direct", "directly")):
            line = Line.through({tests: median(sides[side]) for tests, sides in sizes.items()})
            rows.append([language, name, line.fixed, line.each * 1_000])
    return Table("Fixed and per-test cost", ("suite", "run as", "fixed s", "per test ms"), rows)


def _verdicts(found: Mapping[str, Mapping[int, Mapping[str, Sequence[float]]]], *, smoke: bool) -> list[Verdict]:
    verdicts = []
    for language, limit in BUDGETS.items():
        budget = f"a {language} suite of {BUDGET_AT} tests through a warm local system ÷ run directly"
        sides = found.get(language, {}).get(BUDGET_AT)
        if sides is None:
            why = "a smoke run has no suite of that size" if smoke else "the rival is missing: see the notes"
            verdicts.append(Verdict(budget, f"≤ {limit:.2f}", "-", None, why))
            continue
        ratio = median(sides["job"]) / median(sides["direct"])
        verdicts.append(Verdict(budget, f"≤ {limit:.2f}", f"{ratio:.2f}", ratio <= limit))
    return verdicts


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--workers", type=int, default=WORKERS, help=f"of the local system, and directly (default: {WORKERS})"
    )


if __name__ == "__main__":
    sys.exit(run("tax", PURPOSE, measure, _arguments))
