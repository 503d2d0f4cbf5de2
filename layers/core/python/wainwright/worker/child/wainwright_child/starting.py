"""Prepares a new process before the command takes its place: another user, bounds, an end with ours."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
from typing import Any

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38
LINUX = sys.platform.startswith("linux")
CPU_GRACE_SECONDS = 5
"""From the signal that says that the CPU time is used up to the one that cannot be ignored."""
OOM_SCORE = 300
"""The kernel's choice when memory runs out: test code before the worker. Chromium gives its own renderers as much or more."""


def start_command(spec: dict[str, Any], closed: tuple[int, ...]) -> None:
    """In the forked child: a session of its own, the user and the bounds, then the command. Never returns."""
    command = spec["command"]
    try:
        parent = os.getppid()
        os.setsid()
        be_the_kernels_choice()
        set_limits(spec["limits"], own_user=spec["user"] is not None)
        become(spec["user"])
        for folder in spec["own"]:
            if not os.path.isdir(folder):  # noqa: PTH112 - pathlib would double the time to start
                os.mkdir(folder, 0o770)  # noqa: PTH102
        # After the change of users, which takes it back.
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        signal.set_wakeup_fd(-1)
        for descriptor in closed:
            os.close(descriptor)
        if os.getppid() == parent:
            os.execve(command[0], command, spec["environment"])  # noqa: S606 - the worker's own command line
    except OSError as error:
        os.write(2, f"cannot start {command[0]}: {error.strerror}\n".encode())
    finally:
        os._exit(127)


def become(user: dict[str, Any] | None) -> None:
    """Give up being root for good: no group of ours, no way back, nothing gained from programs that run as their owner."""
    if user is None:
        return
    os.setgroups([])
    os.setgid(user["gid"])
    os.setuid(user["uid"])
    os.umask(0o007)
    if LINUX:
        prctl(PR_SET_NO_NEW_PRIVS, 1)


def set_limits(limits: dict[str, int | None], *, own_user: bool) -> None:
    """Set bounds that the kernel watches. It counts processes by user, so that bound is for a user who has nothing else."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _limit(resource.RLIMIT_CPU, limits.get("cpu_seconds"), CPU_GRACE_SECONDS)
    _limit(resource.RLIMIT_NOFILE, limits.get("open_files"))
    _limit(resource.RLIMIT_FSIZE, limits.get("file_bytes"))
    if own_user:
        _limit(resource.RLIMIT_NPROC, limits.get("processes"))


def _limit(which: int, wanted: int | None, grace: int = 0) -> None:
    if wanted is None:
        return
    _, most = resource.getrlimit(which)
    infinite = most == resource.RLIM_INFINITY
    hard = wanted + grace if infinite else min(wanted + grace, most)
    resource.setrlimit(which, (min(wanted, hard), hard))


def be_the_kernels_choice() -> None:
    """Have the kernel end this process before the worker when memory runs out."""
    try:
        with open("/proc/self/oom_score_adj", "r+b", buffering=0) as file:  # noqa: PTH123
            if int(file.read()) < OOM_SCORE:
                file.write(str(OOM_SCORE).encode())
    except (OSError, ValueError):
        return  # not Linux, or it is not for us to say


def prctl(option: int, value: int) -> None:
    """Linux only; elsewhere the browsers' own watch over their pipe has to do."""
    if LINUX:
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)
