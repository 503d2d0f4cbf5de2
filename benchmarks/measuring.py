"""Parts that all benchmarks share: repeats in alternating order, medians, one table, JSON, and the machine."""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeAlias

from wainwright.worker.sandbox.find_browser import BrowserMissing, find_browser

NAMED_PACKAGES = ("boto3", "moto", "playwright", "pydantic", "pytest", "pytest-xdist", "aws-lambda-powertools")

Cell: TypeAlias = str | int | float | None


@dataclass(frozen=True)
class Table:
    """Rows of figures under headings. A heading names its unit, as in ``median ms``; None is a dash."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]


@dataclass(frozen=True)
class Verdict:
    """A budget beside what was measured. ``met`` is None where it could not be measured; ``note`` says why."""

    budget: str
    limit: str
    measured: str
    met: bool | None
    note: str = ""


@dataclass(frozen=True)
class Result:
    """All that a benchmark found. ``notes`` say how it measured, and what it left out and why."""

    tables: Sequence[Table]
    verdicts: Sequence[Verdict] = ()
    notes: Sequence[str] = ()
    raw: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Options:
    """Options of a benchmark. ``smoke``: run each path once, as small as it goes; the figures mean nothing then."""

    smoke: bool
    arguments: argparse.Namespace


def run(
    name: str,
    purpose: str,
    measure: Callable[[Options], Result],
    more: Callable[[argparse.ArgumentParser], None] | None = None,
) -> int:
    """The command of one benchmark: measure, print the tables, and write the figures as JSON where asked to.

    Args:
        name: the module below ``benchmarks``.
        purpose: one sentence for ``--help``.
        more: adds options of the benchmark's own; they arrive in ``Options.arguments``.
    """
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=purpose)
    parser.add_argument("--smoke", action="store_true", help="show that it works, in seconds; the figures mean nothing")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    if more:
        more(parser)
    arguments = parser.parse_args()
    load = os.getloadavg()[0]
    result = measure(Options(arguments.smoke, arguments))
    written = {
        "benchmark": name,
        "purpose": purpose,
        "command": _command(name, sys.argv[1:]),
        "smoke": arguments.smoke,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "loadBefore": round(load, 2),
        "machine": machine(),
        **asdict(result),
    }
    if arguments.json:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps(written, indent=2) + "\n")
    print(shown(written))
    return 0


def _command(name: str, given: Sequence[str]) -> str:
    """Return the command line without the file of the figures."""
    kept = [word for word, before in zip(given, ["", *given], strict=False) if "--json" not in (word, before)]
    return " ".join([f"python -m benchmarks.{name}", *kept])


def machine() -> dict[str, str]:
    """Return the environment of the figures: processor, cores, memory, system, Python and the packages measured."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": _processor(),
        "cores": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()),
        "memory": f"{memory / 2**30:.0f} GiB",
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "browser": _browser(),
        **{package: version(package) for package in NAMED_PACKAGES},
    }


def _browser() -> str:
    """The one that tests are given: its program and version, or that it is Playwright's own build, whose version that gives."""
    found = find_browser()
    if isinstance(found, BrowserMissing):
        return "none"
    if found.executable is None:
        return "Playwright's own build"
    told = subprocess.run([found.executable, "--version"], capture_output=True, text=True, check=False).stdout
    number = next((word for word in told.split() if word[:1].isdigit()), "")
    return f"{found.executable.name} {number}".strip()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def alternately(sides: Mapping[str, Callable[[], float]], repeats: int, warm_up: int = 1) -> dict[str, list[float]]:
    """Run the sides in turn, in reverse order every other time, so that drift of the machine falls on all alike.

    Returns:
        What each run of a side returned, in order, without the warm-up.
    """
    found: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(warm_up + repeats):
        order = list(sides) if number % 2 == 0 else list(sides)[::-1]
        for name in order:
            figure = sides[name]()
            if number >= warm_up:
                found[name].append(figure)
    return found


def median(figures: Sequence[float]) -> float:
    """The median."""
    return statistics.median(figures)


def percentile(figures: Sequence[float], percent: float) -> float:
    """By nearest rank: a figure that was really measured."""
    ordered = sorted(figures)
    return ordered[max(1, math.ceil(len(ordered) * percent / 100)) - 1]


def shown(written: Mapping[str, Any]) -> str:
    """A benchmark's JSON as text for a terminal, which is Markdown too."""
    parts = [f"## {written['benchmark']}", "", written["purpose"], ""]
    if written["smoke"]:
        parts += ["A smoke run: the figures mean nothing.", ""]
    for table in written["tables"]:
        parts += [f"**{table['title']}**", "", *_markdown(table["columns"], table["rows"]), ""]
    if written["verdicts"]:
        parts += [
            *_markdown(["budget", "limit", "measured", "verdict"], [_verdict(each) for each in written["verdicts"]]),
            "",
        ]
    parts += [f"- {note}" for note in written["notes"]]
    parts += [f"- `{written['command']}`, {written['at']}, load before: {written['loadBefore']}"]
    return "\n".join(parts)


def _verdict(each: Mapping[str, Any]) -> list[Cell]:
    word = {True: "met", False: "**not met**", None: "not measured"}[each["met"]]
    return [each["budget"], each["limit"], each["measured"], f"{word}; {each['note']}" if each["note"] else word]


def _markdown(columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> list[str]:
    """A table, figures to the right."""
    right = [not any(isinstance(row[column], str) for row in rows) for column in range(len(columns))]
    cells = [list(columns), *([_cell(cell) for cell in row] for row in rows)]
    widths = [max(3, *(len(line[column]) for line in cells)) for column in range(len(columns))]
    rule = ["-" * (width - 1) + ("-:"[of_figures]) for width, of_figures in zip(widths, right, strict=True)]
    return [
        "| " + " | ".join(
            cell.rjust(width) if of_figures else cell.ljust(width)
            for cell, width, of_figures in zip(line, widths, right, strict=True)
        ) + " |"
        for line in (cells[0], rule, *cells[1:])
    ]  # fmt: skip


def _cell(cell: Cell) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, float):
        return f"{cell:,.3f}" if abs(cell) < 10 else f"{cell:,.1f}"
    return f"{cell:,}" if isinstance(cell, int) else cell
