"""HTTP servers that listen on the loopback interface and nowhere else."""

from __future__ import annotations

import errno
import logging
import socket
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from werkzeug.serving import WSGIRequestHandler, make_server

from wainwright.local.errors import LocalError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

logger = logging.getLogger(__name__)

HOST = "127.0.0.1"
_SOCKET_SECONDS = 60
_DISCARDED_BYTES = 512 * 1024 * 1024

STATUS_LINES = {
    403: "403 Forbidden",
    411: "411 Length Required",
    413: "413 Content Too Large",
    421: "421 Misdirected Request",
}


class _Handler(WSGIRequestHandler):
    """Without a line on the terminal for each request, and without a client that holds a thread for ever."""

    timeout = _SOCKET_SECONDS

    def log(self, type: str, message: str, *args: Any) -> None:
        logger.debug(message, *args)


class LoopbackServer:
    """A threaded WSGI server. Its port is known, and taken, before it answers."""

    def __init__(self, port: int) -> None:
        """Take a port; 0 takes any free one.

        Raises:
            LocalError: the port is in use.
        """
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind((HOST, port))
        except OSError as error:
            self._socket.close()
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                raise LocalError(
                    f"port {port} is in use: stop what listens there, or choose another port with --port"
                ) from error
            raise
        self._socket.listen(128)
        self.port: int = self._socket.getsockname()[1]
        self._server: Any = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The origin: scheme, address and port."""
        return f"http://{HOST}:{self.port}"

    def start(self, app: Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]) -> None:
        """Begin to answer."""
        self._server = make_server(
            HOST, self.port, self._only_for_us(app), threaded=True, request_handler=_Handler, fd=self._socket.fileno()
        )
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.2}, name=f"http-{self.port}", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Stop answering, and give the port back."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
        if self._thread is not None:
            self._thread.join(5)
        self._socket.close()

    def _only_for_us(
        self, app: Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]
    ) -> Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]:
        """Refuse a request that was meant for another host: a page that rebinds its own name to this address."""
        ours = {f"{HOST}:{self.port}", f"localhost:{self.port}"}

        def guarded(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            if environ.get("HTTP_HOST", "").lower() not in ours:
                return refuse(start_response, 421, "this server answers on the loopback address only")
            return app(environ, start_response)

        return guarded


class BodyRefused(Exception):
    """A request body that is not read: `status` says why."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def read_body(environ: WSGIEnvironment, bound: int) -> bytes:
    """The request's body.

    Raises:
        BodyRefused: it is larger than `bound`, or its length is not said beforehand.
    """
    if environ.get("HTTP_TRANSFER_ENCODING"):
        raise BodyRefused(411, "send the body with a Content-Length")
    length = environ.get("CONTENT_LENGTH") or "0"
    if not length.isdecimal():
        raise BodyRefused(411, "the Content-Length is not a number")
    if int(length) > bound:
        _discard(environ, min(int(length), _DISCARDED_BYTES))
        raise BodyRefused(413, f"the body is {length} bytes, over the bound of {bound}")
    body: bytes = environ["wsgi.input"].read(int(length))
    return body


def _discard(environ: WSGIEnvironment, length: int) -> None:
    """Read what is not wanted: a client that is still sending would be cut off before it could read the answer."""
    while length > 0 and (chunk := environ["wsgi.input"].read(min(length, 1 << 20))):
        length -= len(chunk)


def refuse(start_response: StartResponse, status: int, message: str) -> Iterable[bytes]:
    """Answer a status and one line of text."""
    body = message.encode()
    start_response(
        STATUS_LINES[status], [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))]
    )
    return [body]
