"""A site that remembers what it was asked for, and another one, which is a third party to it."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

ICON = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)
"""A PNG of one pixel."""

PAGES = {
    "/": "<title>Shop</title><h1>Shop</h1><a href='/popup' target='_blank'>more</a>",
    "/popup": "<title>More</title>",
    "/landed": "<title>Landed</title>",
    "/late": "<body>loading<script>setTimeout(() => { document.body.textContent = 'ready' }, 300)</script>",
    "/images": "<style>body { background: url(/background.png) }</style><img src='/photo.png'>",
}


@dataclass(frozen=True)
class Asked:
    """One request that arrived."""

    host: str
    path: str
    headers: dict[str, str]


@dataclass
class Site:
    """Where the site is, and what it was asked for."""

    port: int
    other_port: int = 0
    asked: list[Asked] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Its base URL."""
        return f"http://127.0.0.1:{self.port}"

    def requests(self, path: str) -> list[Asked]:
        """The requests for one path."""
        return [each for each in self.asked if each.path == path]


def _handler(site: Site) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            site.asked.append(Asked(headers.get("host", ""), self.path, headers))
            if self.path == "/away":
                self.send_response(302)
                self.send_header("Location", f"http://localhost:{site.other_port}/landed")
                self.end_headers()
                return
            body, kind = PAGES.get(self.path, "").encode(), "text/html"
            if self.path.endswith(".png"):
                body, kind = ICON, "image/png"
            elif self.path.endswith(".js"):
                body, kind = b"document.title += ' with advertisement'", "text/javascript"
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    return Handler


@contextmanager
def _serve(site: Site) -> Iterator[None]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(site))
    site.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def two_sites() -> Iterator[tuple[Site, Site]]:
    """The site under test, on 127.0.0.1, and a third party, on localhost; ``/away`` of the one leads to the other."""
    own, other = Site(0), Site(0)
    with _serve(own), _serve(other):
        own.other_port = other.port
        yield own, other
