"""Starts the test process, waits for it, and leaves nothing of it behind.

Run by `python -I -S -c … LIFELINE STATUS SPEC`, all three being inherited file descriptors. SPEC holds one JSON object:
{command: [text], environment: {name: value}, user: {uid, gid, name} | null, limits: {memory_bytes, cpu_seconds,
processes, open_files, file_bytes, disk_bytes: each a number or null}, folders: [those whose contents count], own: [those that
the process user makes]}.
The environment is the command's alone: variables such as LD_PRELOAD must not reach this process, which may be root.

Playwright gives each browser a session of its own, so killing the process group of the tests does not reach it. This
process is the subreaper of all that the tests start: whatever loses its parent becomes its child, so that killing its
children until none is left reaches everything, by identity and not by name. It does so when the tests end, when they take more
than they may, and when LIFELINE closes, which is how the worker cancels and what happens by itself when the worker dies. A line
on LIFELINE is JSON too: a list of further folders whose contents count.

On STATUS it writes one JSON line: {"exit": code | null, "signal": number | null, "bound": {"name", "limit", "found"} | null}.
"""

from __future__ import annotations

import json
import os
import select
import signal
from typing import Any

from .starting import LINUX, PR_SET_CHILD_SUBREAPER, prctl, start_command
from .watching import Watch, read_processes


def main(arguments: list[str]) -> int:
    """Run the command to its end or until the lifeline closes; always 0, since the status line carries the outcome."""
    lifeline, status, source = map(int, arguments)
    with os.fdopen(source, "rb") as file:
        spec = json.loads(file.read())
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    child = os.fork()
    if child == 0:
        start_command(spec, (lifeline, status))
    close_others(keep=(lifeline, status, wake_read, wake_write))
    watch = Watch(spec["limits"], spec["folders"], spec["user"])
    ended, bound = attend(child, lifeline, wake_read, watch)
    if ended is None and not LINUX:
        os.killpg(child, signal.SIGKILL)
    killed = kill_children(child)
    code = killed if ended is None else ended
    report = {
        "exit": os.WEXITSTATUS(code) if os.WIFEXITED(code) else None,
        "signal": os.WTERMSIG(code) if os.WIFSIGNALED(code) else None,
        "bound": bound,
    }
    os.write(status, json.dumps(report).encode() + b"\n")
    return 0


def attend(child: int, lifeline: int, wake: int, watch: Watch) -> tuple[int | None, dict[str, Any] | None]:
    """Wait until the command ends, the lifeline closes, or a bound is exceeded; return the wait status and the bound, if any."""
    told = b""
    while True:
        readable, _, _ = select.select([lifeline, wake, *watch.descriptors], [], [], watch.wait())
        bound = None
        if set(watch.descriptors) & set(readable):
            bound = watch.measured()
        if wake in readable:
            os.read(wake, 4096)
            if (ended := reap(child)) is not None:
                return ended, None
        if lifeline in readable:
            data = os.read(lifeline, 65536)
            if not data:
                return None, None
            *lines, told = (told + data).split(b"\n")
            for line in lines:
                watch.add_folders(json.loads(line))
        if (bound := bound or watch.look()) is not None:
            return None, bound


def close_others(keep: tuple[int, ...]) -> None:
    """Close what the tests inherit, so that the worker sees those pipes end with the tests."""
    low = 3
    for descriptor in sorted(keep):
        os.closerange(low, descriptor)
        low = descriptor + 1
    os.closerange(low, os.sysconf("SC_OPEN_MAX"))


def reap(child: int) -> int | None:
    """Wait for whatever has ended; return the command's wait status once it has."""
    while True:
        try:
            pid, code = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return None
        if pid == 0:
            return None
        if pid == child:
            return code


def kill_children(child: int) -> int:
    """Kill and reap until no child is left: those of a killed process come here. Returns the command's wait status."""
    ended = 0
    while True:
        for pid in find_children():
            os.kill(pid, signal.SIGKILL)  # ours and not yet waited for, so the id cannot have gone to another
        try:
            pid, code = os.waitpid(-1, 0)
        except ChildProcessError:
            return ended
        if pid == child:
            ended = code


def find_children() -> list[int]:
    """Return the process ids of our children, from /proc; none where there is no such folder."""
    return [pid for pid, (parent, _) in read_processes().items() if parent == os.getpid()] if LINUX else []
