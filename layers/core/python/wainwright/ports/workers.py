"""Rows of workers, and what starts them."""

from collections.abc import Sequence
from typing import Protocol

from wainwright.domain.workers import WorkerRecord


class WorkerStore(Protocol):
    """Rows of workers."""

    def put(self, worker: WorkerRecord) -> None:
        """Write a worker's row, new or changed."""

    def add(self, worker: WorkerRecord) -> bool:
        """Write the row of a new worker; False if there is one with its id."""

    def list(self) -> Sequence[WorkerRecord]:
        """All rows, read consistently."""

    def remove(self, worker_id: str) -> None:
        """Delete a worker's row, if it is there."""


class LaunchRefused(Exception):
    """The platform did not start the worker. ``capacity``: it had no room, rather than refusing the request."""

    def __init__(self, message: str, *, capacity: bool) -> None:
        super().__init__(message)
        self.capacity = capacity


class WorkerLauncher(Protocol):
    """Starts workers."""

    def launch(self, worker_id: str, *, on_demand: bool) -> str:
        """Start one worker, at most once for each id; returns the platform's name of it.

        Raises:
            LaunchRefused: it was not started.
        """
