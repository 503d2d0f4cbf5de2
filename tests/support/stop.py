"""A stop that tests ask for."""

import threading
from typing import Literal


class Stop:
    """A thread-safe `StopRequest`. A cancel outranks a stop and cannot be taken back."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._cancel = threading.Event()

    def stop(self) -> None:
        """Ask to finish the current test and run no other."""
        self._stop.set()

    def cancel(self) -> None:
        """Ask to kill the suite at once."""
        self._cancel.set()

    @property
    def mode(self) -> Literal["run", "stop", "cancel"]:
        if self._cancel.is_set():
            return "cancel"
        return "stop" if self._stop.is_set() else "run"
