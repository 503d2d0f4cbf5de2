"""Throughput of the control plane: jobs that run nothing, from the call to the published ending.

Usage: python -m benchmarks.throughput [--jobs N] [--workers W] [--smoke] [--json FILE]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.cpu_by_package import GROUPS
from benchmarks.measuring import Cell, Options, Result, Table, median, percentile, run
from benchmarks.noop_system import SCRIPT, NoopSystem, noop_system

PURPOSE = "Jobs that run nothing through the whole control plane: how many a second, and where its CPU time goes."
SENDERS = 4
"""Threads that submit at once."""
REAL_WORKERS = 2
QUIET_SECONDS = 1.0
"""Seconds in which the work after a job's end (publishing, the workers' own rows) is done."""
WAIT_SECONDS = 300.0


def measure(options: Options) -> Result:
    """All at once and one at a time, without the test process and with it; then once more under the sampler."""
    jobs, workers = (10 if options.smoke else options.arguments.jobs), options.arguments.workers
    one_by_one = 3 if options.smoke else 20
    sampled = jobs // 2
    with tempfile.TemporaryDirectory(prefix="wainwright-throughput-") as name:
        folder = Path(name)
        with noop_system(folder / "noop", workers) as system:
            warm_up(system, workers)
            rows = [
                at_once(system, f"all at once, {workers} workers", jobs),
                one_at_a_time(system, "one at a time", one_by_one),
            ]
            with system.watched(sampled=True) as found:
                together(system, sampled)
                time.sleep(QUIET_SECONDS)
        real = 1 if options.smoke else REAL_WORKERS
        with noop_system(folder / "real", real, real=True) as system:
            together(system, 1 if options.smoke else 2 * real)
            label = f"all at once, an empty test each, {real} real workers"
            rows.append(at_once(system, label, 1 if options.smoke else 12))
    columns = ["no-op jobs", "jobs", "jobs/s", "median ms submit → ended", "p95 ms", "system's CPU ms/job",
               "workers' CPU ms/job"]  # fmt: skip
    return Result(
        tables=[
            Table("Through the whole control plane", columns, rows),
            _by_package(found, sampled),
            _by_thread(found, sampled),
            _calls(found["calls"], sampled),
        ],
        notes=NOTES,
        raw={"sampled": found},
    )


NOTES = (
    ("A no-op job's worker runs the real loop and the real use cases (receive, claim, record the outcome, end the token, delete "
    "the message) and nothing in between: no bundle is fetched, no test process or report is made. The last row of the first "
    "table has the real worker run an empty test instead."),
    ("jobs/s is from the first submission to the last job at rest. Ended is by the job's own record; who waits by `?wait=` "
    "learns of it up to 0.1 s later, or a twentieth of what was waited, up to 0.5 s."),
    ("Shares are of a run of their own under a sampler (every ms, by the threads' CPU clocks). A sample belongs to the "
    "innermost of the packages named: json called by moto is moto's, pydantic called by us is ours. "
    "On threads whose shares are known it was off by up to 12 points of 100, short bursts seeming shorter."),
    "wainwright.local stands in for AWS (journal, pollers, HTTP servers); on AWS neither it nor moto is there.",
)  # fmt: skip


def warm_up(system: NoopSystem, workers: int) -> None:
    """Have the workers start, and all functions be called once."""
    together(system, 2 * workers)


def together(system: NoopSystem, number: int) -> list[dict[str, Any]]:
    """Submit so many jobs as fast as the API takes them; their records when all have ended."""
    since = datetime.now(UTC).isoformat()
    with ThreadPoolExecutor(SENDERS) as pool:
        ids = list(pool.map(lambda _: system.submit(script=SCRIPT), range(number)))
    # The last of the line: looking at it costs the system little meanwhile.
    system.wait_for(ids[-1])
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        records = [job for job in created_since(system, since) if job["completedAt"]]
        if len(records) == number:
            break
        if time.monotonic() > deadline:
            raise SystemExit(f"{number - len(records)} of {number} jobs took more than {WAIT_SECONDS:.0f} s")
        time.sleep(0.2)
    bad = [job for job in records if job["status"] != "completed"]
    if bad:
        raise SystemExit(f"job {bad[0]['id']} {bad[0]['status']}: {bad[0]['error']}")
    return records


def created_since(system: NoopSystem, since: str) -> Iterator[dict[str, Any]]:
    """The records of all jobs created since then."""
    cursor: str | None = None
    while True:
        query = {"createFrom": since, "limit": "100"} | ({"cursor": cursor} if cursor else {})
        page = system.client.get("/v1/jobs", params=query).raise_for_status().json()
        yield from page["jobs"]
        cursor = page["cursor"]
        if cursor is None:
            return


def at_once(system: NoopSystem, label: str, number: int) -> list[Cell]:
    """A row of the first table."""
    with system.watched(sampled=False) as found:
        records = together(system, number)
        time.sleep(QUIET_SECONDS)
    seconds = max(_time(job["completedAt"]) for job in records) - min(_time(job["createdAt"]) for job in records)
    return _row(label, records, number / seconds, found)


def one_at_a_time(system: NoopSystem, label: str, number: int) -> list[Cell]:
    """A row of the first table: each job is submitted when the one before has ended."""
    with system.watched(sampled=False) as found:
        records = [system.run(script=SCRIPT) for _ in range(number)]
        time.sleep(QUIET_SECONDS)
    return _row(label, records, None, found)


def _row(label: str, records: list[dict[str, Any]], rate: float | None, found: Mapping[str, Any]) -> list[Cell]:
    took = [1_000 * (_time(job["completedAt"]) - _time(job["createdAt"])) for job in records]
    number = len(records)
    own, workers = 1_000 * found["cpu"] / number, 1_000 * found["workersCpu"] / number
    return [label, number, rate, median(took), percentile(took, 95), own, workers]


def _time(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _by_package(found: Mapping[str, Any], jobs: int) -> Table:
    profile = found["profile"]
    seen, each = sum(profile["groups"].values()), 1_000 * profile["cpu"] / jobs
    rows: list[list[Cell]] = [
        [group, 100 * (share := profile["groups"].get(group, 0.0) / seen), each * share] for group in GROUPS
    ]
    return Table(
        "CPU time of the system's process, by package", ["package", "%", "ms/job"], [*rows, ["all", 100.0, each]]
    )


def _by_thread(found: Mapping[str, Any], jobs: int, most: int = 10) -> Table:
    profile = found["profile"]
    seen, each = sum(profile["threads"].values()), 1_000 * profile["cpu"] / jobs
    rows: list[list[Cell]] = [
        [name, 100 * used / seen, each * used / seen] for name, used in list(profile["threads"].items())[:most]
    ]
    return Table("CPU time of the system's process, by thread", ["threads named", "%", "ms/job"], rows)


def _calls(calls: Mapping[str, int], jobs: int) -> Table:
    by_caller: Counter[str] = Counter()
    operations: dict[str, list[str]] = {}
    for name, number in sorted(calls.items(), key=lambda each: -each[1]):
        caller, _, operation = name.partition(": ")
        by_caller[caller] += number
        operations.setdefault(caller, []).append(f"{operation.partition(' ')[2]} {number / jobs:.2f}")
    rows: list[list[Cell]] = [
        [caller, number / jobs, ", ".join(operations[caller][:8])] for caller, number in by_caller.most_common()
    ]
    return Table("AWS calls per job while all run at once", ["caller", "calls/job", "of these"], rows)


def _more(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--jobs", type=int, default=100, help="how many at once")
    parser.add_argument("--workers", type=int, default=4, help="how many worker processes")


if __name__ == "__main__":
    sys.exit(run("throughput", PURPOSE, measure, _more))
