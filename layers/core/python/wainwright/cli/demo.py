"""``wainwright demo``: the example shop, tested through everything a real job goes through."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from wainwright.cli.paths import repository
from wainwright.cli.requests import UNKNOWN_BUNDLE
from wainwright.cli.terminal import note
from wainwright.cli.watch import WatchOptions, run_tests
from wainwright.contracts.http.jobs import CreateJob

STOP_POLL = 0.05
"""Seconds between two checks of the server for its end."""


def run_demo() -> int:
    """Serve the shop, run its tests, and return their exit code."""
    examples = repository() / "examples"
    with serve_directory(examples / "shop") as address:
        note(f"The example shop is at {address}")
        job = CreateJob(bundle_id=UNKNOWN_BUNDLE, url=address, label="demo")
        return run_tests([examples / "shop-tests"], job, WatchOptions())


@contextmanager
def serve_directory(directory: Path) -> Iterator[str]:
    """Serve a directory's files on a free port of this machine; give the address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(directory)))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(STOP_POLL,), name="example-shop", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Quiet(SimpleHTTPRequestHandler):
    """Serves files without writing a line for each."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_args: Any) -> None:
        """Say nothing: the output belongs to the tests."""
