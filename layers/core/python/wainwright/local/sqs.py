"""SQS that loses nothing under threads and wakes a waiting receiver at once.

As it is, moto deletes a message by copying the queue's list, which loses a message that arrives meanwhile; lets two
receivers take the same message; and looks for work once a second. Here every operation on queues holds one lock, never
while it waits, and a receiver sleeps until a message arrives or the next hidden one becomes visible.
"""

import threading
import time
from collections.abc import Callable
from typing import Any

from moto.core.utils import unix_time_millis
from moto.sqs.models import Message, Queue, SQSBackend, sqs_backends

from wainwright.local.patches import Patches
from wainwright.local.template import ACCOUNT_ID, REGION

_LOCKED = ("send_message", "delete_message", "change_message_visibility", "purge_queue")


class SafeSQS:
    """Makes moto's SQS safe under threads."""

    def __init__(self) -> None:
        self._backend: SQSBackend = sqs_backends[ACCOUNT_ID][REGION]
        self._lock = threading.RLock()
        self._arrived = threading.Condition(self._lock)
        self._receive_now: Callable[..., list[Message]] = SQSBackend.receive_message
        self._stopped = False

    def install(self, patches: Patches) -> None:
        """Put this in moto's place until the patches are undone."""
        self._receive_now = SQSBackend.receive_message
        for name in _LOCKED:
            patches.wrap(SQSBackend, name, self._locked)
        patches.wrap(SQSBackend, "receive_message", self._receive_as_moto)
        patches.wrap(Queue, "add_message", self._add)

    def stop(self) -> None:
        """Wake every receiver; each returns with what it has."""
        with self._arrived:
            self._stopped = True
            self._arrived.notify_all()

    def send(self, queue: str, body: str) -> None:
        """Send a message to a queue, by its name."""
        self._backend.send_message(queue_name=queue, message_body=body)

    def delete(self, queue: str, receipt_handle: str) -> None:
        """Delete a received message."""
        self._backend.delete_message(queue, receipt_handle)

    def receive(self, queue: str, count: int, wait_seconds: float, cancelled: threading.Event) -> list[Message]:
        """Up to `count` messages; waits for the first one, until the time is up or `cancelled` is set and `wake` called."""
        visibility_timeout = int(self._backend.get_queue(queue).visibility_timeout)  # type: ignore[attr-defined]
        return self._receive(queue, count, wait_seconds, visibility_timeout, [".*"], cancelled)

    def wake(self) -> None:
        """Let every waiting receiver look again."""
        with self._arrived:
            self._arrived.notify_all()

    def _locked(self, original: Callable[..., Any], *args: Any, **kw: Any) -> Any:
        with self._arrived:
            result = original(*args, **kw)
            self._arrived.notify_all()
            return result

    def _add(self, original: Callable[..., Any], queue: Queue, message: Message) -> None:
        with self._arrived:
            original(queue, message)
            self._arrived.notify_all()

    def _receive_as_moto(
        self,
        _original: Callable[..., Any],
        _backend: SQSBackend,
        queue_name: str,
        count: int,
        wait_seconds_timeout: int,
        visibility_timeout: int,
        message_attribute_names: list[str] | None = None,
    ) -> list[Message]:
        names = message_attribute_names or []
        wait_seconds = float(wait_seconds_timeout or 0)
        return self._receive(queue_name, count, wait_seconds, visibility_timeout, names, threading.Event())

    def _receive(
        self,
        queue: str,
        count: int,
        wait_seconds: float,
        visibility_timeout: int,
        attribute_names: list[str],
        cancelled: threading.Event,
    ) -> list[Message]:
        deadline = time.monotonic() + wait_seconds
        with self._arrived:
            while True:
                messages = self._receive_now(self._backend, queue, count, 0, visibility_timeout, attribute_names)
                remaining = deadline - time.monotonic()
                if messages or remaining <= 0 or self._stopped or cancelled.is_set():
                    return messages
                self._arrived.wait(min(remaining, self._next_visible(queue)))

    def _next_visible(self, queue_name: str) -> float:
        """Seconds until a hidden or delayed message of the queue can be received; a minute if there is none."""
        now = unix_time_millis()
        waits = [
            max(message.visible_at, message.delayed_until) - now
            for message in self._backend.get_queue(queue_name)._messages  # noqa: SLF001 - moto offers no other view
        ]
        # Two milliseconds more, for moto calls a message visible only when its time has passed.
        return min((max(wait, 0.0) / 1000 + 0.002 for wait in waits), default=60.0)
