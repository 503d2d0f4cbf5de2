"""Supervises a suite's test process to its end: reads its records, and stops, expires, cancels or kills it."""

from __future__ import annotations

import os
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from wainwright.worker.runners.suite import StopRequest, SuiteEnd, SuiteRequest
from wainwright.worker.runners.suite_session import Session
from wainwright.worker.sandbox.bounds import oom_kills
from wainwright.worker.sandbox.environment import PrivateFolders
from wainwright.worker.sandbox.process import SuiteProcess
from wainwright.worker.sandbox.spares import Spare

POLL_SECONDS = 0.1
"""Between two looks at a stop or the deadline while the child is silent."""
PYTEST_ARGUMENTS = 3
"""Of a command `python -m pytest …`, where the arguments begin: all that a spare is given of it."""
EXPIRY_GRACE_SECONDS = 15.0
"""After the deadline: for the running test to be ended and its trace to be written, before everything is killed."""
CANCEL_GRACE_SECONDS = 3.0
"""The same after a cancel: it takes half a second, on a machine that has nothing else to do."""


@dataclass(frozen=True)
class Child:
    """Absolute program, arguments and whole environment. `counted` are further folders that it may fill."""

    command: list[str]
    environment: Mapping[str, str]
    counted: tuple[Path, ...] = ()


@dataclass
class SupervisedRun(ABC):
    """One run of one suite in a child process: the `spare`, or a new one. `grace` is the time after the deadline, in seconds."""

    request: SuiteRequest
    session: Session
    stop: StopRequest
    grace: float
    place: PrivateFolders
    spare: Spare | None = field(default=None, kw_only=True)
    _expired_at: float | None = field(default=None, init=False)
    _told_to_stop: bool = field(default=False, init=False)
    _canceled_at: float | None = field(default=None, init=False)

    @abstractmethod
    def prepare(self, events_fd: int, control_fd: int) -> Child:
        """Write what the child reads, and return how to start it. It inherits the descriptors under these numbers."""

    def attend(self, control: int) -> float:
        """Called after each reading; return how long to wait for the next lines, in seconds."""
        return POLL_SECONDS

    def run(self) -> SuiteEnd:
        """Start, read to the end, and return how it ended."""
        kills_before = oom_kills()
        with self._started() as (process, control):
            self._read(process, control)
            status = process.exit_status()
            dropped = process.dropped
        self.session.collect_interrupted()
        kills = oom_kills()
        counted = None if kills is None or kills_before is None else kills - kills_before
        return self.session.end(status, self._ended_by_us(), dropped, counted)

    @contextmanager
    def _started(self) -> Iterator[tuple[SuiteProcess, int]]:
        """Give the running process, which is the spare or a new one, and the descriptor for lines to it."""
        request = self.request
        if self.spare is not None:
            child = self.prepare(*self.spare.descriptors)
            arguments = child.command[PYTEST_ARGUMENTS:]
            self.spare.give(arguments, self._variables(child), request.folder, request.output)
            yield self.spare.process, self.spare.control
            return
        events_read, events_write = os.pipe()
        control_read, control_write = os.pipe()
        try:
            try:
                child = self.prepare(events_write, control_read)
                process = SuiteProcess(
                    *(child.command, request.folder, self._variables(child), events_write, control_read),
                    isolation=request.isolation,
                    folders=(request.folder, request.output, *child.counted, *self.place.own),
                    own=self.place.own,
                )
            finally:
                os.close(events_write)
                os.close(control_read)
            with process:
                process.watch_events(events_read)
                yield process, control_write
        finally:
            os.close(events_read)
            os.close(control_write)

    def _variables(self, child: Child) -> dict[str, str]:
        """Secrets are in the test process's environment alone; what it needs to run at all wins over any of them."""
        return {**self.request.isolation.user_names, **self.request.secrets, **child.environment}

    def _ended_by_us(self) -> str | None:
        if self.stop.mode == "cancel":
            return "canceled"
        if self._expired_at is not None:
            return "timed_out"
        return "stopped" if self._told_to_stop else None

    def _read(self, process: SuiteProcess, control: int) -> None:
        timeout_ms = self.request.timeout_ms
        deadline = None if timeout_ms is None else time.monotonic() + timeout_ms / 1000
        wait = POLL_SECONDS
        while process.running:
            for stream, line in process.read(wait):
                self.session.take(stream, line)
            wait = self.attend(control)
            now = time.monotonic()
            if self.stop.mode == "cancel" and self._canceled_at is None:
                self._canceled_at = now
                send_line(control, b"cancel\n")
            if _over(self._canceled_at, CANCEL_GRACE_SECONDS, now) or _over(self._expired_at, self.grace, now):
                process.kill()
            elif deadline is not None and now > deadline and self._expired_at is None:
                self._expired_at = now
                send_line(control, b"expire\n")
            elif self.stop.mode == "stop" and not self._told_to_stop:
                self._told_to_stop = True
                send_line(control, b"stop\n")


def _over(since: float | None, grace: float, now: float) -> bool:
    return since is not None and now >= since + grace


def send_line(control: int, line: bytes) -> None:
    """Write a line to the child, which may have ended."""
    try:
        os.write(control, line)
    except BrokenPipeError:
        return
