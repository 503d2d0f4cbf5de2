"""Bounds on the resources of one suite, and the kernel's view of the worker's control group."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from wainwright.settings import SuiteSettings

RESERVE_BYTES = 256 * 1024**2
"""For the worker itself: its agent and a supervisor take some 120 MB, a report being built the more the more tests it has."""
LEAST_BYTES = 256 * 1024**2
"""A browser does not start with less."""
SETTINGS = {
    "memory": "WAINWRIGHT_TEST_MEMORY_BYTES",
    "cpu": "WAINWRIGHT_TEST_CPU_SECONDS",
    "processes": "WAINWRIGHT_TEST_PROCESSES",
    "disk": "WAINWRIGHT_TEST_DISK_BYTES",
}
"""Bounds by which a suite can be ended -> the settings that they come from."""


@dataclass(frozen=True)
class SuiteBounds:
    """The most that all processes of one suite may take together, or each of them where it says so; None: unbounded.

    ``memory_bytes`` counts what is not backed by files; ``processes`` counts threads as well; ``cpu_seconds`` and
    ``open_files`` are those of each process, ``file_bytes`` those of each file; ``disk_bytes`` is what lies in the bundle's
    folder, in the evidence, in the home and in the temporary folder.
    """

    memory_bytes: int | None = None
    cpu_seconds: int | None = None
    processes: int | None = None
    open_files: int | None = None
    file_bytes: int | None = None
    disk_bytes: int | None = None


def bounds_of(settings: SuiteSettings) -> SuiteBounds:
    """Return the bounds that the settings name, and the default of the one that depends on the machine."""
    return SuiteBounds(
        memory_bytes=settings.memory_bytes if settings.memory_bytes is not None else default_memory_bytes(),
        cpu_seconds=settings.cpu_seconds,
        processes=settings.processes,
        open_files=settings.open_files,
        file_bytes=settings.file_bytes,
        disk_bytes=settings.disk_bytes,
    )


def default_memory_bytes(root: Path = Path("/")) -> int | None:
    """Return what the container or the machine has, less a reserve for the worker; None where it cannot be told."""
    groups = map(_number, _group_files(root, "memory.max", "memory.limit_in_bytes"))
    limits = [limit for limit in (_machine_memory(root), *groups) if limit is not None]
    return max(min(limits) - RESERVE_BYTES, LEAST_BYTES) if limits else None


def oom_kills(root: Path = Path("/")) -> int | None:
    """Count the processes of our control group that the kernel killed for want of memory; None where it cannot be read."""
    counts = map(_oom_counter, _group_files(root, "memory.events", "memory.oom_control"))
    return next((count for count in counts if count is not None), None)


def _machine_memory(root: Path) -> int | None:
    try:
        lines = (root / "proc/meminfo").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemTotal:"))
    except (OSError, ValueError, StopIteration):
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return None


def _group_files(root: Path, name: str, name_v1: str) -> Iterator[Path]:
    """Yield the places of a file of our control group, of version 2 or 1: its own first, then the one a container sees."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, group = line.split(":", 2)
        if controllers in ("", "memory"):
            base, file = (root / "sys/fs/cgroup/memory", name_v1) if controllers else (root / "sys/fs/cgroup", name)
            yield base / group.lstrip("/") / file
            yield base / file


def _number(path: Path) -> int | None:
    """Read a number; None for `max`, which is no bound. Without a bound version 1 holds a huge number."""
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None


def _oom_counter(path: Path) -> int | None:
    try:
        fields = dict(line.split(" ", 1) for line in path.read_text().splitlines() if " " in line)
        return int(fields["oom_kill"])
    except (OSError, KeyError, ValueError):
        return None
