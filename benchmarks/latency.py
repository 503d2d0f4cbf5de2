"""Time of a job from its submission to its first browser action and to its end, hop by hop, warm and cold.

Usage: python -m benchmarks.latency [--jobs 30] [--smoke] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.hops import ACTED, HOPS, SUITE, times_of_job
from benchmarks.measuring import Cell, Options, Result, Table, Verdict, median, percentile, run
from benchmarks.processes import await_rest
from benchmarks.suites import EVIDENCE, DirectPytest
from benchmarks.systems import System, local_system

PURPOSE = (
    "Submission to first browser action, and to the end: every hop, warm and cold, beside pytest started directly."
)
JOBS, COLD, DIRECT_EVERY = 30, 3, 4
"""Warm jobs; fresh systems; after how many warm jobs pytest is started directly once."""
BUDGETS = ((50, 0.5), (95, 1.0))
"""Percentile -> seconds from submission to the first browser action, warm."""


def one_job(system: System, data: Path) -> dict[str, float]:
    """Run one, and read off its hops."""
    body: dict[str, Any] = {"script": SUITE, "config": EVIDENCE}
    submitted = time.time()
    job_id = system.submit(**body)
    answered = time.time()
    job = system.wait_for(job_id)
    seen = time.time()
    if job["status"] != "completed":
        raise SystemExit(f"job {job_id} {job['status']}: {job['error']}")
    return {"answered": answered - submitted, **times_of_job(data, job, submitted, seen)}


def directly(suite: DirectPytest) -> float:
    """Start pytest, and read when its test first asked something of its page: seconds after the start."""
    times = suite.folder / "times.json"
    began = time.time()
    suite.run(variables={"TIMES": str(times)})
    return float(json.loads(times.read_text())[ACTED]) - began


def measure(options: Options) -> Result:
    """Warm jobs, with pytest between them; then cold ones."""
    jobs, cold_jobs = (2, 1) if options.smoke else (options.arguments.jobs, COLD)
    with tempfile.TemporaryDirectory(prefix="wainwright-latency-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        suite = DirectPytest(folder / "direct", SUITE)
        warm, direct = _warm(folder / "warm", suite, jobs)
        cold = [_cold(folder / f"cold-{number}") for number in range(cold_jobs)]
    notes = [
        (
            f"Warm: {len(warm)} jobs one after another on one worker, each submitted when the worker's next spare is ready and "
            f"nothing else runs. Cold: the first job of a system that was just started, {len(cold)} times."
        ),
        (
            f"Directly: `pytest --tracing on` from the start of its process, {len(direct)} times between the warm jobs, with the "
            "browser, flags and plugins of a worker; no xdist."
        ),
        "First browser action: the test's first call on its page. The page is made by then, which is part of the hop before.",
        "Times are of one clock: the client's, the job's record, what the test noted, the worker's log, files of objects.",
    ]
    tables = [
        _totals(warm, cold, direct),
        _hops(f"Hops of a warm job, {len(warm)} jobs", warm),
        _hops(f"Hops of a cold job, {len(cold)} systems", cold),
    ]
    raw = {"warm": warm, "cold": cold, "direct": direct}
    return Result(tables, [_verdict(warm, percent, limit) for percent, limit in BUDGETS], notes, raw=raw)


def _warm(data: Path, suite: DirectPytest, jobs: int) -> tuple[list[dict[str, float]], list[float]]:
    found, direct = [], []
    with local_system(data, 1) as system:
        one_job(system, data)
        directly(suite)
        for number in range(jobs):
            await_rest(system, 1)
            found.append(one_job(system, data))
            if number % DIRECT_EVERY == 0:
                await_rest(system, 1)
                direct.append(directly(suite))
    return found, direct


def _cold(data: Path) -> dict[str, float]:
    with local_system(data, 1) as system:
        return one_job(system, data)


def _of(found: Sequence[dict[str, float]], name: str) -> list[float]:
    return [each[name] for each in found if name in each]


def _totals(warm: Sequence[dict[str, float]], cold: Sequence[dict[str, float]], direct: Sequence[float]) -> Table:
    rows: list[list[Cell]] = []
    for title, name in (("first browser action", ACTED), ("end, as the client sees it", "seen")):
        for state, found in (("warm", warm), ("cold", cold)):
            rows.append([f"submission → {title}", state, len(found), *_figures(_of(found, name))])
    rows.append(["POST answered", "warm", len(warm), *_figures(_of(warm, "answered"))])
    rows.append(["pytest started directly → first browser action", "-", len(direct), *_figures(direct)])
    return Table("From submission", ("way", "system", "n", "median ms", "p95 ms", "most ms"), rows)


def _figures(seconds: Sequence[float]) -> list[Cell]:
    return [1_000 * median(seconds), 1_000 * percentile(seconds, 95), 1_000 * max(seconds)]


def _hops(title: str, found: Sequence[dict[str, float]]) -> Table:
    """Each from the one before it that could be seen."""
    whole = median(_of(found, "seen"))
    rows: list[list[Cell]] = []
    for name, words in HOPS.items():
        steps = [each[name] - _before(each, name) for each in found if name in each]
        if steps:
            share = 100 * median(steps) / whole
            rows.append([words, len(steps), 1_000 * median(steps), 1_000 * percentile(steps, 95), share])
    return Table(title, ("hop", "n", "median ms", "p95 ms", "% of the whole"), rows)


def _before(times: dict[str, float], name: str) -> float:
    before = 0.0
    for each in HOPS:
        if each == name:
            break
        before = times.get(each, before)
    return before


def _verdict(warm: Sequence[dict[str, float]], percent: int, limit: float) -> Verdict:
    measured = percentile(_of(warm, ACTED), percent)
    budget = f"submission → first browser action, warm, p{percent}"
    return Verdict(
        budget, f"≤ {1_000 * limit:,.0f} ms", f"{1_000 * measured:,.0f} ms", measured <= limit, f"n = {len(warm)}"
    )


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--jobs", type=int, default=JOBS, help="how many warm jobs")


if __name__ == "__main__":
    sys.exit(run("latency", PURPOSE, measure, _arguments))
