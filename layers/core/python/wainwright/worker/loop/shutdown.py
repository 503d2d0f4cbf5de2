"""Being told to go."""

import threading


class Going:
    """Set once, by a signal: the worker takes nothing more and hands back what it has."""

    def __init__(self) -> None:
        self._told = threading.Event()

    def tell(self) -> None:
        """Tell the worker to go."""
        self._told.set()

    @property
    def told(self) -> bool:
        """Whether it was told."""
        return self._told.is_set()
