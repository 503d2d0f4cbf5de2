"""Every browser that the tests launch, however they launch it, is given our executable and flags, and is listened to.

Done on Playwright's public classes and not through pytest-playwright's fixtures, since a suite may override those or
launch browsers itself.
"""

from __future__ import annotations

import functools
import inspect
import os
import threading
import time
from collections.abc import Callable
from typing import Any

MAX_LINES = 1_000
MAX_LINE = 2_000
NAVIGATED_AWAY = "net::ERR_ABORTED"
"""How Chromium reports requests that a navigation or a closed page cut off; noise in a log."""


class BrowserLog:
    """Console messages, uncaught errors and failed requests of the running test, bounded in number and length."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._dropped = 0
        self._lock = threading.Lock()

    def add(self, kind: str, message: str) -> None:
        """Keep one line, unless there are too many."""
        now = time.time()
        stamp = time.strftime("%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1000):03d}"
        with self._lock:
            if len(self._lines) < MAX_LINES:
                self._lines.append(f"{stamp} {kind}: {message[:MAX_LINE]}")
            else:
                self._dropped += 1

    def take(self) -> list[str]:
        """The lines since the last call."""
        with self._lock:
            lines, dropped = self._lines, self._dropped
            self._lines, self._dropped = [], 0
        return [*lines, f"… and {dropped} more lines"] if dropped else lines

    def attach(self, context: Any) -> None:
        """Listen to a browser context (of the sync or the async API)."""
        context.on("console", self._on_console)
        context.on("weberror", lambda error: self.add("page error", str(error.error)))
        context.on("requestfailed", self._on_request_failed)

    def _on_console(self, message: Any) -> None:
        location = message.location
        where = f" ({location['url']}:{location['lineNumber'] + 1})" if location.get("url") else ""
        self.add(f"console.{message.type}", f"{message.text}{where}")

    def _on_request_failed(self, request: Any) -> None:
        if request.failure != NAVIGATED_AWAY:
            self.add("request failed", f"{request.method} {request.url} {request.failure}")


def install(settings: dict[str, Any], log: BrowserLog) -> None:
    """Patch the launching and context-making methods of both of Playwright's APIs, once, in this process."""
    try:
        from playwright import async_api, sync_api
    except ImportError:
        return  # a suite that tests no browser runs without Playwright
    for api in (sync_api, async_api):
        for name in ("launch", "launch_persistent_context"):
            after = log.attach if name == "launch_persistent_context" else None
            _wrap(api.BrowserType, name, functools.partial(launch_options, settings), after)
        _wrap(api.Browser, "new_context", None, log.attach)
        _wrap(api.Browser, "new_page", None, lambda page: log.attach(page.context))


def launch_options(settings: dict[str, Any], browser_type: Any, options: dict[str, Any]) -> dict[str, Any]:
    """What the test gave, completed by what this machine needs. The test's own executable or channel is left alone."""
    if browser_type.name != settings["browser"]:
        return options
    options = dict(options)
    if settings["executable"] and not options.get("executable_path") and not options.get("channel"):
        options["executable_path"] = settings["executable"]
    if browser_type.name == "chromium":
        options["args"] = [*settings["launchArgs"], *(options.get("args") or [])]
        if settings["sandbox"] and os.geteuid() != 0:  # Chromium refuses to run as root with its sandbox
            options.setdefault("chromium_sandbox", True)
    return options


def _wrap(
    owner: Any,
    name: str,
    before: Callable[[Any, dict[str, Any]], dict[str, Any]] | None,
    after: Callable[[Any], None] | None,
) -> None:
    original = getattr(owner, name)

    @functools.wraps(original)
    def call(self: Any, *args: Any, **options: Any) -> Any:
        result = original(self, *args, **(before(self, options) if before else options))
        if after is None:
            return result
        if inspect.isawaitable(result):
            return _then(result, after)
        after(result)
        return result

    setattr(owner, name, call)


async def _then(result: Any, after: Callable[[Any], None]) -> Any:
    value = await result
    after(value)
    return value
