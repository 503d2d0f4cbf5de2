"""The shutdown signal."""

import threading


class ShutdownSignal:
    """Requested once, by a signal: the worker takes nothing more and hands back what it has."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def request(self) -> None:
        """Ask the worker to shut down."""
        self._event.set()

    @property
    def requested(self) -> bool:
        """True once it was requested."""
        return self._event.is_set()
