"""Playwright and a browser that were started ahead, and how the first who asks for them gets them.

Playwright's sync API runs an event loop in a greenlet of the thread that started it, and says between two calls that this loop is
running, as it then is, suspended. Until it is handed over that is taken back: code that runs an event loop of its own before
the suite's first use of Playwright, or instead, must find the thread as it would without us.
"""

# ruff: noqa: SLF001 - as Playwright itself tells asyncio of its loop; objects of its own have no other way to be handed on

from __future__ import annotations

import asyncio
import functools
import sys
import threading
from pathlib import Path
from typing import Any

from .browsers import Traces, complete_launch_options
from .control import current_greenlet

_AS_BY_DEFAULT = {"headless": True}


class Prepared:
    """A started Playwright with a browser, each given away at most once."""

    def __init__(self, manager: Any, playwright: Any, browser: Any, options: dict[str, Any]) -> None:
        self._manager = manager
        self._playwright = playwright
        self._browser = browser
        self._options = options
        self._loop = manager._loop
        self._thread = threading.get_ident()
        self._greenlet = current_greenlet()
        self._waiting = True
        self._hide()

    def install(self) -> None:
        """Have the first start of Playwright, and the first launch, find what is there."""
        from playwright import sync_api

        kind = type(self._manager)
        started, launched = kind.__enter__, sync_api.BrowserType.launch

        @functools.wraps(started)
        def enter(manager: Any) -> Any:
            return self._give(manager) or started(manager)

        @functools.wraps(launched)
        def launch(browser_type: Any, **options: Any) -> Any:
            return self._give_browser(browser_type, options) or launched(browser_type, **options)

        kind.__enter__ = enter
        setattr(sync_api.BrowserType, "launch", launch)  # noqa: B010 - a type checker minds it

    def close_unused(self) -> None:
        """Stop what nobody asked for."""
        if not self._waiting:
            return
        self._waiting = False
        asyncio._set_running_loop(self._loop)
        try:
            self._manager.__exit__(None, None, None)
        except Exception as error:  # noqa: BLE001 - whatever its driver, or its end, did to it
            sys.stderr.write(f"the spare's Playwright could not be stopped: {error}\n")
        finally:
            self._hide()

    def _give(self, manager: Any) -> Any:
        if not self._waiting or not self._is_our_place():
            return None
        self._waiting = False
        asyncio._set_running_loop(self._loop)
        if not self._works():
            self._hide()
            return None
        vars(manager).update(vars(self._manager))
        self._playwright.stop = manager.__exit__
        return self._playwright

    def _is_our_place(self) -> bool:
        """In the thread and greenlet that Playwright was started in, and not within an event loop."""
        if threading.get_ident() != self._thread or current_greenlet() is not self._greenlet:
            return False
        return asyncio._get_running_loop() is None

    def _works(self) -> bool:
        """Ask the browser something: it, or the driver, may have died while nobody looked."""
        try:
            session = self._browser.new_browser_cdp_session()
            session.detach()
        except Exception:  # noqa: BLE001 - whatever is wrong with it
            return False
        return True

    def _give_browser(self, browser_type: Any, options: dict[str, Any]) -> Any:
        if self._waiting or self._browser is None or browser_type.name != "chromium":
            return None
        if browser_type._loop is not self._loop or threading.get_ident() != self._thread:
            return None
        browser, self._browser = self._browser, None
        if _given(options) == _given(self._options):
            return browser
        browser.close()
        return None

    def _hide(self) -> None:
        asyncio._set_running_loop(None)


def prepare(settings: dict[str, Any]) -> Prepared | None:
    """Start Playwright and Chromium, and use both once, so that all that they load is loaded. None where either is missing or
    does not start: a suite does without, or says what is wrong itself."""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        return None
    manager = sync_playwright()
    try:
        playwright = manager.__enter__()
    except (Error, OSError):
        return None
    traces = Traces(Path(settings["traces"]))
    given = {"traces_dir": traces.folder()}
    options = complete_launch_options(settings, playwright.chromium, given)
    try:
        browser = playwright.chromium.launch(**options)
        _warm(browser)
        traces.tidy()
    except Error:
        manager.__exit__(None, None, None)
        return None
    prepared = Prepared(manager, playwright, browser, options)
    prepared.install()
    return prepared


def _warm(browser: Any) -> None:
    """Do what a traced test does, in a context of its own, of which nothing stays: the first time takes the driver long."""
    context = browser.new_context()
    context.tracing.start(screenshots=True, snapshots=True, sources=True)
    page = context.new_page()
    page.set_content("<button>Press</button>")
    page.get_by_role("button").click()
    context.tracing.stop()
    context.close()


def _given(options: dict[str, Any]) -> dict[str, Any]:
    """Options without those that say nothing."""
    given = {name: value for name, value in options.items() if value is not None}
    return {name: value for name, value in given.items() if _AS_BY_DEFAULT.get(name) != value}
