"""HTTP servers that listen on the loopback interface and nowhere else."""

import errno
import logging
import socket
import threading
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

from werkzeug.exceptions import LengthRequired, RequestEntityTooLarge
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from wainwright.local.errors import LocalError

logger = logging.getLogger(__name__)

HOST = "127.0.0.1"
_SOCKET_SECONDS = 60
_DISCARDED_BYTES = 512 * 1024 * 1024


class _Handler(WSGIRequestHandler):
    """Without a line on the terminal for each request, and without a client that holds a thread for ever."""

    timeout = _SOCKET_SECONDS

    def log(self, type: str, message: str, *args: Any) -> None:
        logger.debug(message, *args)


class LoopbackServer:
    """A threaded WSGI server. Its port is known, and taken, before it answers."""

    def __init__(self, port: int) -> None:
        """Take a port; 0 takes any free one. Raises LocalError if the port is in use."""
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
        self.url = f"http://{HOST}:{self.port}"
        self._server: Any = None

    def start(self, app: Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]) -> None:
        """Begin to answer requests for this host; one for another comes from a page that rebinds its name to us."""
        ours = {f"{HOST}:{self.port}", f"localhost:{self.port}"}

        def guarded(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            if environ.get("HTTP_HOST", "").lower() not in ours:
                return Response("this server answers on the loopback address only", 421)(environ, start_response)
            return app(environ, start_response)

        self._server = make_server(
            HOST, self.port, guarded, threaded=True, request_handler=_Handler, fd=self._socket.fileno()
        )
        self._server.daemon_threads = True
        self._server.block_on_close = False
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.2}, name=f"http-{self.port}", daemon=True
        ).start()

    def stop(self) -> None:
        """Stop answering, and give the port back."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
        self._socket.close()


def read_body(request: Request, bound: int) -> bytes:
    """Return the request's body.

    Raises:
        LengthRequired: the Content-Length is missing or no number.
        RequestEntityTooLarge: the body is larger than `bound`, in bytes.
    """
    length = request.headers.get("Content-Length") or "0"
    if "Transfer-Encoding" in request.headers or not length.isdecimal():
        raise LengthRequired("send the body with a Content-Length")
    stream = request.environ["wsgi.input"]
    if int(length) > bound:
        # A client that is still sending would be cut off before it could read the answer.
        left = min(int(length), _DISCARDED_BYTES)
        while left > 0 and (chunk := stream.read(min(left, 1 << 20))):
            left -= len(chunk)
        raise RequestEntityTooLarge(f"the body is {length} bytes, over the bound of {bound}")
    body: bytes = stream.read(int(length))
    return body


def lower_headers(request: Request) -> dict[str, str]:
    """Return the request's headers, names in lower case."""
    return {name.lower(): value for name, value in request.headers.items()}
