"""Time that the control plane adds to a job, beside pure queues: Redis with BullMQ, and with RQ.

Usage: python -m benchmarks.queue_rival [--jobs N] [--workers W] [--smoke] [--json FILE]
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks import queue_rivals
from benchmarks.measuring import Cell, Options, Result, Table, alternately, median, percentile, run
from benchmarks.noop_system import SCRIPT, NoopSystem, noop_system
from benchmarks.queue_rivals import BULLMQ, REDIS_PY, RQ, RivalMissing, Sender
from benchmarks.throughput import SENDERS, together

PURPOSE = "Jobs that run nothing, through the local system and through Redis with BullMQ and with RQ."
NOTES = (
    (
        "The rivals are queues and no more. None of them keeps a job on disk before the call returns (Redis ran without "
        "persistence), has a record of the job with its states, limits and turns of projects, events, retries by outcome or "
        "search; none fences off a worker that was thought dead; none runs through a state machine or is the AWS that it "
        "will be deployed to. Wainwright's figures are of its local system, in which all of AWS is simulated in one process "
        "in Python: what they say is what a job costs on this machine, not on AWS."
    ),
    (
        "Known is when whoever submitted the job has its result, each asking in its own best way: BullMQ by its events, RQ "
        "by a blocking read, Wainwright by `?wait=`, which looks every 0.1 s at first. Recorded is by the job's own times."
    ),
    (
        f"At once: all are submitted as fast as it goes (Wainwright by {SENDERS} connections, BullMQ by one pipeline, RQ one by "
        "one), and the time is until the last is known."
    ),
)  # fmt: skip


@dataclass
class Side:
    """One of those compared: how it does so many at once (seconds), and one after the other; and what was found."""

    name: str
    together: Callable[[int], float]
    one_by_one: Callable[[int], Any]
    known: list[float] = field(default_factory=list)
    recorded: list[float] = field(default_factory=list)

    def warm_up(self, workers: int) -> None:
        """Have each worker there, and all code run before anything is timed."""
        self.one_by_one(1)
        self.together(4 * workers)

    def measure(self, jobs: int, singles: int) -> float:
        """Do both; jobs per second."""
        found = self.one_by_one(singles)
        self.known += found["known"]
        self.recorded += found["recorded"]
        return jobs / self.together(jobs)


def measure(options: Options) -> Result:
    """All sides in turn, several times."""
    workers = options.arguments.workers
    jobs, singles, repeats = (8, 2, 1) if options.smoke else (options.arguments.jobs, 8, 3)
    left_out: list[str] = []
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wainwright-queue-rival-")))
        sides = [*_rivals(stack, workers, left_out)]
        sides.append(_ours(stack.enter_context(noop_system(folder / "up", workers))))
        for side in sides:
            side.warm_up(workers)
        rates = alternately({side.name: _measuring(side, jobs, singles) for side in sides}, repeats, warm_up=0)
    rows: list[list[Cell]] = [_row(side, rates[side.name]) for side in sides]
    columns = [
        "queue",
        f"{jobs} at once: jobs/s",
        "ms/job",
        "one at a time: median ms until known",
        "p95 ms",
        "recorded: median ms",
    ]
    title = f"No-op jobs, {workers} workers of one job at a time"
    raw = {"rates": rates, "known": {side.name: side.known for side in sides}}
    return Result([Table(title, columns, rows)], notes=[*NOTES, *left_out], raw=raw)


def _measuring(side: Side, jobs: int, singles: int) -> Callable[[], float]:
    return lambda: side.measure(jobs, singles)


def _row(side: Side, rates: Sequence[float]) -> list[Cell]:
    rate = median(rates)
    return [side.name, rate, 1_000 / rate, median(side.known), percentile(side.known, 95), median(side.recorded)]


def _rivals(stack: contextlib.ExitStack, workers: int, left_out: list[str]) -> list[Side]:
    """Those that can be had."""
    try:
        program = queue_rivals.redis_program()
    except RivalMissing as error:
        left_out.append(f"Left out: BullMQ and RQ: {error}.")
        return []
    port = stack.enter_context(queue_rivals.running_redis(program))
    redis = f"Redis {queue_rivals.redis_version(program)}"
    wanted: dict[str, Callable[[], contextlib.AbstractContextManager[Sender]]] = {
        f"BullMQ {BULLMQ}, {redis}": lambda: queue_rivals.bullmq(port, workers),
        f"RQ {RQ}, a process for each job, {redis}, redis-py {REDIS_PY}": lambda: queue_rivals.rq(port, workers, forks=True),
        f"RQ {RQ} SimpleWorker, {redis}, redis-py {REDIS_PY}": lambda: queue_rivals.rq(port, workers, forks=False),
    }  # fmt: skip
    sides: list[Side] = []
    for name, make in wanted.items():
        try:
            sender = stack.enter_context(make())
        except RivalMissing as error:
            left_out.append(f"Left out: {name}: {error}.")
        else:
            sides.append(Side(name, sender.all, sender.each))
    return sides


def _ours(system: NoopSystem) -> Side:
    return Side("Wainwright, local system", lambda number: _all(system, number), lambda number: _each(system, number))


def _all(system: NoopSystem, number: int) -> float:
    began = time.monotonic()
    together(system, number)
    return time.monotonic() - began


def _each(system: NoopSystem, number: int) -> dict[str, list[float]]:
    known, recorded = [], []
    for _ in range(number):
        began = time.monotonic()
        job = _completed(system.wait_for(system.submit(script=SCRIPT)))
        known.append(1_000 * (time.monotonic() - began))
        ended, created = (datetime.fromisoformat(job[name]) for name in ("completedAt", "createdAt"))
        recorded.append(1_000 * (ended - created).total_seconds())
    return {"known": known, "recorded": recorded}


def _completed(job: dict[str, Any]) -> dict[str, Any]:
    if job["status"] != "completed":
        raise SystemExit(f"job {job['id']} {job['status']}: {job['error']}")
    return job


def _more(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--jobs", type=int, default=100, help="how many at once")
    parser.add_argument("--workers", type=int, default=4, help="how many worker processes")


if __name__ == "__main__":
    sys.exit(run("queue_rival", PURPOSE, measure, _more))
