"""``make bench``: each benchmark in a process of its own, one after the other, and their tables in one page.

Usage: python -m benchmarks [--smoke] [--only NAME ...] [--results DIR]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.measuring import machine, shown

RESULTS = Path(__file__).parent / "results"
BENCHMARKS = ("tax", "latency", "throughput", "split", "cold_start", "growth", "queue_rival", "recovery", "cost")


def main() -> int:
    """Run them; the code of the first that failed, but only after all have run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=str(__doc__).partition("\n")[0])
    parser.add_argument("--smoke", action="store_true", help="show that each works, keep nothing")
    parser.add_argument("--only", nargs="+", choices=BENCHMARKS, default=BENCHMARKS, metavar="NAME")
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="DIR", help="where the figures go")
    options = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="wainwright-bench-") as scratch:
        results = Path(scratch) if options.smoke else options.results
        codes = {name: _run(name, results, smoke=options.smoke) for name in options.only}
        if not options.smoke:
            (results / "README.md").write_text(_page(results))
    print(f"==> {len(codes)} benchmarks in {time.monotonic() - began:.0f} s", file=sys.stderr)
    failed = [name for name, code in codes.items() if code]
    if failed:
        print(
            f"==> failed: {', '.join(failed)}; run one alone with: make bench ARGS='--only {failed[0]}'",
            file=sys.stderr,
        )
    return next((code for code in codes.values() if code), 0)


def _run(name: str, results: Path, *, smoke: bool) -> int:
    began = time.monotonic()
    print(f"==> {name}", file=sys.stderr, flush=True)
    command = [sys.executable, "-m", f"benchmarks.{name}", "--json", str(results / f"{name}.json")]
    code = subprocess.run([*command, "--smoke"] if smoke else command, check=False).returncode
    print(
        f"==> {name}: {'done' if code == 0 else f'failed ({code})'}, {time.monotonic() - began:.0f} s", file=sys.stderr
    )
    return code


def _page(results: Path) -> str:
    """All figures there are, the budgets first."""
    found = [json.loads(file.read_text()) for name in BENCHMARKS if (file := results / f"{name}.json").exists()]
    parts = [
        "# Measured",
        "",
        "Written by `make bench`. What is measured, and how: [benchmarks](../../docs/benchmarks.md).",
        "",
    ]
    parts += ["| machine | |", "|---|---|", *(f"| {name} | {value} |" for name, value in machine().items()), ""]
    parts += ["## Budgets", "", "| budget | limit | measured | verdict |", "|---|---|---|---|"]
    for each in found:
        for verdict in each["verdicts"]:
            word = {True: "met", False: "**not met**", None: "not measured"}[verdict["met"]]
            said = f"{word}; {verdict['note']}" if verdict["note"] else word
            parts.append(f"| {verdict['budget']} | {verdict['limit']} | {verdict['measured']} | {said} |")
    return "\n".join([*parts, "", *(f"{shown(each)}\n" for each in found)])


if __name__ == "__main__":
    sys.exit(main())
