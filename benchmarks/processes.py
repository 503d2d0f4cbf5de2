"""The processes of a local system, seen from outside: whether its workers are there, and whether all is at rest."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.systems import System

PROC = Path("/proc")
LOOK_SECONDS = 0.2
MOST_TICKS = 2
"""CPU ticks (1/100 s) of all processes together in one look, up to which they are at rest: workers ask for work meanwhile."""
REST_SECONDS = 60.0
BLIND_SECONDS = 4.0
"""Seconds to wait on a system without /proc."""

WORKER = "-m wainwright.worker"
SPARE = "wainwright_child.spare"
"""Parts of the command lines of a worker and of its test process that waits for a job: each worker has one."""


@dataclass(frozen=True)
class Process:
    """One process. ``ticks`` are of CPU time so far, its waited-for children's not included."""

    pid: int
    parent: int
    ticks: int


def family(pid: int) -> dict[int, Process]:
    """A process and all that descend from it, by number."""
    there = {each.pid: each for folder in PROC.glob("[0-9]*") if (each := _read(folder)) is not None}
    children: dict[int, list[int]] = {}
    for each in there.values():
        children.setdefault(each.parent, []).append(each.pid)
    found, left = {}, [pid]
    while left:
        number = left.pop()
        if number in there:
            found[number] = there[number]
            left += children.get(number, [])
    return found


def count(pid: int, named: str) -> int:
    """Count the descendants of a process that were started as ``named``, without forks of its children."""
    there = family(pid)
    named_so = {number for number in there if named in _command(number)}
    return sum(1 for number in named_so if there[number].parent not in named_so)


def await_rest(system: System, workers: int) -> None:
    """Wait until so many workers, each with its spare, are there, and no process of the system does anything.

    Raises:
        SystemExit: they do not come to rest.
    """
    if not PROC.is_dir():
        time.sleep(BLIND_SECONDS)
        return
    deadline = time.monotonic() + REST_SECONDS
    quiet = 0
    before = _ticks(system.pid)
    while quiet < 2:
        if time.monotonic() > deadline:
            raise SystemExit(f"the workers of the local system did not come to rest within {REST_SECONDS:.0f} s")
        time.sleep(LOOK_SECONDS)
        now = _ticks(system.pid)
        at_rest = now.keys() == before.keys() and sum(now.values()) - sum(before.values()) <= MOST_TICKS
        quiet = quiet + 1 if at_rest and count(system.pid, SPARE) >= workers else 0
        before = now


def _ticks(pid: int) -> dict[int, int]:
    return {number: each.ticks for number, each in family(pid).items()}


def _read(folder: Path) -> Process | None:
    try:
        text = (folder / "stat").read_text()
    except OSError:
        return None  # it has ended
    fields = text.rpartition(")")[2].split()  # the name before may hold anything
    return Process(int(folder.name), int(fields[1]), int(fields[11]) + int(fields[12]))


def _command(pid: int) -> str:
    try:
        return (PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
    except OSError:
        return ""
