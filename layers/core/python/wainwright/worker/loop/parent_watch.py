"""A worker that runs as a process on one machine ends with the server that started it."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Mapping

PARENT_FD = "WAINWRIGHT_PARENT_FD"
"""Names the inherited end of a pipe whose other end the server holds for as long as it lives."""


def watch_parent(environment: Mapping[str, str]) -> bool:
    """End this process and its group when the server is gone, however it went; False if there is no server to watch.

    There is nothing to tidy up then: the endpoint that a checkpoint or an outcome would go to is gone as well, and the
    next server hands the work out anew.
    """
    if PARENT_FD not in environment:
        return False
    fd = int(environment[PARENT_FD])
    os.set_inheritable(fd, False)
    threading.Thread(target=_end_with, args=(fd,), name="watch-parent", daemon=True).start()
    return True


def _end_with(fd: int) -> None:
    while os.read(fd, 1):
        pass
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpgrp(), signal.SIGKILL)
    os._exit(1)
