"""AWS's answers, noted once and given again: what a handler waits for is then the same loopback for every side.

The answers are moto's, noted as botocore received them. They are given again by a small HTTP server, in the order in which
each operation was called, and at once: a handler that is measured opens its connections and parses its answers as it would
on AWS, and no time of moto's is in the figures.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from botocore import handlers

_OWN_HEADERS = frozenset({"content-length", "connection", "date", "server", "transfer-encoding", "content-encoding"})
"""Headers that the server of the replay sets itself."""


@dataclass(frozen=True)
class Answer:
    """One answer of AWS. ``operation`` is as in ``GetItem``."""

    operation: str
    status: int
    headers: dict[str, str]
    body: bytes


@contextmanager
def noted() -> Iterator[list[Answer]]:
    """Note each answer that clients get which are made meanwhile."""
    answers: list[Answer] = []

    def note(event_name: str, response_dict: dict[str, Any] | None, **_: Any) -> None:
        if response_dict is None:
            raise RuntimeError(f"{event_name} had no answer")
        headers = {k.lower(): str(v) for k, v in response_dict["headers"].items() if k.lower() not in _OWN_HEADERS}
        body: bytes = response_dict["body"]
        answers.append(Answer(event_name.rpartition(".")[2], response_dict["status_code"], headers, body))

    entry = ("response-received", note)
    handlers.BUILTIN_HANDLERS.append(entry)
    try:
        yield answers
    finally:
        handlers.BUILTIN_HANDLERS.remove(entry)


@dataclass
class Replay:
    """The server's state: what is left to be given, and requests that nothing was left for."""

    address: str = ""
    left: list[Answer] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def load(self, answers: list[Answer]) -> None:
        """Begin anew with these answers."""
        with self._lock:
            self.left, self.unknown = list(answers), []

    def check(self, who: str) -> None:
        """Whoever was served has to have asked for exactly what was noted."""
        with self._lock:
            if self.left or self.unknown:
                missing = ", ".join(answer.operation for answer in self.left)
                raise SystemExit(f"{who} did not call for: {missing or '-'}; called besides: {self.unknown or '-'}")

    def take(self, operation: str) -> Answer | None:
        """The next answer to this operation; an operation that the request does not name gets the next of all."""
        with self._lock:
            found = next((each for each in self.left if operation in ("", each.operation)), None)
            if found is None:
                self.unknown.append(operation)
            else:
                self.left.remove(found)
            return found


@contextmanager
def replaying() -> Iterator[Replay]:
    """A server on loopback."""
    replay = Replay()

    class Requests(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            found = replay.take(self.headers.get("x-amz-target", "").rpartition(".")[2])
            if found is None:
                found = Answer("", 400, {}, b'{"__type": "NotNoted"}')
            lines = [f"HTTP/1.1 {found.status} Noted", *(f"{name}: {value}" for name, value in found.headers.items())]
            head = "\r\n".join([*lines, f"content-length: {len(found.body)}", "", ""])
            self.wfile.write(head.encode("latin-1") + found.body)

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = answer  # noqa: N815 - the base class's names

        def log_message(self, format: str, *_arguments: object) -> None:  # noqa: A002 - the base class's name
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Requests) as server:
        server.daemon_threads = True
        replay.address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield replay
        finally:
            server.shutdown()
            thread.join()
