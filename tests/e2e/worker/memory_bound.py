"""A bound on memory by the kernel: a control group of our own."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path("/sys/fs/cgroup")


@contextmanager
def memory_bound(megabytes: int) -> Iterator[None]:
    """This process and whatever it starts may take so much more memory; beyond, the kernel kills the largest of them.

    The bound is raised to twice what this process has already, for else the kernel would choose this one, which the tests
    before have made large: what it took before is not counted against the bound, but it is when the largest is sought.

    Skips the test where no control group can be made, as in most containers and wherever one is not root.
    """
    parent, file, limit = _where()
    group = parent / f"wainwright-test-{uuid.uuid4()}"
    try:
        group.mkdir()
        (group / limit).write_text(str(max(megabytes * 1_048_576, 2 * _resident())))
    except OSError as error:
        if group.is_dir():
            group.rmdir()
        pytest.skip(f"no control group with a bound on memory can be made here: {error}")
    try:
        (group / file).write_text(str(os.getpid()))
        try:
            yield
        finally:
            (parent / file).write_text(str(os.getpid()))
    finally:
        group.rmdir()


def _resident() -> int:
    """Bytes of memory that this process has now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _where() -> tuple[Path, str, str]:
    """Our own group, the file that processes are put in by, and that of the bound; of version 1, else of version 2."""
    lines = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()]
    paths = {controllers: path.lstrip("/") for _, controllers, path in lines}
    if "memory" in paths:
        return ROOT / "memory" / paths["memory"], "cgroup.procs", "memory.limit_in_bytes"
    return ROOT / paths.get("", ""), "cgroup.procs", "memory.max"
