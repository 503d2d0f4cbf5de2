"""The child process: started under its supervisor, its pipes read as lines, killed with everything that it started."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, Self

from wainwright.domain.cuts import CUT_MARK
from wainwright.worker.sandbox.isolation import NOT_ISOLATED, Isolation

Stream = Literal["events", "stdout", "stderr", "status"]
MAX_LINE_BYTES = {"events": 4 * 1024 * 1024, "stdout": 8 * 1024, "stderr": 8 * 1024, "status": 4 * 1024}
"""A longer line of events is dropped and counted; a longer printed line is cut."""
CHUNK_BYTES = 64 * 1024
_CUT = CUT_MARK.encode()
KILL_GRACE_SECONDS = 10.0
"""For the supervisor to kill and reap; a process that the kernel cannot end must not hold the worker for ever."""
SUPERVISOR = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); "
    "from wainwright_child.supervisor import main; sys.exit(main(sys.argv[1:]))"
)
CHILD_PATH = Path(__file__).parents[1] / "child"


class LineSplitter:
    """Cuts a byte stream into lines without ever holding more than `limit` bytes of one."""

    def __init__(self, limit: int, keep_start: bool) -> None:
        self._limit = limit
        self._keep_start = keep_start
        self._pending = bytearray()
        self._overlong = False
        self.dropped = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the lines completed by these bytes, without their ends."""
        *complete, rest = data.split(b"\n")
        for piece in complete:
            self._extend(piece)
            yield from self.end()
        self._extend(rest)

    def end(self) -> Iterator[bytes]:
        """Yield the line so far, as if it had ended here."""
        line, overlong = bytes(self._pending), self._overlong
        self._pending.clear()
        self._overlong = False
        if overlong and not self._keep_start:
            self.dropped += 1
        elif line:
            yield line[: self._limit - len(_CUT)] + _CUT if overlong else line

    def _extend(self, piece: bytes) -> None:
        left = self._limit - len(self._pending)
        self._overlong = self._overlong or len(piece) > left
        self._pending += piece[:left]


@dataclass(frozen=True)
class Exceeded:
    """A bound on what all processes of a suite take together: memory and disk in bytes, processes in threads."""

    name: str
    limit: int
    found: int


@dataclass(frozen=True)
class ExitStatus:
    """End of the test process; `exit_code` is None when `signal` killed it. `bound` is the one that it exceeded, if any."""

    exit_code: int | None
    signal: int | None
    bound: Exceeded | None = None


class SuiteProcess:
    """A running test process. Use as a context manager: nothing that it started outlives the block."""

    def __init__(
        self,
        command: list[str],
        folder: Path,
        environment: Mapping[str, str],
        *inherited: int,
        isolation: Isolation = NOT_ISOLATED,
        folders: Iterable[Path] = (),
        own: Iterable[Path] = (),
    ) -> None:
        """Start it. Of what it takes on disk the contents of ``folders`` count; the process user makes those in ``own``."""
        lifeline, self._lifeline = os.pipe()
        status, status_write = os.pipe()
        source, source_write = os.pipe()
        numbers = (str(lifeline), str(status_write), str(source))
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", SUPERVISOR, str(CHILD_PATH), *numbers],
                cwd=folder,
                env={},  # of what the tests are given nothing may reach the supervisor, which may be root
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=(lifeline, status_write, source, *inherited),
                start_new_session=True,
            )
        except BaseException:
            os.close(source_write)
            raise
        finally:
            for descriptor in (lifeline, status_write, source):
                os.close(descriptor)
        spec = {
            "command": command,
            "environment": dict(environment),
            "user": asdict(isolation.user) if isolation.user else None,
            "limits": asdict(isolation.bounds),
            "folders": [str(folder) for folder in folders],
            "own": [str(folder) for folder in own],
        }
        # A supervisor that has ended already is found out by its pipes.
        with suppress(BrokenPipeError), os.fdopen(source_write, "wb") as pipe:
            pipe.write(json.dumps(spec).encode())
        self._status = os.fdopen(status, "rb", buffering=0)
        self._status_line: bytes | None = None
        self._killed_at: float | None = None
        self._selector = selectors.DefaultSelector()
        self._splitters: dict[Stream, LineSplitter] = {}
        if self._process.stdout is not None and self._process.stderr is not None:  # always so, since PIPE was asked for
            self._register("stdout", self._process.stdout.fileno())
            self._register("stderr", self._process.stderr.fileno())
        self._register("status", self._status.fileno())

    def watch_events(self, descriptor: int) -> None:
        """Read the worker's end of the event pipe as well."""
        self._register("events", descriptor)

    def _register(self, stream: Stream, descriptor: int) -> None:
        os.set_blocking(descriptor, False)
        self._splitters[stream] = LineSplitter(MAX_LINE_BYTES[stream], keep_start=stream in ("stdout", "stderr"))
        self._selector.register(descriptor, selectors.EVENT_READ, stream)

    @property
    def dropped(self) -> int:
        """Event lines that were too long to be read."""
        return self._splitters["events"].dropped if "events" in self._splitters else 0

    @property
    def running(self) -> bool:
        """True while anything can still arrive."""
        if self._killed_at is not None and time.monotonic() > self._killed_at + KILL_GRACE_SECONDS:
            return False
        return bool(self._selector.get_map())

    @property
    def pid(self) -> int:
        """Process id of the supervisor, below which all others are."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        """True once the tests have ended, though not everything of theirs may have been read."""
        return self._status_line is not None or self._process.poll() is not None

    def read(self, timeout: float) -> list[tuple[Stream, bytes]]:
        """Return the lines that arrive within `timeout` seconds, as soon as there are any."""
        lines: list[tuple[Stream, bytes]] = []
        for key, _ in self._selector.select(timeout):
            stream: Stream = key.data
            data = os.read(key.fd, CHUNK_BYTES)
            splitter = self._splitters[stream]
            lines += [(stream, line) for line in (splitter.feed(data) if data else splitter.end())]
            if not data:
                self._selector.unregister(key.fd)
        for stream, line in lines:
            if stream == "status":
                self._status_line = line
        return [(stream, line) for stream, line in lines if stream != "status"]

    def count(self, *folders: Path) -> None:
        """Count what lies in these folders as well."""
        with suppress(BrokenPipeError):  # it has ended, which is read elsewhere
            os.write(self._lifeline, json.dumps(list(map(str, folders))).encode() + b"\n")

    def kill(self) -> None:
        """Kill the tests and all that they started, now. May be called again."""
        if self._killed_at is None:
            self._killed_at = time.monotonic()
            os.close(self._lifeline)

    def exit_status(self) -> ExitStatus:
        """Return how it ended; call when it runs no more. Of a supervisor that was killed itself, its own end."""
        if self._status_line is not None:
            report = json.loads(self._status_line)
            bound = Exceeded(**report["bound"]) if report["bound"] else None
            return ExitStatus(report["exit"], report["signal"], bound)
        code = self._process.wait(KILL_GRACE_SECONDS)
        return ExitStatus(None, -code) if code < 0 else ExitStatus(code, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Kill everything, and release what was held for it."""
        self.kill()
        try:
            self._process.wait(KILL_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        finally:
            self._selector.close()
            for pipe in (self._process.stdout, self._process.stderr, self._status):
                if pipe is not None:
                    pipe.close()
