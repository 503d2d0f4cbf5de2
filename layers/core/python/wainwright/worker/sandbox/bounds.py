"""How much memory a suite may take where no setting says so."""

from __future__ import annotations

import os
from pathlib import Path

RESERVE_BYTES = 256 * 1024**2
"""For the worker itself: its agent and a supervisor take some 120 MB, a report being built the more the more tests it has."""
LEAST_BYTES = 256 * 1024**2
"""A browser does not start with less."""


def default_memory_bytes(root: Path = Path("/")) -> int | None:
    """What the container or the machine has, less a reserve for the worker; None where it cannot be told. ``root`` is for
    tests.
    """
    limits = [limit for limit in (_machine(root), *_control_groups(root)) if limit is not None]
    return max(min(limits) - RESERVE_BYTES, LEAST_BYTES) if limits else None


def _machine(root: Path) -> int | None:
    try:
        lines = (root / "proc/meminfo").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemTotal:"))
    except (OSError, ValueError, StopIteration):
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return None


def _control_groups(root: Path) -> list[int | None]:
    """The bounds of the worker's own control groups, of version 2 and 1. `max`, and huge numbers, are none."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return []
    found = [_number(root / "sys/fs/cgroup/memory.max"), _number(root / "sys/fs/cgroup/memory/memory.limit_in_bytes")]
    for line in lines:
        _, controllers, path = line.split(":", 2)
        relative = path.lstrip("/")
        if controllers == "":
            found.append(_number(root / f"sys/fs/cgroup/{relative}/memory.max"))
        elif controllers == "memory":
            found.append(_number(root / f"sys/fs/cgroup/memory/{relative}/memory.limit_in_bytes"))
    return found


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None
