"""Time until a job whose worker was killed runs again, and tests that ran twice although they had an outcome.

Usage: python -m benchmarks.recovery [--smoke] [--jobs N] [--json FILE]

Each job has a local system's worker to itself. Once its first tests have an outcome and the long one runs, the worker's process
group gets SIGKILL, which lets it say nothing to anybody; the system is left to notice. The tests note each of their runs.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.measuring import Cell, Options, Result, Table, Verdict, median, run
from benchmarks.systems import System, local_system

JOBS = 3
BEFORE, AFTER = 4, 2
"""Tests in front of the long one, and behind it."""

SHORT_SECONDS, LONG_SECONDS = 0.2, 4.0
LIMIT_SECONDS = 60.0
PATIENCE_SECONDS = 180.0

SUITE = """
import pathlib, time
import pytest

MARKS = pathlib.Path({marks!r})


@pytest.mark.parametrize("number", range({tests}))
def test(number):
    with (MARKS / str(number)).open("a") as file:
        file.write(f"{{time.time()}}\\n")
    time.sleep({long} if number == {before} else {short})
"""

Found = TypeVar("Found")


@dataclass(frozen=True)
class Recovered:
    """One job whose worker was killed. Seconds are from the kill; ``kept`` are the tests that had an outcome by then."""

    claimed: float
    ran: float
    ended: float
    kept: int
    kept_run_twice: int
    others_run_twice: int


class Job:
    """A job with a long test in its middle, and what its tests note."""

    def __init__(self, system: System, folder: Path) -> None:
        self._marks = folder
        folder.mkdir()
        self._system = system
        script = SUITE.format(
            marks=str(folder), tests=BEFORE + 1 + AFTER, before=BEFORE, long=LONG_SECONDS, short=SHORT_SECONDS
        )
        self.id = system.submit(script=script)

    def runs(self) -> dict[int, list[float]]:
        """Return the times at which each test began; a line that is being written does not count."""
        found = {int(file.name): file.read_text() for file in self._marks.iterdir()}
        return {number: [float(line) for line in text.split("\n")[:-1]] for number, text in found.items()}

    def kept(self) -> int | None:
        """Return the number of tests with an outcome, once those in front of the long one have one, and it runs."""
        tests = self._system.client.get(f"/v1/jobs/{self.id}").raise_for_status().json()["job"]["tests"]
        runs = BEFORE in self.runs()
        return int(tests["passed"]) if runs and tests["passed"] >= BEFORE else None

    def again(self) -> float | None:
        """Return the time at which a test first began for the second time, or after the long one was killed."""
        times = [begun for number, each in self.runs().items() for begun in (each[1:] if number <= BEFORE else each)]
        return min(times, default=None)


def killed(system: System, folder: Path, number: int) -> list[Recovered]:
    """So many jobs at once, each with a worker of its own that is killed in the middle."""
    jobs = [Job(system, folder / f"marks-{each}") for each in range(number)]
    before = {job.id: _until(job.kept, f"job {job.id} runs its long test") for job in jobs}
    workers = workers_of(system.pid)
    when = time.time()
    for worker in workers:
        os.killpg(worker, signal.SIGKILL)
    again = {job.id: _until(job.again, f"job {job.id} runs again") for job in jobs}
    found = []
    for job in jobs:
        record = system.wait_for(job.id)
        if record["status"] != "completed" or record["tests"]["passed"] != BEFORE + 1 + AFTER:
            raise SystemExit(f"job {job.id} {record['status']} with {record['tests']}: {record['error']}")
        claimed = min(each for each in claims(folder / "data", job.id) if each > when)
        twice = [test for test, times in job.runs().items() if len(times) > 1]
        kept = before[job.id]
        ended = datetime.fromisoformat(record["completedAt"]).timestamp()
        kept_twice = sum(test < kept for test in twice)
        found.append(
            Recovered(claimed - when, again[job.id] - when, ended - when, kept, kept_twice, len(twice) - kept_twice)
        )
    return found


def workers_of(pid: int) -> list[int]:
    """Processes of a local system's workers; each leads its own process group."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            command = (entry / "cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended just now
        if int(fields[1]) == pid and fields[0] != "Z" and b"wainwright.worker" in command:
            found.append(int(entry.name))
    return found


def claims(data: Path, job_id: str) -> list[float]:
    """Return the times at which workers claimed the job, by their logs."""
    found = []
    for log in (data / "logs" / "workers").glob("*.log"):
        for line in log.read_text().splitlines():
            entry: Mapping[str, Any] = json.loads(line) if line.startswith("{") else {}
            if entry.get("message") == "claimed" and entry.get("jobId") == job_id:
                found.append(datetime.strptime(entry["time"], "%Y-%m-%d %H:%M:%S,%f").astimezone().timestamp())
    return found


def _until(look: Callable[[], Found | None], what: str) -> Found:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if (found := look()) is not None:
            return found
        time.sleep(0.05)
    raise SystemExit(f"did not happen within {PATIENCE_SECONDS:.0f} s: {what}")


def measure(options: Options) -> Result:
    """Start a system, kill its workers."""
    number = 1 if options.smoke else options.arguments.jobs
    if not Path("/proc/self/stat").exists():
        left_out = Verdict(_SOON, f"≤ {LIMIT_SECONDS:.0f} s", "-", None, "workers are found by /proc, which is Linux's")
        return Result([], [left_out], ["left out: this needs Linux"])
    with tempfile.TemporaryDirectory(prefix="wainwright-recovery-") as name:
        folder = Path(name)
        with local_system(folder / "data", workers=number) as system:
            found = killed(system, folder, number)
    longest = max(each.ran for each in found)
    twice = sum(each.kept_run_twice for each in found)
    return Result(
        tables=[_table(found)],
        verdicts=[
            Verdict(_SOON, f"≤ {LIMIT_SECONDS:.0f} s", f"{longest:.1f} s at most", longest <= LIMIT_SECONDS),
            Verdict("tests that had an outcome and ran again", "0", str(twice), twice == 0),
        ],
        notes=[
            (
                f"Each job has {BEFORE} short tests, one of {LONG_SECONDS:.0f} s, and {AFTER} more; all run at the same time, "
                "each on its own worker, and all workers are killed at once while the long tests run."
            ),
            (
                "That a worker is gone is noticed by its lease of 30 s on the work message running out; it is renewed each 10 s, "
                "so 20 to 30 s of the figures are that wait."
            ),
            "The claim is by the workers' logs, the run by the first test that begins again; browsers play no part.",
        ],
        raw={"jobs": [vars(each) for each in found]},
    )


_SOON = "kill -9 of a worker → its job runs again"


def _table(found: Sequence[Recovered]) -> Table:
    rows: list[list[Cell]] = [
        [str(number), each.claimed, each.ran, each.ended, each.kept, each.kept_run_twice, each.others_run_twice]
        for number, each in enumerate(found, 1)
    ]
    middle = [median([getattr(each, name) for each in found]) for name in ("claimed", "ran", "ended")]
    columns = [
        "job", "claimed again after s", "runs again after s", "ended after s", "tests with an outcome", "of them run twice",
        "others run twice",
    ]  # fmt: skip
    return Table("After the kill", columns, [*rows, ["median", *middle, None, None, None]])


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--jobs", type=int, default=JOBS, help="jobs at once, and so workers")


PURPOSE = (
    "How soon a job runs again whose worker was killed by SIGKILL, and whether anything with an outcome runs twice."
)

if __name__ == "__main__":
    sys.exit(run("recovery", PURPOSE, measure, _options))
