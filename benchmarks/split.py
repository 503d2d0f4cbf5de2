"""Sharing of a skewed suite by lanes, beside Playwright Test's shards and pytest-xdist on the same machine.

Usage: python -m benchmarks.split [--lanes 2 4 8] [--ideal 8] [--smoke] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import playwright_test
from benchmarks.measuring import Cell, Options, Result, Table, Verdict, median, run
from benchmarks.suites import NO_OTHERS, meet, warmed
from benchmarks.systems import System, local_system

PURPOSE = "A skewed suite over lanes: makespan ÷ ideal, beside Playwright Test's shards and pytest-xdist."
DURATIONS = ((20, 3), (12, 4), (6, 6), (2, 9), (1, 18))
"""Units of time, and how many tests take so many."""
SMOKE_DURATIONS = ((4, 2), (1, 4))
SMOKE_IDEAL = 1.2
SEED = 7
REPEATS = 3
"""With history, at so many lanes as ``REPEATED_AT`` says; the others run once."""
REPEATED_AT = 4
BUDGET = 1.10
SHARD_SECONDS = 600

FIRST, HISTORY, XDIST, SHARDS = (
    "wainwright, no history", "wainwright, with history", "pytest -n --dist load", "playwright --shard",
)  # fmt: skip

NOTE_SUITE = (
    "{number} tests that sleep, their durations 1 to {most} units, shuffled alike for all. The unit is such that each number of "
    "lanes has {ideal:g} s of work for each lane. Makespan is from the start of the first test to the end of the last one, as "
    "the tests note it: starting and reporting are left out, and are in the whole time. Ideal is the sum of all durations over "
    "the lanes, or the longest test where that is more."
)
NOTE_HISTORY = (
    "With history: a new job of the same file; the project's history has its tests' durations. The rivals keep none."
)
NOTE_REPEATS = (
    f"{HISTORY} at {REPEATED_AT} lanes: the median of {REPEATS} jobs; the others ran once. Jobs and rivals take turns at being "
    "first, and the system is at rest before each."
)

PYTHON_SUITE = """
import os, pathlib, time
import pytest

MARKS = pathlib.Path({marks!r})


@pytest.mark.parametrize("seconds", {durations!r}, ids=range({number}))
def test(seconds, request):
    began = time.time()
    time.sleep(seconds)
    MARKS.joinpath(f"{{request.node.callspec.id}}-{{os.getpid()}}").write_text(f"{{began}} {{time.time()}}")
"""

TYPESCRIPT_SUITE = """
import {{ test }} from '@playwright/test';
import {{ writeFileSync }} from 'node:fs';

test.describe.configure({{ mode: 'parallel' }});
for (const [number, seconds] of {durations}.entries()) {{
  test(`test ${{number}}`, async () => {{
    const began = Date.now() / 1000;
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    writeFileSync(`{marks}/${{number}}-${{process.pid}}`, `${{began}} ${{Date.now() / 1000}}`);
  }});
}}
"""


@dataclass(frozen=True)
class Measured:
    """One runner's way with the suite. Seconds; ``ratio`` is makespan to ideal; ``lanes`` are processes that ran tests."""

    makespan: float
    ratio: float
    whole: float
    lanes: int


class Suite:
    """The skewed suite for so many lanes with ``ideal`` seconds of work for each, and what its tests note of their beginning
    and end.
    """

    def __init__(self, folder: Path, lanes: int, durations: Sequence[tuple[int, int]], ideal: float) -> None:
        unit = ideal * lanes / sum(units * number for units, number in durations)
        self.durations = [units * unit for units, number in durations for _ in range(number)]
        random.Random(SEED).shuffle(self.durations)  # noqa: S311 - the same order each time, no secret
        self.ideal = max(sum(self.durations) / lanes, *self.durations)
        self.lanes = lanes
        self.folder = folder
        self._marks = folder / "marks"
        folder.mkdir()
        folder.chmod(0o755)

    def measure(self, runner: str, start: Callable[[], object]) -> Measured:
        """Have a runner run it."""
        shutil.rmtree(self._marks, ignore_errors=True)
        self._marks.mkdir()
        self._marks.chmod(0o777)  # tests may have a user of their own
        began = time.monotonic()
        start()
        whole = time.monotonic() - began
        notes = {file.name: file.read_text().split() for file in self._marks.iterdir()}
        if len(notes) != len(self.durations):
            raise SystemExit(f"{runner} ran {len(notes)} tests of {len(self.durations)}")
        makespan = max(float(end) for _, end in notes.values()) - min(float(begin) for begin, _ in notes.values())
        lanes = len({name.partition("-")[2] for name in notes})
        return Measured(makespan, makespan / self.ideal, whole, lanes)

    @property
    def script(self) -> str:
        """For pytest."""
        return PYTHON_SUITE.format(marks=str(self._marks), durations=self.durations, number=len(self.durations))

    @property
    def specification(self) -> str:
        """For Playwright Test."""
        return TYPESCRIPT_SUITE.format(marks=self._marks, durations=json.dumps(self.durations))


class Runners:
    """Those that are compared, each of which runs a suite once."""

    def __init__(self, system: System, rival: playwright_test.Rival | None) -> None:
        self._system = system
        self._rival = rival

    def job(self, suite: Suite, runner: str) -> Measured:
        """A new job. The name of its file is that of no other suite: by it tests are known from job to job."""
        warmed(self._system, suite.folder, suite.lanes)
        scripts = [{"name": f"test_{suite.lanes}_lanes.py", "content": suite.script}]
        return suite.measure(runner, lambda: self._system.run(scripts=scripts, parallelism=suite.lanes))

    def xdist(self, suite: Suite) -> Measured:
        """pytest-xdist with as many workers."""
        warmed(self._system, suite.folder, suite.lanes)
        target = suite.folder / "xdist"
        target.mkdir()
        (target / "test_script.py").write_text(suite.script)
        options = [
            "-q",
            "-p",
            "no:cacheprovider",
            *NO_OTHERS,
            "-n",
            str(suite.lanes),
            "--dist",
            "load",
            "-c",
            os.devnull,
        ]
        command = [sys.executable, "-m", "pytest", *options, "--rootdir", str(target), str(target)]
        return suite.measure(XDIST, lambda: subprocess.run(command, check=True, capture_output=True, cwd=target))

    def shards(self, suite: Suite) -> Measured | None:
        """Playwright Test, one shard with one worker for each lane, side by side; None where there is none."""
        if self._rival is None:
            return None
        rival = self._rival
        warmed(self._system, suite.folder, suite.lanes)
        target = suite.folder / "shards"
        target.mkdir()
        rival.lend(target)
        (target / "split.spec.ts").write_text(suite.specification)

        def start() -> None:
            shards = [
                subprocess.Popen(
                    rival.command(
                        "--workers=1", "--reporter=line", f"--output={target / f'output-{number}'}",
                        f"--shard={number}/{suite.lanes}",
                    ),
                    cwd=target, stdout=subprocess.DEVNULL,
                )
                for number in range(1, suite.lanes + 1)
            ]  # fmt: skip
            codes = [shard.wait(SHARD_SECONDS) for shard in shards]
            if any(codes):
                raise SystemExit("a shard failed")

        return suite.measure(SHARDS, start)


def measure(options: Options) -> Result:
    """Each number of lanes, each runner."""
    chosen: list[int] = [2] if options.smoke else options.arguments.lanes
    durations = SMOKE_DURATIONS if options.smoke else DURATIONS
    ideal: float = SMOKE_IDEAL if options.smoke else options.arguments.ideal
    number = sum(many for _, many in durations)
    notes = [NOTE_SUITE.format(number=number, most=max(durations)[0], ideal=ideal), NOTE_HISTORY, NOTE_REPEATS]
    rival = None
    try:
        rival = playwright_test.installed()
    except playwright_test.RivalMissing as error:
        notes.append(f"{SHARDS} was left out: {error}")
    with tempfile.TemporaryDirectory(prefix="wainwright-split-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        suites = [Suite(folder / f"lanes-{lanes}", lanes, durations, ideal) for lanes in chosen]
        found = [_compare(suite, rival, rivals_first=bool(at % 2)) for at, suite in enumerate(suites)]
    rows = [
        _row(suite, runner, figures)
        for suite, by_runner in zip(suites, found, strict=True)
        for runner, figures in by_runner.items()
    ]
    raw = {str(suite.lanes): {name: [each.ratio for each in figures] for name, figures in by_runner.items()}
           for suite, by_runner in zip(suites, found, strict=True)}  # fmt: skip
    return Result(
        [Table("Makespan ÷ ideal", COLUMNS, rows)], [*map(_verdict, suites, found)], notes, raw={"ratios": raw}
    )


COLUMNS = ("lanes", "runner", "ideal s", "makespan s", "÷ ideal", "whole s", "processes")


def _compare(suite: Suite, rival: playwright_test.Rival | None, *, rivals_first: bool) -> dict[str, list[Measured]]:
    """All runners on one suite, beside a system with as many workers as it has lanes."""
    with local_system(suite.folder / "up", suite.lanes) as system:
        system.client.put("/v1/limits", json={"running": suite.lanes}).raise_for_status()
        meet(system, suite.folder, suite.lanes)
        return _in_turn(Runners(system, rival), suite, rivals_first=rivals_first)


def _in_turn(runners: Runners, suite: Suite, *, rivals_first: bool) -> dict[str, list[Measured]]:
    found: dict[str, list[Measured]] = {}

    def jobs() -> None:
        found[FIRST] = [runners.job(suite, FIRST)]
        found[HISTORY] = [runners.job(suite, HISTORY) for _ in range(REPEATS if suite.lanes == REPEATED_AT else 1)]

    def rivals() -> None:
        found[XDIST] = [runners.xdist(suite)]
        if (sharded := runners.shards(suite)) is not None:
            found[SHARDS] = [sharded]

    for step in (rivals, jobs) if rivals_first else (jobs, rivals):
        step()
    return {name: found[name] for name in (FIRST, HISTORY, XDIST, SHARDS) if name in found}


def _row(suite: Suite, runner: str, figures: Sequence[Measured]) -> list[Cell]:
    return [
        suite.lanes, runner, suite.ideal, median([each.makespan for each in figures]),
        median([each.ratio for each in figures]), median([each.whole for each in figures]), max(each.lanes for each in figures),
    ]  # fmt: skip


def _verdict(suite: Suite, found: dict[str, list[Measured]]) -> Verdict:
    ratio = median([each.ratio for each in found[HISTORY]])
    first = found[FIRST][0].ratio
    budget = f"a skewed suite over {suite.lanes} lanes ÷ ideal makespan, with history"
    return Verdict(budget, f"≤ {BUDGET:.2f}", f"{ratio:.3f}", ratio <= BUDGET, f"{first:.3f} without history")


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--lanes", type=int, nargs="+", default=[2, 4, 8])
    parser.add_argument("--ideal", type=float, default=8.0, help="seconds of each suite's ideal makespan")


if __name__ == "__main__":
    sys.exit(run("split", PURPOSE, measure, _arguments))
