"""A suite's web servers, run once for all lanes of a job on one machine.

A lane that runs batches would start its suite's servers with each batch, and end them with it. Two lanes on one machine cannot
both have a server at one port, and neither may end one while the other's tests run. So the first lane there serves: from its
first batch on, until it has no more to do and no batch of another lane runs. Should others go on after that, one of them serves.
Which one it is, is told by locks on files, which end with the process that holds them.
"""

import fcntl
import hashlib
import logging
import os
import stat
import tempfile
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from wainwright.worker.runners.suite import Serve, StopRequest

LOOK_SECONDS = 0.1
END_SECONDS = 15.0
"""For servers to end as the suite's configuration has it, before they are killed."""

log = logging.getLogger(__name__)


class LaneServers:
    """One lane's share in the servers of a job. Use as a context manager around all of its batches."""

    def __init__(self, job_id: str, stop: StopRequest, folder: Path | None = None) -> None:
        """``folder`` is the same for all workers of a machine, and of nobody else."""
        self._folder = folder or Path(tempfile.gettempdir()) / f"wainwright-lanes-{os.getuid()}"
        self._name = hashlib.sha256(job_id.encode()).hexdigest()[:32]
        self._stop = stop
        self._users: int | None = None
        self._turn: int | None = None
        self._server: _Server | None = None

    def reach(self, serve: Serve, seconds: float | None = None) -> bool:
        """Wait until servers can be reached that stay until :meth:`let_go`; start them if no other lane has. False where there
        will be none: a lane's batch then does as its configuration says.
        """
        deadline = None if seconds is None else time.monotonic() + seconds
        try:
            while self._stop.mode == "run" and (deadline is None or time.monotonic() < deadline):
                if (answer := self._look(serve)) is not None:
                    return answer
                time.sleep(LOOK_SECONDS)
        except OSError:
            log.warning("lanes on this machine cannot share their servers", exc_info=True)
        return False

    def let_go(self) -> None:
        """The batch has ended: from here on this lane has no need of servers."""
        if self._users is not None:
            os.close(self._users)
            self._users = None

    def _look(self, serve: Serve) -> bool | None:
        """Return True if there are servers, False if there are none; None while that is not known."""
        if self._server is not None:
            if self._server.state is False:
                self._give_up_turn()  # let another lane try, which finds the same, or does better
            return None if self._server.state == "begun" else self._server.state
        if self._users is None:
            self._users = self._locked("users", fcntl.LOCK_SH)
        if self._users is None:
            return None  # those who serve are about to end
        turn = self._locked("turn", fcntl.LOCK_EX)
        if turn is None:
            return True if self._ready.exists() else None
        self._ready.unlink(missing_ok=True)  # of one that died
        self._turn, self._server = turn, _Server(serve, self._ready)
        return None

    @property
    def _ready(self) -> Path:
        return self._folder / f"{self._name}.ready"

    def _locked(self, kind: str, how: int) -> int | None:
        """An open file with the lock; None if another has it."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        found = self._folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
            raise PermissionError(f"{self._folder} is not a folder of this user alone")
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        file = os.open(self._folder / f"{self._name}.{kind}", flags, 0o600)
        try:
            fcntl.flock(file, how | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return None
        return file

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """A lane that serves ends its servers, once no batch of another needs them; at once, if it is to end at once."""
        self.let_go()
        if self._server is not None:
            alone = None
            while error is None and self._stop.mode != "cancel" and self._server.state is True:
                if (alone := self._locked("users", fcntl.LOCK_EX)) is not None:
                    break  # from here on nobody else comes
                time.sleep(LOOK_SECONDS)
            self._server.end(at_once=self._stop.mode == "cancel")
            self._give_up_turn()  # before others look for it
            if alone is not None:
                os.close(alone)
        self._give_up_turn()

    def _give_up_turn(self) -> None:
        if self._turn is not None:
            os.close(self._turn)
            self._turn = None


class _Server:
    """A thread in which servers run; their ``StopRequest``. ``state`` is whether they can be reached, once that is known."""

    def __init__(self, serve: Serve, ready: Path) -> None:
        self.state: bool | Literal["begun"] = "begun"
        self.mode: Literal["run", "stop", "cancel"] = "run"
        self._serve = serve
        self._ready = ready
        self._thread = threading.Thread(target=self._run, name="servers", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._serve(self, self._reached)
        except Exception:
            log.exception("the servers of a suite's lanes ended")
        self.state = False
        self._ready.unlink(missing_ok=True)

    def _reached(self) -> None:
        self._ready.touch()
        self.state = True

    def end(self, *, at_once: bool) -> None:
        """End them in good order, or after a while by force, and wait until they are gone."""
        if not at_once:
            self.mode = "stop"
            self._thread.join(END_SECONDS)
        self.mode = "cancel"
        self._thread.join()
