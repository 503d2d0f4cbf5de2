"""Starts the test process, waits for it, and leaves nothing of it behind.

Run as a script: `python -I -S supervisor.py LIFELINE STATUS COMMAND…`, LIFELINE and STATUS being inherited file
descriptors.

Playwright gives each browser a session of its own, so killing the process group of the tests does not reach it. This
process is the subreaper of all that the tests start: whatever loses its parent becomes its child, so that killing its
children until none is left reaches everything, by identity and not by name. It does so when the tests end, and when
LIFELINE closes, which is how the worker cancels and what happens by itself when the worker dies.

On STATUS it writes one JSON line: {"exit": code | null, "signal": number | null, "maxRssBytes": n, "leftovers": n}.
"""

import ctypes
import json
import os
import select
import signal
import sys

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
PR_SET_CHILD_SUBREAPER = 36
LINUX = sys.platform.startswith("linux")


def main(arguments: list[str]) -> int:
    """Run the command to its end or until the lifeline closes; always 0, since the status line carries the outcome."""
    lifeline, status, command = int(arguments[0]), int(arguments[1]), arguments[2:]
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    child = os.fork()
    if child == 0:
        start_command(command, (lifeline, status))
    close_others(keep=(lifeline, status, wake_read, wake_write))
    ended = None
    while ended is None:
        readable, _, _ = select.select([lifeline, wake_read], [], [])
        if lifeline in readable:
            break
        os.read(wake_read, 4096)
        ended = reap(child)
    if ended is None and not LINUX:
        os.killpg(child, signal.SIGKILL)
    leftovers, ended_now = kill_children(child)
    code, rss = ended or ended_now
    report = {
        "exit": os.WEXITSTATUS(code) if os.WIFEXITED(code) else None,
        "signal": os.WTERMSIG(code) if os.WIFSIGNALED(code) else None,
        "maxRssBytes": rss * (1 if sys.platform == "darwin" else 1024),  # ru_maxrss is in KiB on Linux, bytes on macOS
        "leftovers": leftovers,
    }
    os.write(status, json.dumps(report).encode() + b"\n")
    return 0


def start_command(command: list[str], closed: tuple[int, ...]) -> None:
    """In the forked child: a session of its own, death with the supervisor, then the command. Never returns."""
    try:
        parent = os.getppid()
        os.setsid()
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        signal.set_wakeup_fd(-1)
        for descriptor in closed:
            os.close(descriptor)
        if os.getppid() == parent:
            os.execv(command[0], command)  # noqa: S606 - the worker's own command line
    except OSError as error:
        os.write(2, f"cannot start {command[0]}: {error.strerror}\n".encode())
    finally:
        os._exit(127)


def close_others(keep: tuple[int, ...]) -> None:
    """Close what the tests inherit, so that the worker sees those pipes end with the tests."""
    low = 3
    for descriptor in sorted(keep):
        os.closerange(low, descriptor)
        low = descriptor + 1
    os.closerange(low, os.sysconf("SC_OPEN_MAX"))


def reap(child: int) -> tuple[int, int] | None:
    """Wait for whatever has ended. The command's (wait status, peak memory of it and what it waited for) once it
    has.
    """
    while True:
        try:
            pid, code, usage = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            return None
        if pid == 0:
            return None
        if pid == child:
            return code, usage.ru_maxrss


def kill_children(child: int) -> tuple[int, tuple[int, int]]:
    """Kill and reap until no child is left: those of a killed process come here. Returns how many there were besides
    the command.
    """
    killed: set[int] = set()
    ended = (0, 0)
    while True:
        for pid in children():
            os.kill(pid, signal.SIGKILL)  # ours and not yet waited for, so the id cannot have gone to another
            killed.add(pid)
        try:
            pid, code, usage = os.wait4(-1, 0)
        except ChildProcessError:
            return len(killed - {child}), ended
        if pid == child:
            ended = (code, usage.ru_maxrss)


def children() -> set[int]:
    """Process ids of our children, from /proc; empty where there is none."""
    found: set[int] = set()
    if not LINUX:
        return found
    for name in os.listdir("/proc"):  # noqa: PTH208 - pathlib would double the time to start
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:  # noqa: PTH123
                    # The command's name is in parentheses and may itself hold any character, parentheses too.
                    parent = int(file.read().rpartition(b")")[2].split()[1])
            except (OSError, ValueError, IndexError):
                continue  # ended meanwhile
            if parent == os.getpid():
                found.add(int(name))
    return found


def prctl(option: int, value: int) -> None:
    """Linux only; elsewhere the browsers' own watch over their pipe has to do."""
    if LINUX:
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
