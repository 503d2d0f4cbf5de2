"""Keys, tickets and worker rows in dictionaries."""

from collections.abc import Sequence

from wainwright.domain.workers import WorkerRecord
from wainwright.ports import ApiKey, Ticket


class MemoryAccessStore:
    """A :class:`~wainwright.ports.AccessStore` that forgets."""

    def __init__(self) -> None:
        self._keys: dict[str, ApiKey] = {}
        self._tickets: dict[str, Ticket] = {}

    def put_key(self, key: ApiKey) -> None:
        """See :meth:`wainwright.ports.AccessStore.put_key`."""
        self._keys[key.digest] = key

    def find_key(self, digest: str) -> ApiKey | None:
        """See :meth:`wainwright.ports.AccessStore.find_key`."""
        return self._keys.get(digest)

    def list_keys(self, project: str) -> Sequence[ApiKey]:
        """See :meth:`wainwright.ports.AccessStore.list_keys`."""
        return [key for key in self._keys.values() if key.project == project]

    def put_ticket(self, ticket: Ticket) -> None:
        """See :meth:`wainwright.ports.AccessStore.put_ticket`."""
        self._tickets[ticket.digest] = ticket

    def find_ticket(self, digest: str) -> Ticket | None:
        """See :meth:`wainwright.ports.AccessStore.find_ticket`."""
        return self._tickets.get(digest)


class MemoryWorkerStore:
    """A :class:`~wainwright.ports.WorkerStore` that forgets."""

    def __init__(self) -> None:
        self._rows: dict[str, WorkerRecord] = {}

    def put(self, worker: WorkerRecord) -> None:
        """See :meth:`wainwright.ports.WorkerStore.put`."""
        self._rows[worker.id] = worker

    def add(self, worker: WorkerRecord) -> bool:
        """See :meth:`wainwright.ports.WorkerStore.add`."""
        if worker.id in self._rows:
            return False
        self._rows[worker.id] = worker
        return True

    def list(self) -> Sequence[WorkerRecord]:
        """See :meth:`wainwright.ports.WorkerStore.list`."""
        return [*self._rows.values()]

    def remove(self, worker_id: str) -> None:
        """See :meth:`wainwright.ports.WorkerStore.remove`."""
        self._rows.pop(worker_id, None)
