"""Queues, executions, objects, launches and the bus, in memory. Their contents are open to a test's eyes."""

import base64
import itertools
from collections import deque
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from wainwright.contracts.events import StatusChanged
from wainwright.contracts.messages import ExecutionInput, TokenResult, WorkMessage
from wainwright.contracts.names import execution_name
from wainwright.domain.errors import TooLarge
from wainwright.ports.artifacts import ArtifactMissing, Presigned
from wainwright.ports.clock import Clock
from wainwright.ports.queues import ReceivedWork
from wainwright.ports.workers import LaunchRefused
from wainwright.ports.workflows import ExecutionState


class MemoryClock:
    """A :class:`~wainwright.ports.clock.Clock` that moves only when told."""

    def __init__(self, start: datetime) -> None:
        self.now = start

    def __call__(self) -> datetime:
        """The time it was set to."""
        return self.now

    def advance(self, duration: timedelta) -> datetime:
        """Let time pass."""
        self.now += duration
        return self.now


class MemoryWakeUps:
    """A :class:`~wainwright.ports.queues.WakeUps` that keeps what was sent, as (project, delay)."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, timedelta]] = []
        self.workers: list[int] = []

    def send(self, project: str, *, delay: timedelta = timedelta(0), workers: int = 0) -> None:
        self.sent.append((project, delay))
        self.workers.append(workers)


class MemoryWorkQueue:
    """A :class:`~wainwright.ports.queues.WorkQueue` with visibility, told by the clock. Never waits."""

    def __init__(self, clock: Clock, visibility: timedelta = timedelta(seconds=30)) -> None:
        self._clock = clock
        self._visibility = visibility
        self._receipts = itertools.count(1)
        self._messages: deque[tuple[WorkMessage, int]] = deque()
        self._in_hand: dict[str, tuple[WorkMessage, int, datetime]] = {}

    def put(self, message: WorkMessage) -> None:
        """Send a message, as the state machine does."""
        self._messages.append((message, 0))

    def send(self, message: WorkMessage) -> None:
        self.put(message)

    def receive(self, wait: timedelta) -> ReceivedWork | None:
        now = self._clock()
        for receipt in [receipt for receipt, (_, _, until) in self._in_hand.items() if until <= now]:
            message, received, _ = self._in_hand.pop(receipt)
            self._messages.append((message, received))
        if not self._messages:
            return None
        message, received = self._messages.popleft()
        receipt = str(next(self._receipts))
        self._in_hand[receipt] = (message, received + 1, now + self._visibility)
        return ReceivedWork(message=message, receipt=receipt, received=received + 1)

    def extend(self, receipt: str, visibility: timedelta) -> None:
        if receipt in self._in_hand:
            message, received, _ = self._in_hand[receipt]
            self._in_hand[receipt] = (message, received, self._clock() + visibility)

    def delete(self, receipt: str) -> None:
        self._in_hand.pop(receipt, None)

    @property
    def empty(self) -> bool:
        """Return True if no message is left, in hand or not."""
        return not self._messages and not self._in_hand


class MemoryWorkflows:
    """:class:`~wainwright.ports.workflows.Workflows` whose Execute state puts the work message; Finish is left to the test."""

    def __init__(self, queue: MemoryWorkQueue) -> None:
        self._queue = queue
        self.started: dict[str, ExecutionInput] = {}
        self.ended: dict[str, TokenResult | tuple[str, str]] = {}

    def start(self, request: ExecutionInput) -> bool:
        name = execution_name(request.job_id, request.run)
        if name in self.started:
            return False
        self.started[name] = request
        self._queue.put(
            WorkMessage(project=request.project, job_id=request.job_id, run=request.run, task_token=f"token-{name}")
        )
        return True

    def state(self, job_id: str, run: int) -> ExecutionState:
        name = execution_name(job_id, run)
        if name not in self.started:
            return ExecutionState.ABSENT
        return ExecutionState.ENDED if name in self.ended else ExecutionState.RUNNING

    def succeed(self, token: str, result: TokenResult) -> None:
        self._end(token, result)

    def fail(self, token: str, *, error: str, cause: str) -> None:
        self._end(token, (error, cause))

    def _end(self, token: str, end: TokenResult | tuple[str, str]) -> None:
        name = token.removeprefix("token-")
        if name in self.started:  # else the token is of an execution that was lost
            self.ended.setdefault(name, end)

    def forget(self) -> None:
        """Lose every execution, as a restart of the one-machine system does."""
        self.started.clear()
        self.ended.clear()


class MemoryLauncher:
    """A :class:`~wainwright.ports.workers.WorkerLauncher` that notes (worker id, on demand), and refuses when told to."""

    def __init__(self) -> None:
        self.launched: list[tuple[str, bool]] = []
        self.refuse: LaunchRefused | None = None
        self.no_spot = False

    def launch(self, worker_id: str, *, on_demand: bool) -> str:
        if self.refuse is not None:
            raise self.refuse
        if self.no_spot and not on_demand:
            raise LaunchRefused("no capacity", capacity=True)
        self.launched.append((worker_id, on_demand))
        return f"task-{worker_id}"


class MemoryArtifacts:
    """:class:`~wainwright.ports.artifacts.Artifacts` in a dictionary of key to (bytes, content type, time)."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.objects: dict[str, tuple[bytes, str, datetime]] = {}

    def put(self, key: str, content: bytes, content_type: str) -> None:
        self.objects[key] = (content, content_type, self._clock())

    def put_file(self, key: str, file: Path, content_type: str) -> None:
        self.put(key, file.read_bytes(), content_type)

    def get(self, key: str, *, most: int | None = None) -> tuple[bytes, str]:
        if key not in self.objects:
            raise ArtifactMissing(key)
        content, content_type, _ = self.objects[key]
        if most is not None and len(content) > most:
            raise TooLarge(f"{key} has {len(content)} bytes, more than {most}")
        return content, content_type

    def download(self, key: str, target: Path) -> None:
        target.write_bytes(self.get(key)[0])

    def size_and_age(self, key: str) -> tuple[int, datetime] | None:
        found = self.objects.get(key)
        return (len(found[0]), found[2]) if found else None

    def delete_all(self, prefix: str) -> None:
        if not prefix:
            raise ValueError("a prefix is needed: without one, this would empty the bucket")
        for key in [key for key in self.objects if key.startswith(prefix)]:
            del self.objects[key]

    def presign_get(self, key: str, *, lasts: timedelta) -> Presigned:
        return Presigned(url=f"memory:{key}?until={(self._clock() + lasts).isoformat()}")

    def presign_put(self, key: str, *, sha256: str, size: int, lasts: timedelta) -> Presigned:
        checksum = base64.b64encode(bytes.fromhex(sha256)).decode()
        headers = {"content-length": str(size), "x-amz-checksum-sha256": checksum}
        return Presigned(url=f"memory:{key}", headers=headers)


class MemoryEventBus:
    """An :class:`~wainwright.ports.event_bus.EventBus` that keeps what was published."""

    def __init__(self) -> None:
        self.published: list[StatusChanged] = []

    def publish(self, changes: Iterable[StatusChanged]) -> None:
        self.published.extend(changes)
