"""Cost of an ordinary job on AWS: its calls, metered in a local system, at public prices, beside the prices of rivals.

Usage: python -m benchmarks.cost [--jobs 5] [--smoke] [--json FILE]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measuring import Cell, Options, Result, Table, Verdict, median, run
from benchmarks.systems import System, local_system
from wainwright.adapters.costs import read_usage
from wainwright.domain.costs import Capacity, Cost, CostGroup, JobUsage, Usage, WorkerSize, price_usage, worker_lines
from wainwright.domain.prices import price, price_table

JOBS = 1_000
"""Dollars are of so many jobs."""

BUDGET_USD = 0.20
BUDGET_TRANSITIONS = 3
TEST_SECONDS = 20.0
"""The test of the comparison with rivals."""

START_SECONDS = 75.0
"""Until a Fargate task runs a browser's image: 45 to 75 s for 1 to 2.7 GB, and Fargate bills from the pull on."""

IDLE_SECONDS = 60.0
"""Seconds that an idle worker waits before it exits, in the stage for development."""

SETTLED_SECONDS = 1.0
"""A job's figures are complete when they have not changed for so long after its end."""

WAIT_SECONDS = 30.0
RETENTION_NOTE = (
    "Storage is priced for all the time that it is kept: reports 30 days here, rows a month, bundles 7 days."
)

SCRIPT = """
def test_title(page):
    page.set_content("<title>Hello</title>")
    assert page.title() == "Hello"
"""


LONGER_SCRIPT = """
def test_wait(page):
    page.set_content("<title>Hello</title>")
    page.wait_for_timeout({ms})
    assert page.title() == "Hello"
"""

LEAST_USD = 0.0005
"""Calls that cost less, for all jobs together, share a row."""


@dataclass(frozen=True)
class Rival:
    """Price of a rival for one run of the test, and its derivation from published prices of late 2026."""

    name: str
    usd: float
    how: str


def measure(options: Options) -> Result:
    """Run the job a few times on a warm system, and price what was counted."""
    number = 1 if options.smoke else options.arguments.jobs
    with tempfile.TemporaryDirectory(prefix="wainwright-cost-") as name:
        folder = Path(name) / "data"
        with local_system(folder, 1) as system:
            _run(system, folder)
            found = [_run(system, folder) for _ in range(number)]
            longer = _run(system, folder, LONGER_SCRIPT.format(ms=1_000 if options.smoke else TEST_SECONDS * 1_000))
    costs = [price_usage(usage) for usage in found]
    transitions = [_amount(usage, "stepfunctions.transition") for usage in found]
    control = [cost.of(CostGroup.CONTROL_PLANE) * JOBS for cost in costs]
    seconds = median([cost.worker_seconds for cost in costs])
    return Result(
        tables=[
            _prices(costs),
            _calls(found),
            _apart(costs),
            _compute(seconds, found[0].worker),
            _rivals(price_usage(longer), longer.worker),
        ],
        verdicts=[
            Verdict(
                f"an ordinary job (one test, trace kept): billed calls of the control plane, {JOBS:,} jobs",
                f"<= ${BUDGET_USD:.2f}", f"${median(control):.3f}", median(control) <= BUDGET_USD,
                f"median of {number}, from ${min(control):.3f} to ${max(control):.3f}",
            ),
            Verdict(
                "its state transitions", f"<= {BUDGET_TRANSITIONS}", f"{max(transitions):g}",
                max(transitions) <= BUDGET_TRANSITIONS, "the start counts as one",
            ),
        ],
        notes=_notes(number),
        raw={"jobs": [usage.model_dump(mode="json", by_alias=True) for usage in found]},
    )  # fmt: skip


def _run(system: System, folder: Path, script: str = SCRIPT) -> JobUsage:
    """Run a job; what was counted for it, once nothing more is being counted."""
    job = system.run(script=script, config={"trace": "on"})
    before: JobUsage | None = None
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        time.sleep(SETTLED_SECONDS)
        usage = read_usage(folder / "costs", job["id"])
        if usage is not None and usage == before:
            return usage
        before = usage
    raise SystemExit(f"the cost of job {job['id']} did not settle within {WAIT_SECONDS:.0f} s")


def _prices(costs: Sequence[Cost]) -> Table:
    """One row for each price of the control plane, the largest first."""
    lines: defaultdict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for line in _lines(costs, CostGroup.CONTROL_PLANE):
        lines[line[0]][0] += line[1] / len(costs)
        lines[line[0]][1] += line[2] / len(costs) * JOBS
    rows: list[list[Cell]] = [[name, _number(count), price(name).unit, usd] for name, (count, usd) in lines.items()]
    rows.sort(key=lambda row: -float(row[-1] or 0))
    rows.append(["all", "", "", sum(usd for _, usd in lines.values())])
    return Table("Control plane by price", ["price", "per job", "unit", f"$ per {JOBS:,} jobs"], rows)


def _lines(costs: Iterable[Cost], group: CostGroup) -> Iterable[tuple[str, float, float]]:
    return ((line.what, line.count, line.usd) for cost in costs for line in cost.lines if line.group == group)


def _calls(found: Sequence[JobUsage]) -> Table:
    """One row for each kind of call of the control plane, the dearest first."""
    kinds: defaultdict[tuple[str, str, str], list[Usage]] = defaultdict(list)
    for usage in found:
        for each in usage.used:
            if each.group is CostGroup.CONTROL_PLANE:
                kinds[each.caller, each.service, each.operation].append(each)
    rows: list[list[Cell]] = []
    for (caller, service, operation), used in kinds.items():
        units: defaultdict[str, float] = defaultdict(float)
        for each in used:
            for name, amount in each.units.items():
                units[name] += amount / len(found)
        usd = sum(price(name).of(amount) for name, amount in units.items()) * JOBS
        calls = sum(each.calls for each in used) / len(found)
        rows.append([caller, f"{service}: {operation}", _number(calls) if calls else "", _units(units), usd])
    rows.sort(key=lambda row: -float(row[-1] or 0))
    small = [float(row[-1] or 0) for row in rows if float(row[-1] or 0) < LEAST_USD]
    rows = [*rows[: len(rows) - len(small)], [f"{len(small)} others", "", "", "", sum(small)]]
    return Table("Control plane by call", ["who", "call", "per job", "units per job", f"$ per {JOBS:,} jobs"], rows)


def _units(units: Mapping[str, float]) -> str:
    return ", ".join(f"{_number(amount)} {price(name).unit}" for name, amount in units.items())


def _number(amount: float) -> str:
    return f"{amount:.3g}" if amount < 100 else f"{amount:,.0f}"


def _apart(costs: Sequence[Cost]) -> Table:
    """Artifacts and lookers."""
    groups = {
        CostGroup.ARTIFACTS: "artifacts: a PUT for each file of the report, and storing them",
        CostGroup.LOOKING: "looking: one long poll for the end, of the client of this benchmark",
    }
    rows: list[list[Cell]] = [
        [name, sum(cost.of(group) for cost in costs) / len(costs) * JOBS] for group, name in groups.items()
    ]
    return Table("Listed apart", ["what", f"$ per {JOBS:,} jobs"], rows)


def _compute(seconds: float, size: WorkerSize) -> Table:
    """The worker's time, as it can be bought."""
    names = {
        Capacity.ARM64: "arm64 on demand",
        Capacity.X86: "x86 on demand",
        Capacity.ARM64_SPOT: "arm64 Spot",
    }
    rows: list[list[Cell]] = []
    for capacity, name in names.items():
        worker, address = worker_lines(seconds, size, capacity)
        rows.append([name, seconds, worker.usd * JOBS, address.usd * JOBS])
    title = f"A worker's time for the job, on Fargate with {size.vcpu:g} vCPU and {size.memory_gb:g} GB"
    return Table(title, ["bought as", "s per job", f"$ per {JOBS:,} jobs", "and its public address, $"], rows)


def _rivals(cost: Cost, size: WorkerSize) -> Table:
    """A test of 20 s everywhere. Ours with all of its parts, as they were metered for such a job."""
    busy = cost.worker_seconds
    control, artifacts = (cost.of(group) * JOBS for group in (CostGroup.CONTROL_PLANE, CostGroup.ARTIFACTS))

    def ours(worker_seconds: float, capacity: Capacity) -> float:
        return sum(line.usd for line in worker_lines(worker_seconds, size, capacity)) * JOBS + control + artifacts

    parts = f"control plane ${control:.2f} and report ${artifacts:.2f}, metered"
    rows: list[list[Cell]] = [
        ["Wainwright, arm64 Spot, workers half busy", ours(2 * busy, Capacity.ARM64_SPOT), f"{parts}; 2 x {busy:.1f} s"],
        ["Wainwright, arm64 on demand, workers half busy", ours(2 * busy, Capacity.ARM64), f"{parts}; 2 x {busy:.1f} s"],
        [
            "Wainwright, arm64 on demand, each job alone",
            ours(START_SECONDS + busy + IDLE_SECONDS, Capacity.ARM64),
            f"{parts}; {START_SECONDS:.0f} s to start, {busy:.1f} s of work, {IDLE_SECONDS:.0f} s idle",
        ],
    ]  # fmt: skip
    rows += [[rival.name, rival.usd * JOBS, rival.how] for rival in rivals()]
    return Table(f"A test of {TEST_SECONDS:.0f} s, {JOBS:,} times", ["who", "$", "how it follows"], rows)


def rivals() -> list[Rival]:
    """Published unit prices of late 2026, and what one run of the test makes of them."""
    canary, lambda_second = 0.0012, 0.0000166667
    minute = TEST_SECONDS / 60
    x86 = price("fargate.x86.vcpu").usd + 2 * price("fargate.x86.memory").usd
    return [
        Rival(
            "CloudWatch Synthetics, 1 GB", canary + TEST_SECONDS * lambda_second,
            f"${canary} a canary run, {TEST_SECONDS:.0f} s of Lambda on x86 with 1 GB at ${lambda_second} a GB-second",
        ),
        Rival(
            "CloudWatch Synthetics, 2 GB", canary + TEST_SECONDS * 2 * lambda_second, "the same with 2 GB",
        ),
        Rival("Checkly", 0.005, "$5 for 1,000 runs of a browser check, beyond what a plan includes"),
        Rival("Azure Playwright Workspaces", minute * 0.01, "$0.01 a minute of a Linux browser"),
        Rival(
            "GitHub Actions, the minute filled", minute * 0.006,
            f"$0.006 a minute of Linux with 2 cores; a job alone pays a whole minute, ${0.006 * JOBS:.2f}",
        ),
        Rival(
            "RunTask for each job, Fargate on x86", (START_SECONDS + TEST_SECONDS) / 3_600 * x86,
            f"1 vCPU and 2 GB from the pull of the image on: {START_SECONDS:.0f} s to start, {TEST_SECONDS:.0f} s of test; "
            "without any queue, workflow, report or address",
        ),
    ]  # fmt: skip


def _amount(usage: JobUsage, name: str) -> float:
    return sum(each.units.get(name, 0.0) for each in usage.used)


def _notes(number: int) -> list[str]:
    table = price_table()
    return [
        f"{number} jobs after one that warms the system up, one worker; prices: {table.source}, as of {table.as_of}.",
        "Request units of DynamoDB are computed from the sizes of the items, indexes included (moto reports 1.0 of everything).",
        "Lambda's GB-seconds are those of this machine, whose calls are answered in the same process: on AWS they differ.",
        RETENTION_NOTE,
        "Not counted: data transfer, cold starts, free tiers, and what stays the same without jobs. See docs/cost.md.",
        "Rivals are not run: their prices are published, and how each figure follows is beside it.",
    ]


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--jobs", type=int, default=3, help="how many jobs are measured")


if __name__ == "__main__":
    sys.exit(
        run(
            "cost", "What an ordinary job costs on AWS, by its parts, and beside what rivals charge.", measure, _options
        )
    )
