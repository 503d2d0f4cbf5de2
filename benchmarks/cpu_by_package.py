"""CPU time of a process by package and by thread: a sampler over the stacks of all its threads.

Every few milliseconds each thread's CPU clock says how much it has used since the sample before; half of that goes to the
package it was in then and half to the one it is in now. A sample is in the innermost package of those that are named here, so
that ``json`` called by moto counts as moto's. What threads used that ended between two samples is known only as a sum, from the
clock of the process: shares are of what was seen.
"""

from __future__ import annotations

import re
import sys
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

INTERVAL_SECONDS = 0.001
SWITCH_SECONDS = 0.0001
"""Seconds for which a thread may keep the interpreter while the sampler waits: Python's default is longer than the interval."""

OURS, LOCAL, MOTO, BOTO, OTHER = (
    "wainwright and functions", "wainwright.local", "moto", "botocore, boto3", "all else",
)  # fmt: skip
GROUPS = (OURS, LOCAL, MOTO, BOTO, OTHER)
WAITING = {
    "Condition.wait", "Event.wait", "Thread._wait_for_tstate_lock", "EpollSelector.select", "_PollLikeSelector.select",
    "SocketIO.readinto", "SafeDynamoDB._request", "SafeSQS._receive", "SafeSQS._locked",
}  # fmt: skip
"""Functions that are innermost only while their thread waits, for a lock or for data."""

_NAMED = {"wainwright": OURS, "functions": OURS, "moto": MOTO, "botocore": BOTO, "boto3": BOTO, "s3transfer": BOTO}
_NUMBER = re.compile(r"-\d+")
_FUNCTION = re.compile(r"Functions(\w+?)Handler[0-9A-F]{0,8}\b")
_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass
class Profile:
    """CPU seconds: of the process without the sampler, and of what was seen by group, thread and place in the code."""

    cpu: float = 0.0
    wall: float = 0.0
    samples: int = 0
    groups: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    threads: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    modules: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    places: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    def to_json(self, most: int = 60) -> dict[str, Any]:
        """The profile with its ``most`` expensive places."""
        return {
            "cpu": round(self.cpu, 4), "wall": round(self.wall, 4), "samples": self.samples,
            "groups": _largest(self.groups), "threads": _largest(self.threads),
            "modules": _largest(self.modules, most), "places": _largest(self.places, most),
        }  # fmt: skip


def _largest(used: dict[str, float], most: int | None = None) -> dict[str, float]:
    ordered = sorted(used.items(), key=lambda each: -each[1])
    return {name: round(seconds, 4) for name, seconds in ordered[:most]}


@dataclass
class _Seen:
    cpu: float
    group: str
    module: str
    place: str
    waits: bool


class Sampler:
    """Samples this process between :meth:`start` and :meth:`stop`. Only Linux tells of one thread's clock to another."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._profile = Profile()
        self._before: dict[int, _Seen] = {}
        self._own_cpu = 0.0

    def start(self) -> None:
        """Begin."""
        self._switch = sys.getswitchinterval()
        sys.setswitchinterval(SWITCH_SECONDS)
        self._began = time.monotonic(), time.process_time()
        # What was used before is nobody's in this profile.
        self._sample(count=False)
        self._thread = threading.Thread(target=self._loop, name="sampler", daemon=True)
        self._thread.start()

    def stop(self) -> Profile:
        """End; what was found."""
        self._stopping.set()
        self._thread.join()
        sys.setswitchinterval(self._switch)
        wall, cpu = self._began
        self._profile.wall = time.monotonic() - wall
        self._profile.cpu = time.process_time() - cpu - self._own_cpu
        return self._profile

    def _loop(self) -> None:
        while not self._stopping.wait(INTERVAL_SECONDS):
            self._sample(count=True)
        self._own_cpu = time.thread_time()

    def _sample(self, *, count: bool) -> None:
        names = {thread.ident: thread for thread in threading.enumerate()}
        own = threading.get_ident() if count else None  # the first one is not taken by the sampler's own thread
        now: dict[int, _Seen] = {}
        for ident, frame in sys._current_frames().items():  # noqa: SLF001 - the one way to see other threads
            thread = names.get(ident)
            if ident == own or thread is None or thread.native_id is None:
                continue
            try:
                cpu = time.clock_gettime(_clock_of(thread.native_id))
            except OSError:
                continue  # it has just ended
            before = self._before.get(thread.native_id)
            if before is not None and before.cpu == cpu:
                now[thread.native_id] = before  # it waits
                continue
            seen = _Seen(cpu, *_where(frame))
            now[thread.native_id] = seen
            if count:
                self._add(thread.name, before, seen)
        self._before = now
        self._profile.samples += count

    def _add(self, thread: str, before: _Seen | None, seen: _Seen) -> None:
        used = seen.cpu - (before.cpu if before else 0.0)
        parts = [part for part in (before, seen) if part is not None and not part.waits]
        for part in parts:
            share = used / len(parts)
            self._profile.groups[part.group] += share
            self._profile.modules[part.module] += share
            self._profile.places[part.place] += share
        self._profile.threads[plain_name(_NUMBER.sub("", thread))] += used


def plain_name(name: str) -> str:
    """Functions by their folders, instead of by their names in the template: ``lambda-dispatch_jobs``."""
    return _FUNCTION.sub(lambda match: _CAPITAL.sub("_", match[1]).lower(), name)


def _clock_of(native_id: int) -> int:
    """The kernel's number for a thread's CPU clock. Unlike ``pthread_getcpuclockid`` it may be asked of a dead thread."""
    return (~native_id << 3) | 6


def _where(frame: FrameType) -> tuple[str, str, str, bool]:
    """The group; module and function of the innermost frame that belongs to it; and whether the thread waits."""
    waits = frame.f_code.co_qualname in WAITING
    current: FrameType | None = frame
    while current is not None:
        module = current.f_globals.get("__name__", "")
        group = LOCAL if module.startswith("wainwright.local") else _NAMED.get(module.partition(".")[0])
        if group is not None:
            return group, ".".join(module.split(".")[:5]), f"{module}.{current.f_code.co_qualname}", waits
        current = current.f_back
    module = frame.f_globals.get("__name__", "")
    return OTHER, module.partition(".")[0], f"{module}.{frame.f_code.co_qualname}", waits
