"""Measures what the kernel has no bound for: memory and number of all processes together, and the disk that they take."""

from __future__ import annotations

import os
import time
from typing import Any

from .starting import LINUX, become

SECONDS = 0.5
NEAR_SECONDS = 0.1
"""Between two looks at memory and processes, and between two once they take half of what they may."""
DISK_SECONDS = 3.0
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Watch:
    """Looks now and then. Has no bound to watch where the platform has no /proc, but that of the disk."""

    def __init__(self, limits: dict[str, int | None], folders: list[str], user: dict[str, Any] | None) -> None:
        self._memory = limits.get("memory_bytes") if LINUX else None
        self._processes = limits.get("processes") if LINUX else None
        self._disk = limits.get("disk_bytes")
        self._folders = folders
        self._user = user
        self._next = time.monotonic() + SECONDS
        self._next_disk = time.monotonic() + DISK_SECONDS
        self._measuring: int | None = None
        self.measurer: int | None = None

    @property
    def descriptors(self) -> list[int]:
        """Descriptors that become readable when the disk has been measured."""
        return [] if self._measuring is None else [self._measuring]

    def add_folders(self, folders: list[str]) -> None:
        """Count these as well."""
        self._folders = [*self._folders, *folders]

    def wait(self) -> float | None:
        """Seconds until the next look; None if there is nothing to look at."""
        times = [self._next] if self._memory or self._processes else []
        if self._disk and self._measuring is None:
            times.append(self._next_disk)
        return max(0.0, min(times) - time.monotonic()) if times else None

    def look(self) -> dict[str, Any] | None:
        """Return the bound that is exceeded: {name, limit, found}."""
        now = time.monotonic()
        if self._disk and self._measuring is None and now >= self._next_disk:
            self._measure()
        if now < self._next or not (self._memory or self._processes):
            return None
        memory, processes = measure_below(os.getpid(), self.measurer)
        for name, found, limit in (("memory", memory, self._memory), ("processes", processes, self._processes)):
            if limit is not None and found > limit:
                return {"name": name, "limit": limit, "found": found}
        near = 2 * memory > (self._memory or 2 * memory) or 2 * processes > (self._processes or 2 * processes)
        self._next = time.monotonic() + (NEAR_SECONDS if near else SECONDS)
        return None

    def _measure(self) -> None:
        """In a process of the tests' own user, since folders may be closed to everybody else, ours not excepted."""
        read, write = os.pipe()
        self.measurer = os.fork()
        if self.measurer == 0:
            try:
                become(self._user)
                os.nice(10)
                os.write(write, str(sum(map(measure_folder, self._folders))).encode())
            finally:
                os._exit(0)
        os.close(write)
        self._measuring = read

    def measured(self) -> dict[str, Any] | None:
        """Return the disk's bound if it is exceeded. Call when its descriptor is readable."""
        if self._measuring is None:
            return None
        said = os.read(self._measuring, 64)
        os.close(self._measuring)
        self._measuring = None
        self._next_disk = time.monotonic() + DISK_SECONDS
        if said.isdigit() and self._disk is not None and int(said) > self._disk:
            return {"name": "disk", "limit": self._disk, "found": int(said)}
        return None


def measure_below(root: int, ours: int | None = None) -> tuple[int, int]:
    """Return the bytes of memory that no file backs, and the number of threads, of all processes below one but for our own: a
    suite that has all that it may must not be ended for our looking at it."""
    found = read_processes()
    found.pop(ours or 0, None)
    below: set[int] = set()
    level = {root}
    while level:
        level = {pid for pid, (parent, _) in found.items() if parent in level}
        below |= level
    return sum(map(_memory_of, below)), sum(found[pid][1] for pid in below)


def read_processes() -> dict[int, tuple[int, int]]:
    """Return the parent and the number of threads of each process, by its id."""
    found = {}
    for name in filter(str.isdigit, os.listdir("/proc")):  # noqa: PTH208 - pathlib would double the time to start
        try:
            with open(f"/proc/{name}/stat", "rb") as file:  # noqa: PTH123
                # The command's name is in parentheses and may itself hold any character, parentheses too.
                fields = file.read().rpartition(b")")[2].split()
        except OSError:
            continue  # it has ended
        found[int(name)] = (int(fields[1]), int(fields[17]))
    return found


def _memory_of(pid: int) -> int:
    """Resident pages less those that are shared, which each process would count anew."""
    try:
        with open(f"/proc/{pid}/statm", "rb") as file:  # noqa: PTH123
            fields = file.read().split()
        return (int(fields[1]) - int(fields[2])) * PAGE_BYTES
    except (OSError, ValueError, IndexError):
        return 0


def measure_folder(folder: str) -> int:
    """Return the bytes that a folder takes on disk; links are not followed."""
    total = 0
    folders = [folder]
    while folders:
        try:
            entries = list(os.scandir(folders.pop()))
        except OSError:
            continue
        for entry in entries:
            try:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                else:
                    total += entry.stat(follow_symlinks=False).st_blocks * 512
            except OSError:
                continue  # it has just been removed
    return total
