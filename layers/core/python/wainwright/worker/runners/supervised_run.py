"""Runs a suite's test process to its end, whichever runner it is: reads what it says, tells it to stop or that its time is
up, and kills what does not end.
"""

from __future__ import annotations

import os
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from wainwright.worker.runners.suite import StopRequest, SuiteEnd, SuiteRequest
from wainwright.worker.runners.suite_session import Session
from wainwright.worker.sandbox.bounds import oom_kills
from wainwright.worker.sandbox.process import SuiteProcess
from wainwright.worker.sandbox.spares import Spare

POLL_SECONDS = 0.1
"""How often a stop or the deadline is looked at while the child is silent."""
PYTEST_ARGUMENTS = 3
"""Of a command `python -m pytest …`, where the arguments begin: all that a spare is given of it."""
EXPIRY_GRACE_SECONDS = 15.0
"""After the deadline: for the running test to be ended and its trace to be written, before everything is killed."""
CANCEL_GRACE_SECONDS = 3.0
"""As long after a cancel: it takes half a second, on a machine that has nothing else to do."""


@dataclass(frozen=True)
class Child:
    """What is started: an absolute program with its arguments, and its whole environment. `own` are folders that it makes, and
    `counted` others that it may fill.
    """

    command: list[str]
    environment: Mapping[str, str]
    own: tuple[Path, ...] = ()
    counted: tuple[Path, ...] = ()


class SupervisedRun(ABC):
    """One run of one suite in a child process.

    ``cancel_grace``: seconds after a cancel for the running test to be ended and its evidence to be written, before everything
    is killed; none where the runner cannot be told.
    """

    cancel_grace = 0.0

    def __init__(
        self,
        request: SuiteRequest,
        session: Session,
        stop: StopRequest,
        grace: float = EXPIRY_GRACE_SECONDS,
        spare: Spare | None = None,
    ) -> None:
        self._request = request
        self._session = session
        self._stop = stop
        self._grace = grace
        self._spare = spare
        self._expired_at: float | None = None
        self._told_to_stop = False
        self._canceled_at: float | None = None

    @abstractmethod
    def prepare(self, events_fd: int, control_fd: int) -> Child:
        """Write what the child reads, and say how it is started. It inherits the descriptors under these numbers."""

    def attend(self, control: int) -> float:
        """Called after each reading; returns how long to wait for the next lines, in seconds."""
        return POLL_SECONDS

    def look_at_remains(self) -> None:  # noqa: B027 - not every runner leaves anything to be looked at
        """Called when every process has ended: for what a test left that was running then."""

    def run(self) -> SuiteEnd:
        """Start, read to the end, and say how it ended."""
        kills_before = oom_kills()
        with self._started() as (process, control):
            self._read(process, control)
            status = process.exit_status()
            dropped = process.dropped
        self.look_at_remains()
        kills = oom_kills()
        counted = None if kills is None or kills_before is None else kills - kills_before
        return self._session.end(status, self._ended_by_us(), dropped, counted)

    @contextmanager
    def _started(self) -> Iterator[tuple[SuiteProcess, int]]:
        """The running process, and where to tell it something: the spare, or a new one."""
        if self._spare is not None:
            child = self.prepare(*self._spare.descriptors)
            self._spare.give(
                child.command[PYTEST_ARGUMENTS:], self._variables(child), self._request.folder, self._request.output
            )
            yield self._spare.process, self._spare.control
            return
        events_read, events_write = os.pipe()
        control_read, control_write = os.pipe()
        try:
            with _Closing(events_write, control_read):
                child = self.prepare(events_write, control_read)
                process = SuiteProcess(
                    *(child.command, self._request.folder, self._variables(child), events_write, control_read),
                    isolation=self._request.isolation,
                    folders=(self._request.folder, self._request.output, *child.counted, *child.own),
                    own=child.own,
                )
            with process:
                process.watch_events(events_read)
                yield process, control_write
        finally:
            os.close(events_read)
            os.close(control_write)

    def _variables(self, child: Child) -> dict[str, str]:
        """Secrets are in the test process's environment alone; what it needs to run at all wins over any of them."""
        return {**self._names(), **self._request.secrets, **child.environment}

    def _names(self) -> dict[str, str]:
        """For programs that ask who they are, where the user may have no account."""
        user = self._request.isolation.user
        return {"USER": user.name, "LOGNAME": user.name} if user else {}

    def _ended_by_us(self) -> str | None:
        if self._stop.mode == "cancel":
            return "canceled"
        if self._expired_at is not None:
            return "timed_out"
        return "stopped" if self._told_to_stop else None

    def _read(self, process: SuiteProcess, control: int) -> None:
        timeout_ms = self._request.timeout_ms
        deadline = None if timeout_ms is None else time.monotonic() + timeout_ms / 1000
        wait = POLL_SECONDS
        while process.running:
            for stream, line in process.read(wait):
                self._session.take(stream, line)
            wait = self.attend(control)
            now = time.monotonic()
            if self._stop.mode == "cancel" and self._canceled_at is None:
                self._canceled_at = now
                if self.cancel_grace:
                    tell(control, b"cancel\n")
            if _over(self._canceled_at, self.cancel_grace, now) or _over(self._expired_at, self._grace, now):
                process.kill()
            elif deadline is not None and now > deadline and self._expired_at is None:
                self._expired_at = now
                tell(control, b"expire\n")
            elif self._stop.mode == "stop" and not self._told_to_stop:
                self._told_to_stop = True
                tell(control, b"stop\n")


def _over(since: float | None, grace: float, now: float) -> bool:
    return since is not None and now >= since + grace


class _Closing:
    """Closes our copies of descriptors that a child has inherited, also when it could not be started."""

    def __init__(self, *descriptors: int) -> None:
        self._descriptors = descriptors

    def __enter__(self) -> None:
        """Nothing."""

    def __exit__(self, *_exception: object) -> None:
        for descriptor in self._descriptors:
            os.close(descriptor)


def tell(control: int, line: bytes) -> None:
    """Write a line to the child, which may have ended."""
    try:
        os.write(control, line)
    except BrokenPipeError:
        return
