"""Cost of one call as the store grows: AWS calls, rows and request units among 10, 1,000 and 100,000 jobs.

Usage: python -m benchmarks.growth [--sizes 10 1000 100000] [--queued 10 100 1000] [--smoke] [--json FILE]
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import re
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
import platformdirs
from botocore import handlers

from benchmarks.growth_seed import LABEL, SPREAD, TEMPLATE, seed
from benchmarks.measuring import Cell, Options, Result, Table, Verdict, run
from benchmarks.noop_system import SCRIPT, WORKER, noop_system
from benchmarks.systems import WAIT_SECONDS
from wainwright.cli.paths import repository
from wainwright.cli.up import LOCAL_PROJECT, local_access
from wainwright.local import compute
from wainwright.local.meter import Meter
from wainwright.local.request_units import Request
from wainwright.local.synth import template_for
from wainwright.local.system import LocalSystem
from wainwright.local.template import Template

PURPOSE = "AWS calls, rows examined and capacity units of one call, and the local system's memory, as the number of jobs grows."
SIZES, QUEUED = (10, 1_000, 100_000), (10, 100, 1_000)
SMOKE_SIZES, SMOKE_QUEUED = (10,), (2,)
PAGE = 2
"""Jobs of a page: so few that each is full among ten jobs too."""
MOST_EXAMINED = 1_000
ENDINGS = 3
"""Jobs that are ended at each size."""
SETTLE_SECONDS = 0.5
SENDERS = 4
_FUNCTION = re.compile(r"lambda-.*Functions(Api|FinishJob)Handler")

NOTES = (
    (
        "The functions, use cases and adapters are the real ones, in a local system whose workers run nothing. The stored jobs "
        "are in its journal before it starts, as it would have written them: all at rest, created over five days, seven of "
        "ten completed."
    ),
    (
        "Rows examined are those that queries looked at, matching or not, and those that were read by key. Units are DynamoDB's "
        "read and write request units, computed from the sizes of items and index entries by AWS's published rules."
    ),
    (
        f"Pages are of {PAGE} jobs. `finish` is all that the function does that ends a run, `submit` all that the API does "
        "for a script that nobody sent before; the calls of dispatch, publishing and worker are in the throughput benchmark. "
        f"A job that took or waited longer or less than all others of its hour costs `finish` up to three calls more, however "
        f"many jobs there are: `finish` is the one with the fewest calls of {ENDINGS}."
    ),
    (
        "Queued jobs: limits were raised through the API, and the one worker took nothing, so that one job is admitted and "
        "all others wait."
    ),
)


@dataclass(frozen=True)
class Cost:
    """AWS calls and units of one call of the API, or of one run's end."""

    calls: int = 0
    rows: int = 0
    units: float = 0.0


class Ledger:
    """Counts what the functions in this process do, each by its threads' name."""

    def __init__(self) -> None:
        self._costs: dict[str, Cost] = {}
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def installed(self) -> Iterator[None]:
        """Count the calls of clients that are made from now on."""
        meant = Meter.queried

        def queried(meter: Meter, request: Request) -> None:
            self._add(Cost(units=request.reads + request.writes))
            meant(meter, request)

        entry = ("after-call", self._called)
        handlers.BUILTIN_HANDLERS.append(entry)
        try:
            with patch.object(Meter, "queried", queried):
                yield
        finally:
            handlers.BUILTIN_HANDLERS.remove(entry)

    @contextlib.contextmanager
    def of(self, caller: str, found: dict[str, Cost], name: str) -> Iterator[None]:
        """Put the AWS calls of one function during the block into ``found``, by that name."""
        with self._lock:
            self._costs.clear()
        yield
        with self._lock:
            found[name] = self._costs.get(caller, Cost())

    def _called(self, model: Any, parsed: Mapping[str, Any], **_: Any) -> None:
        rows = int(parsed.get("ScannedCount", 0)) + ("Item" in parsed)
        rows += sum(len(items) for items in parsed.get("Responses", {}).values()) if model.name == "BatchGetItem" else 0
        self._add(Cost(calls=1, rows=rows))

    def _add(self, more: Cost) -> None:
        caller = _FUNCTION.match(threading.current_thread().name)
        if caller is None:
            return
        with self._lock:
            so_far = self._costs.get(caller[1], Cost())
            self._costs[caller[1]] = Cost(so_far.calls + more.calls, so_far.rows + more.rows, so_far.units + more.units)


def measure(options: Options) -> Result:
    """Each number of stored jobs in a system of its own; then the memory of one as its line grows."""
    sizes: Sequence[int] = SMOKE_SIZES if options.smoke else options.arguments.sizes
    queued: Sequence[int] = SMOKE_QUEUED if options.smoke else options.arguments.queued
    with tempfile.TemporaryDirectory(prefix="wainwright-growth-") as name:
        costs = {size: costs_among(size, Path(name) / f"stored-{size}") for size in sizes}
        memory = memory_of(Path(name) / "queued", queued)
    return Result(
        [_table(costs), Table("Memory of the local system", ["queued jobs", "resident MiB", "threads"], memory)],
        verdicts=_verdicts(costs),
        notes=NOTES,
        raw={str(size): {name: asdict(cost) for name, cost in found.items()} for size, found in costs.items()},
    )


def costs_among(number: int, data_dir: Path) -> dict[str, Cost]:
    """Return the cost of each call among so many stored jobs."""
    root, ledger = repository(), Ledger()
    template = template_for(root, platformdirs.user_cache_path("wainwright", appauthor=False))
    template = _patient(template)
    seed(data_dir, _table_name(template), LOCAL_PROJECT, number, datetime.now(UTC))
    command = [sys.executable, str(WORKER)]
    found: dict[str, Cost] = {}
    with (
        ledger.installed(),
        LocalSystem(template, root, data_dir, api_port=0, max_workers=1, worker_command=command) as system,
        httpx.Client(
            base_url=system.api_url, headers={"Authorization": f"Bearer {local_access()}"}, timeout=WAIT_SECONDS
        ) as client,
    ):
        # Functions, worker and the API's memory of keys are warm then.
        _ended(client, _submit(client))
        _measure(client, ledger, found)
    return found


def _patient(template: Mapping[str, Any]) -> dict[str, Any]:
    """The template with functions that may take their time: moto takes some for a query, and nothing here is about time."""
    changed: dict[str, Any] = copy.deepcopy(dict(template))
    for resource in changed["Resources"].values():
        if resource["Type"] == "AWS::Lambda::Function":
            resource["Properties"]["Timeout"] = 900
    return changed


def _table_name(template: Mapping[str, Any]) -> str:
    urls = dict.fromkeys(Template.api_ids(template), "http://127.0.0.1")
    functions = compute.functions(Template(template, urls))
    return compute.shared_environment(functions)["WAINWRIGHT_TABLE"]


def _measure(client: httpx.Client, ledger: Ledger, found: dict[str, Cost]) -> None:
    found |= min(
        (_from_submit_to_finish(client, ledger) for _ in range(ENDINGS)), key=lambda costs: costs["finish"].calls
    )

    def ask(name: str, path: str, **query: str) -> dict[str, Any]:
        _answer(client.get("/v1/limits"))  # whose key this is, is remembered for some seconds
        with ledger.of("Api", found, name):
            return _answer(client.get(f"/v1/{path}", params=query))

    for name, query in lists(datetime.now(UTC)).items():
        ask(name, "jobs", limit=str(PAGE), **query)
    page = _answer(client.get("/v1/jobs", params={"limit": str(PAGE)}))
    ask("list: all, the page after", "jobs", limit=str(PAGE), cursor=page["cursor"])
    ask("get", f"jobs/{page['jobs'][0]['id']}")
    ask(QUEUE, "queue")


def _from_submit_to_finish(client: httpx.Client, ledger: Ledger) -> dict[str, Cost]:
    costs: dict[str, Cost] = {}
    with ledger.of("FinishJob", costs, "finish"):
        with ledger.of("Api", costs, "submit"):
            job_id = _submit(client)
        _ended(client, job_id)
        time.sleep(SETTLE_SECONDS)
    return costs


def _submit(client: httpx.Client) -> str:
    """Submit another script each time, for one that is there already is not stored again."""
    script = f"{SCRIPT}# {time.time_ns()}\n"
    return str(_answer(client.post("/v1/jobs", json={"script": script}))["jobId"])


def lists(now: datetime) -> dict[str, dict[str, str]]:
    """Lists by name, and their parameters: first those that an index answers, then those that look through rows."""
    middle = (now - SPREAD / 2).isoformat(timespec="seconds").replace("+00:00", "Z")
    return {
        "list: all": {},
        "list: failed": {"status": "failed"},
        "list: completed and failed": {"status": "completed,failed"},
        "list: of a template": {"templateId": TEMPLATE},
        "list: created before": {"createTo": middle},
        "list: by end, oldest first": {"sortBy": "completedAt", "sortOrder": "asc"},
        f"{SEARCH} a label that every 4th has": {"label": LABEL},
        f"{SEARCH} failed of a template": {"status": "failed", "templateId": TEMPLATE},
        f"{SEARCH} a label that none has": {"label": "none has it"},
    }


SEARCH, QUEUE = "search:", "search: the queue at a glance"
"""Begins the names of lists for which rows are looked through. The queue's answer is made of several of them."""


def _answer(response: httpx.Response) -> dict[str, Any]:
    if response.is_error:
        raise SystemExit(f"{response.request.method} {response.request.url.path} was refused: {response.text}")
    answer: dict[str, Any] = response.json()
    return answer


def _ended(client: httpx.Client, job_id: str) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        job = _answer(client.get(f"/v1/jobs/{job_id}?wait=20"))["job"]
        if job["status"] == "completed":
            return
        if job["completedAt"]:
            raise SystemExit(f"job {job_id} {job['status']}: {job['error']}")
    raise SystemExit(f"job {job_id} took more than {WAIT_SECONDS:.0f} s")


def memory_of(folder: Path, numbers: Sequence[int]) -> list[list[Cell]]:
    """Rows of the second table."""
    rows: list[list[Cell]] = []
    with noop_system(folder, 1, idle=True) as system, ThreadPoolExecutor(SENDERS) as pool:
        submitted = 0
        for number in (0, *numbers):
            list(pool.map(lambda _: system.submit(script=SCRIPT), range(number - submitted)))
            submitted = number
            time.sleep(4 * SETTLE_SECONDS)
            resident, threads = system.memory()
            rows.append([number, round(resident, 1), threads])
    return rows


def _table(costs: Mapping[int, Mapping[str, Cost]]) -> Table:
    names = list(next(iter(costs.values())))
    columns = ["one", *(f"{what} {size:,}" for what in ("calls", "rows", "units") for size in costs)]
    rows: list[list[Cell]] = [
        [
            name,
            *(found[name].calls for found in costs.values()),
            *(found[name].rows for found in costs.values()),
            *(found[name].units for found in costs.values()),
        ]
        for name in names
    ]
    return Table("AWS calls, rows examined and DynamoDB's request units, by the number of stored jobs", columns, rows)


def _verdicts(costs: Mapping[int, Mapping[str, Cost]]) -> list[Verdict]:
    """Searches by themselves: among few jobs there is little that they could look through."""
    sizes = list(costs)
    first, last = costs[sizes[0]], costs[sizes[-1]]
    budget = f"AWS calls and capacity units of one API call or list page, {sizes[0]:,} → {sizes[-1]:,} jobs"
    plain = [name for name in first if not name.startswith(SEARCH)]
    grown = [name for name in plain if _grown(first[name], last[name])]
    worst = max(last[name].units / first[name].units for name in plain)
    found = [
        Verdict(
            budget, "flat", f"× {worst:.2f} units at most", not grown, f"grown: {', '.join(grown)}" if grown else ""
        )
    ]
    searches = [name for name in first if name.startswith(SEARCH)]
    most = max(cost[name].rows for cost in costs.values() for name in searches if name != QUEUE)
    before = sizes[-2] if len(sizes) > 1 else sizes[-1]
    larger = [name.removeprefix(SEARCH).strip() for name in searches if _grown(costs[before][name], last[name])]
    limit = f"≤ {MOST_EXAMINED:,} rows and those that are shown; flat from {before:,} jobs on"
    said = f"{most:,} rows at most, " + (f"grown: {', '.join(larger)}" if larger else "flat")
    note = f"lists that look through rows; among {sizes[0]:,} jobs there are but {sizes[0]:,} to look through"
    met = (
        not larger and most <= MOST_EXAMINED + 1 + PAGE
    )  # a row more is looked at to know whether there is a page after
    return [*found, Verdict(f"{budget}, searches", limit, said, met, note)]


def _grown(before: Cost, after: Cost) -> bool:
    return after.calls > before.calls or after.units > before.units


def _more(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="numbers of stored jobs, growing")
    parser.add_argument("--queued", type=int, nargs="+", default=QUEUED, help="numbers of queued jobs, growing")


if __name__ == "__main__":
    sys.exit(run("growth", PURPOSE, measure, _more))
