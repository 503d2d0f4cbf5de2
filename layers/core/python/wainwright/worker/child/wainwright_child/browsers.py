"""Every browser that the tests launch, however they launch it, is given our executable and flags, and is listened to.

Done on Playwright's public classes and not through pytest-playwright's fixtures, since a suite may override those or
launch browsers itself.
"""

from __future__ import annotations

import functools
import inspect
import os
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .cuts import cut_end
from .headers import HeadersOfOwnOrigin

MAX_LINES = 1_000
MAX_LINE = 2_000
MAX_HOSTS = 10
PAGE_NAVIGATIONS = ("goto", "reload", "go_back", "go_forward", "wait_for_url")
FRAME_NAVIGATIONS = ("goto", "wait_for_url")
NAVIGATED_AWAY = "net::ERR_ABORTED"
"""Failure of requests that a navigation or a closed page cut off; noise in a log."""


class BrowserLog:
    """Console messages, uncaught errors and failed requests of the running test, bounded, written to `file` as they come, for
    whoever has to do without this process. `crashed`: a page of the test, or any browser, is gone that nobody closed."""

    def __init__(self, blocked_hosts: Sequence[str] = (), file: Path | None = None) -> None:
        if file:
            file.parent.mkdir(parents=True, exist_ok=True)
        self._file = file.open("w", encoding="utf-8", errors="replace") if file else None
        self._page_crashed = self._browser_gone = False
        self._watched: set[int] = set()
        self._lines: list[str] = []
        self._dropped = 0
        self._lock = threading.Lock()
        self._blocked_hosts = frozenset(blocked_hosts)
        self._blocked: Counter[str] = Counter()
        self.blocked_in_all = 0

    def add(self, kind: str, message: str) -> None:
        """Keep one line, unless there are too many."""
        now = time.time()
        stamp = time.strftime("%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1000):03d}"
        with self._lock:
            if len(self._lines) < MAX_LINES:
                line = f"{stamp} {kind}: {cut_end(message, MAX_LINE)}"
                self._lines.append(line)
                if self._file:
                    self._file.write(line + "\n")
                    self._file.flush()
            else:
                self._dropped += 1

    def begin(self, test: str) -> None:
        """Begin a test. What is in the file from here on is read if it does not come to its end."""
        if self._file:
            self._file.write(f"{test}: was running when its process ended\n\n--- browser ---\n")
            self._file.flush()

    def take(self) -> list[str]:
        """Return the lines since the last call."""
        with self._lock:
            lines, dropped, blocked = self._lines, self._dropped, self._blocked
            self._lines, self._dropped, self._blocked = [], 0, Counter()
            self._page_crashed = False
            if self._file:
                self._file.seek(0)
                self._file.truncate()
        if dropped:
            lines.append(f"… and {dropped} more lines")
        if blocked:
            hosts = ", ".join(f"{host} {number}" for host, number in blocked.most_common(MAX_HOSTS))
            lines.append(f"requests to ad and tracker hosts blocked: {blocked.total()} ({hosts})")
        return lines

    @property
    def crashed(self) -> bool:
        """True if a page of the running test, or a browser, has crashed."""
        return self._page_crashed or self._browser_gone

    def watch(self, browser: Any) -> None:
        """Notice the end of a browser that nobody asked for."""
        self._watched.add(id(browser))
        browser.on("disconnected", self._on_disconnected)

    def closing(self, browser: Any, options: dict[str, Any]) -> dict[str, Any]:
        """Expect the end of a browser that is closed on purpose. Returns the options as they are."""
        if id(browser) in self._watched:
            self._watched.remove(id(browser))
            browser.remove_listener("disconnected", self._on_disconnected)
        return options

    def _on_disconnected(self, _browser: Any) -> None:
        self._browser_gone = True
        self.add("browser", "the browser has crashed, or was killed")

    def _on_crash(self, page: Any) -> None:
        self._page_crashed = True
        self.add("page", f"the page has crashed: {page.url}")

    def attach(self, context: Any) -> None:
        """Listen to a browser context (of the sync or the async API)."""
        context.on("page", lambda page: page.on("crash", self._on_crash))
        context.on("console", self._on_console)
        context.on("weberror", lambda error: self.add("page error", str(error.error)))
        context.on("requestfailed", self._on_request_failed)

    def _on_console(self, message: Any) -> None:
        location = message.location
        where = f" ({location['url']}:{location['lineNumber'] + 1})" if location.get("url") else ""
        self.add(f"console.{message.type}", f"{message.text}{where}")

    def _on_request_failed(self, request: Any) -> None:
        if host := self._blocked_host(request.url):
            with self._lock:
                self._blocked[host] += 1
                self.blocked_in_all += 1
        elif request.failure != NAVIGATED_AWAY:
            self.add("request failed", f"{request.method} {request.url} {request.failure}")

    def _blocked_host(self, url: str) -> str | None:
        """Return the host, if we cut it off: it, or a domain that it is below, is on the list."""
        host = (urlsplit(url).hostname or "") if self._blocked_hosts else ""
        labels = host.split(".")
        return host if any(".".join(labels[at:]) in self._blocked_hosts for at in range(len(labels))) else None


class Traces:
    """Folders for recordings, one for each browser. They outlive the test process, should that be killed while a test runs."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._numbers = count(1)
        self._open = 0

    def folder(self) -> str:
        """Return the folder in which a browser that is about to be launched records."""
        return str(self._root / str(next(self._numbers)))

    def opened(self, context: Any) -> None:
        """Take note of a browser context, which may record until it is closed."""
        self._open += 1
        context.on("close", self._closed)

    def _closed(self, *_: Any) -> None:
        self._open -= 1

    def tidy(self) -> None:
        """Remove what ended recordings have left. While a context is open one may go on: then nothing is removed."""
        if self._open <= 0:
            shutil.rmtree(self._root, ignore_errors=True)


def install(settings: dict[str, Any], log: BrowserLog, traces: Traces) -> None:
    """Patch the launching, context-making and navigating methods of both of Playwright's APIs, once, in this process."""
    try:
        from playwright import async_api, sync_api
    except ImportError:
        return  # a suite that tests no browser runs without Playwright

    def launching(browser_type: Any, options: dict[str, Any]) -> dict[str, Any]:
        options = complete_launch_options(settings, browser_type, options)
        return options if options.get("traces_dir") else {**options, "traces_dir": traces.folder()}

    def launched(_: Any, browser: Any) -> Any:
        log.watch(browser)
        return headers.attach(browser)

    def opened(context: Any) -> None:
        log.attach(context)
        traces.opened(context)

    in_context = functools.partial(complete_context_options, settings)
    headers = HeadersOfOwnOrigin(settings)

    def launching_persistent(browser_type: Any, options: dict[str, Any]) -> dict[str, Any]:
        return in_context(browser_type, launching(browser_type, options))

    def persistent_launched(_: Any, context: Any) -> Any:
        opened(context)
        return headers.attach(context.browser)

    for api in (sync_api, async_api):
        _wrap(api.BrowserType, "launch", launching, launched)
        _wrap(api.Browser, "close", log.closing, None)
        _wrap(api.BrowserType, "launch_persistent_context", launching_persistent, persistent_launched)
        _wrap(api.Browser, "new_context", in_context, lambda _, context: opened(context))
        _wrap(api.Browser, "new_page", in_context, lambda _, page: opened(page.context))
        if settings["waitForMs"]:
            _wait_after_navigations(api, settings["waitForMs"])


def _wait_after_navigations(api: Any, milliseconds: int) -> None:
    for owner, names in ((api.Page, PAGE_NAVIGATIONS), (api.Frame, FRAME_NAVIGATIONS)):
        for name in names:
            _wrap(owner, name, None, lambda page, _: page.wait_for_timeout(milliseconds))


def complete_launch_options(settings: dict[str, Any], browser_type: Any, options: dict[str, Any]) -> dict[str, Any]:
    """Complete the test's options by what this machine needs. Its own executable or channel is left alone."""
    if browser_type.name not in settings["executables"]:
        return options
    options = dict(options)
    executable = settings["executables"][browser_type.name]
    if options.get("headless") is False:
        executable = settings["windowed"].get(browser_type.name) or executable
    if executable and not options.get("executable_path") and not options.get("channel"):
        options["executable_path"] = executable
    if browser_type.name == "chromium":
        options["args"] = join_arguments(settings["launchArgs"], options.get("args") or [])
        if settings["sandbox"] and os.geteuid() != 0:  # Chromium refuses to run as root with its sandbox
            options.setdefault("chromium_sandbox", True)
    return options


def join_arguments(ours: Sequence[str], theirs: Sequence[str]) -> list[str]:
    """Join our arguments and the test's. Of a switch given twice Chromium takes the last, so lists are made one, ours first."""
    joined = list(theirs)
    for argument in ours:
        switch, equals, _ = argument.partition("=")
        same = [index for index, each in enumerate(joined) if equals and each.startswith(f"{switch}=")]
        if same:
            joined[same[-1]] = f"{argument},{joined[same[-1]].partition('=')[2]}"
        else:
            joined.insert(0, argument)
    return joined


def complete_context_options(settings: dict[str, Any], _owner: Any, options: dict[str, Any]) -> dict[str, Any]:
    """Complete the test's options by those of the job's config."""
    wanted = dict(settings["contextOptions"])
    if options.get("no_viewport"):
        wanted.pop("viewport", None)
    return {**wanted, **options}


def _wrap(owner: Any, name: str, before: Callable[..., Any] | None, after: Callable[[Any, Any], Any] | None) -> None:
    """Have `before` complete the keyword arguments, and `after` be called with the object and the method's result. In the async
    API `after` may give an awaitable, which is awaited before the caller goes on."""
    original = getattr(owner, name)

    @functools.wraps(original)
    def call(self: Any, *args: Any, **options: Any) -> Any:
        result = original(self, *args, **(before(self, options) if before else options))
        if after is None:
            return result
        if inspect.isawaitable(result):
            return _then(result, functools.partial(after, self))
        after(self, result)
        return result

    setattr(owner, name, call)


async def _then(result: Any, after: Callable[[Any], Any]) -> Any:
    value = await result
    further = after(value)
    if inspect.isawaitable(further):
        await further
    return value
