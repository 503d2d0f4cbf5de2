"""How well a skewed suite is shared by four lanes, beside pytest-xdist and Playwright Test's shards on the same machine.

Usage: python -m benchmarks.split [--lanes 4] [--unit 0.25] [--json FILE] [--playwright DIR]

The suite sleeps: 40 tests whose durations are 1 to 20 units, in an order that no runner knows. Makespan is the time from the
start of the first test to the end of the last one, as the tests themselves note it, so that starting and reporting are left
out; the whole time of each command is shown beside it. Ideal is the longest test, or the sum over the lanes, if that is longer.
Wainwright runs the suite twice as the same job, whose last test fails at the first attempt: it knows the durations of tests
once they have run.

DIR is a folder with ``node_modules/@playwright/test``; without it the shards are left out, and the table says so.
"""

import argparse
import contextlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx

from wainwright.worker.runtimes.node import NodeMissing, find_node

TESTS = 40
SEED = 7
WAIT_SECONDS = 600.0

PYTHON_SUITE = """
import os, pathlib, time
import pytest

MARKS = pathlib.Path({marks!r})


@pytest.mark.parametrize("seconds", {durations!r}, ids=range({number}))
def test(seconds, request):
    began = time.time()
    time.sleep(seconds)
    MARKS.joinpath(f"{{request.node.callspec.id}}-{{os.getpid()}}").write_text(f"{{began}} {{time.time()}}")
    assert os.environ.get("WAINWRIGHT_ATTEMPT") != "1" or request.node.callspec.id != "{last}", "once more, please"
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
    """One runner's way with the suite. Seconds; ``ratio`` is makespan to ideal."""

    runner: str
    makespan: float
    ratio: float
    whole: float
    processes: int


class Suite:
    """The skewed suite, and what its tests note."""

    def __init__(self, folder: Path, lanes: int, unit: float) -> None:
        units = [20] * 3 + [12] * 4 + [6] * 6 + [2] * 9
        units += [1] * (TESTS - len(units))
        random.Random(SEED).shuffle(units)  # noqa: S311 - the same order each time, no secret
        self.durations = [each * unit for each in units]
        self.ideal = max(sum(self.durations) / lanes, *self.durations)
        self.lanes = lanes
        self.folder = folder

    def measure(self, runner: str, run: Callable[[Path], None]) -> Measured:
        """Have a runner run the suite; it is given the folder for the tests' notes."""
        marks = self.folder / "marks"
        shutil.rmtree(marks, ignore_errors=True)
        marks.mkdir()
        began = time.monotonic()
        run(marks)
        whole = time.monotonic() - began
        notes = {file.name: file.read_text().split() for file in marks.iterdir()}
        if len(notes) != len(self.durations):
            raise SystemExit(f"{runner} ran {len(notes)} tests of {len(self.durations)}")
        makespan = max(float(end) for _, end in notes.values()) - min(float(begin) for begin, _ in notes.values())
        processes = len({name.partition("-")[2] for name in notes})
        return Measured(runner, round(makespan, 2), round(makespan / self.ideal, 3), round(whole, 2), processes)

    def script(self, marks: Path) -> str:
        """The suite for pytest."""
        number = len(self.durations)
        return PYTHON_SUITE.format(marks=str(marks), durations=self.durations, number=number, last=number - 1)

    def specification(self, marks: Path) -> str:
        """The suite for Playwright Test."""
        return TYPESCRIPT_SUITE.format(marks=marks, durations=json.dumps(self.durations))


@contextlib.contextmanager
def local_system(folder: Path, workers: int) -> Iterator[httpx.Client]:
    """A local system with so many workers."""
    command = [sys.executable, "-m", "wainwright.cli", "up", "--ephemeral", "--port", "0", "--workers", str(workers)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("WAINWRIGHT_", "AWS_"))}
    with subprocess.Popen(
        [*command, "--data-dir", str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment,
        stderr=subprocess.DEVNULL, text=True,
    ) as child:  # fmt: skip
        if child.stdout is None or child.stdin is None:
            raise SystemExit("the local system has no pipes")
        told = json.loads(child.stdout.readline())
        try:
            key = {"Authorization": f"Bearer {told['key']}"}
            with httpx.Client(base_url=told["endpoint"], headers=key, timeout=60) as client:
                yield client
        finally:
            child.stdin.close()
            child.wait(60)


def run_job(client: httpx.Client, script: str, lanes: int) -> str:
    """Run a job to the end of its first attempt; returns its id."""
    created = client.post("/v1/jobs", json={"script": script, "parallelism": lanes})
    job_id: str = created.raise_for_status().json()["jobId"]
    wait_for(client, job_id)
    return job_id


def run_again(client: httpx.Client, job_id: str) -> None:
    """Run all of a job's tests a second time; it has to complete."""
    client.post(f"/v1/jobs/{job_id}/retry", json={"onlyFailed": False}).raise_for_status()
    job = wait_for(client, job_id)
    if job["status"] != "completed":
        raise SystemExit(f"the job {job['status']}: {job['error']}")


def wait_for(client: httpx.Client, job_id: str) -> dict[str, Any]:
    """The job once it has ended."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        job: dict[str, Any] = client.get(f"/v1/jobs/{job_id}?wait=20").raise_for_status().json()["job"]
        if job["completedAt"]:
            return job
    raise SystemExit(f"the job took more than {WAIT_SECONDS} s")


def lanes_of(suite: Suite, folder: Path) -> list[Measured]:
    """Wainwright, on a local system whose workers are there already."""
    with local_system(folder, suite.lanes) as client:
        meet = folder / "meet"
        meet.mkdir()
        warm = (
            "import os, pathlib, time, pytest\n"
            f"@pytest.mark.parametrize('n', range({4 * suite.lanes}))\n"
            "def test(n):\n"
            f"    pathlib.Path({str(meet)!r}, str(os.getpid())).touch()\n"
            "    deadline = time.monotonic() + 60\n"
            f"    while len(os.listdir({str(meet)!r})) < {suite.lanes} and time.monotonic() < deadline: time.sleep(0.05)\n"
        )
        run_job(client, warm, suite.lanes)
        ids: list[str] = []
        first = suite.measure(
            "wainwright, first time", lambda marks: ids.append(run_job(client, suite.script(marks), suite.lanes))
        )
        again = suite.measure("wainwright, again", lambda _marks: run_again(client, ids[0]))
        return [first, again]


def xdist_of(suite: Suite, folder: Path) -> Measured:
    """pytest-xdist with as many workers."""
    target = folder / "xdist"
    target.mkdir()

    def run(marks: Path) -> None:
        (target / "test_script.py").write_text(suite.script(marks))
        options = ["-q", "-p", "no:cacheprovider", "-n", str(suite.lanes), "--dist", "load", "-c", os.devnull]
        command = [sys.executable, "-m", "pytest", *options, "--rootdir", str(target), str(target)]
        subprocess.run(command, check=True, capture_output=True, cwd=target)

    return suite.measure("pytest -n --dist load", run)


def shards_of(suite: Suite, packages: Path) -> Measured:
    """Playwright Test, one shard for each lane, side by side."""
    node = find_node()
    runner = packages / "node_modules" / "@playwright" / "test" / "cli.js"
    target = packages / "wainwright-split"

    def run(marks: Path) -> None:
        target.mkdir(exist_ok=True)
        (target / "split.spec.ts").write_text(suite.specification(marks))
        command = [str(node), str(runner), "test", "--workers=1", "--reporter=line", f"--output={marks.parent}/output"]
        shards = [
            subprocess.Popen([*command, f"--shard={number}/{suite.lanes}"], cwd=target, stdout=subprocess.DEVNULL)
            for number in range(1, suite.lanes + 1)
        ]
        codes = [shard.wait(WAIT_SECONDS) for shard in shards]
        if any(codes):
            raise SystemExit("a shard failed")

    return suite.measure("playwright --shard", run)


def table(suite: Suite, found: Sequence[Measured], left_out: Sequence[str]) -> str:
    """What was measured, for people."""
    shown = f"{len(suite.durations)} tests, {sum(suite.durations):.2f} s in all, longest {max(suite.durations):.2f} s"
    lines = [f"{shown}; {suite.lanes} lanes; ideal {suite.ideal:.2f} s", ""]
    lines.append(f"{'runner':<26}{'makespan s':>12}{'÷ ideal':>10}{'whole s':>10}{'processes':>11}")
    lines += [
        f"{each.runner:<26}{each.makespan:>12.2f}{each.ratio:>10.3f}{each.whole:>10.2f}{each.processes:>11}"
        for each in found
    ]
    return "\n".join([*lines, *(f"left out: {reason}" for reason in left_out)])


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print a table, and write the numbers as JSON."""
    parser = argparse.ArgumentParser(prog="benchmarks.split", description="Measure how well a suite is shared.")
    parser.add_argument("--lanes", type=int, default=4)
    parser.add_argument("--unit", type=float, default=0.25, help="seconds of the shortest test")
    parser.add_argument("--json", type=Path, help="a file for the numbers; else they follow the table")
    parser.add_argument("--playwright", type=Path, help="a folder with node_modules/@playwright/test")
    options = parser.parse_args(arguments)
    left_out: list[str] = []
    with tempfile.TemporaryDirectory(prefix="wainwright-split-") as name:
        folder = Path(name)
        suite = Suite(folder, options.lanes, options.unit)
        found = [*lanes_of(suite, folder / "up"), xdist_of(suite, folder)]
        if options.playwright is None:
            left_out.append("playwright --shard; --playwright DIR names a folder with @playwright/test")
        else:
            try:
                found.append(shards_of(suite, options.playwright.resolve()))
            except NodeMissing as error:
                left_out.append(f"playwright --shard; {error}")
    print(table(suite, found, left_out))
    numbers = json.dumps(
        {"ideal": suite.ideal, "lanes": suite.lanes, "runs": [asdict(each) for each in found]}, indent=2
    )
    if options.json:
        options.json.write_text(numbers + "\n")
    else:
        print(numbers)
    return 0


if __name__ == "__main__":
    sys.exit(main())
