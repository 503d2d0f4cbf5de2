"""How often the kernel has killed a process of our control group for want of memory."""

from __future__ import annotations

from pathlib import Path


def oom_kills(root: Path = Path("/")) -> int | None:
    """The kernel's counter, of control groups version 2 or 1; None where it cannot be read. `root` is for tests."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        _, controllers, path = line.split(":", 2)
        relative = path.lstrip("/")
        if controllers == "memory":
            candidates = [
                f"sys/fs/cgroup/memory/{relative}/memory.oom_control",
                "sys/fs/cgroup/memory/memory.oom_control",
            ]
        elif controllers == "":
            candidates = [f"sys/fs/cgroup/{relative}/memory.events", "sys/fs/cgroup/memory.events"]
        else:
            continue
        for candidate in candidates:
            if (count := _counter(root / candidate)) is not None:
                return count
    return None


def _counter(path: Path) -> int | None:
    try:
        fields = dict(line.split(" ", 1) for line in path.read_text().splitlines() if " " in line)
        return int(fields["oom_kill"])
    except (OSError, KeyError, ValueError):
        return None
