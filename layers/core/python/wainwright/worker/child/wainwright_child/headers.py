"""`config.extraHeaders`, sent to the origin under test and to no other.

Playwright's own `extra_http_headers` go to every host that a page talks to, and headers set by a route follow a redirect to
wherever it leads. So each browser is asked, by the DevTools protocol and for all of its pages and workers at once, to pause the
requests to that origin alone; each hop of a redirect is a request of its own there.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable
from contextlib import suppress
from typing import Any

BROWSERS_OWN = frozenset(
    {"accept", "accept-language", "cache-control", "pragma", "referer", "upgrade-insecure-requests", "user-agent"}
)
"""Headers that a browser sends by itself: those the job replaces. Any other that is there was set by the suite, and stays."""


class HeadersOfOwnOrigin:
    """The job's headers, and the browsers that send them."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self._headers: dict[str, str] = settings["headers"]
        self._origin: str | None = settings["headersOrigin"]

    def attach(self, browser: Any) -> Any:
        """Have a browser (of the sync API, or, to be awaited, the async one) send the headers."""
        if self._origin is None or browser is None or browser.browser_type.name != "chromium":
            return None
        session = browser.new_browser_cdp_session()
        return self._enable_async(session) if inspect.isawaitable(session) else self._enable(session)

    def _enable(self, session: Any) -> Any:
        from playwright.async_api import Error  # the same class in both APIs

        def on_paused(event: dict[str, Any]) -> Any:
            with suppress(Error):  # the page, or the browser, was closed meanwhile
                sent = session.send("Fetch.continueRequest", self.continuation(event))
                return finish(sent) if inspect.isawaitable(sent) else None

        async def finish(sent: Awaitable[Any]) -> None:
            with suppress(Error):
                await sent

        session.on("Fetch.requestPaused", on_paused)
        return session.send(
            "Fetch.enable", {"patterns": [{"urlPattern": f"{self._origin}/*", "requestStage": "Request"}]}
        )

    async def _enable_async(self, opening: Awaitable[Any]) -> None:
        await self._enable(await opening)

    def continuation(self, event: dict[str, Any]) -> dict[str, Any]:
        """Return how a paused request goes on: with the job's headers added to its own."""
        headers: dict[str, str] = dict(event["request"]["headers"])
        there = {name.lower(): name for name in headers}
        for name, value in self._headers.items():
            found = there.get(name.lower())
            if found is None:
                headers[name] = value
            elif found.lower() in BROWSERS_OWN:
                headers[found] = value
        return {
            "requestId": event["requestId"],
            "headers": [{"name": name, "value": value} for name, value in headers.items()],
        }
