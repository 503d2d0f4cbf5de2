"""From a job's `config` to what the test process is told to do with its browsers.

Where something can be left to the browser itself, it is: a route in the test process would slow each request, turn off the
browser's cache, and hold requests up while the test computes or sleeps.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from wainwright.worker.runners.blocked_ad_hosts import AD_HOSTS, is_at_or_below

_CONTEXT_OPTIONS = {"viewport": "viewport", "locale": "locale", "timezone": "timezone_id", "userAgent": "user_agent"}
"""Names in `config` -> options of Playwright's `Browser.new_context`."""

_POINTER = "primaryHoverType=2,availableHoverTypes=2,primaryPointerType=4,availablePointerTypes=4"
"""Playwright's words to a headless Chromium of its mouse, by the same switch as the images, of which the last one wins."""

DEFAULT_VIEWPORT = {"width": 1280, "height": 720}


def build_settings(config: Mapping[str, Any], base_url: str | None) -> dict[str, Any]:
    """Return the test process's settings that follow from `config` (keys of the API): {contextOptions, waitForMs, headers,
    headersOrigin | null, blockedHosts, launchArgs}."""
    blocked = _blocked_hosts(base_url) if config.get("blockAds") else []
    arguments = []
    if config.get("disableImages"):
        arguments.append(f"--blink-settings=imagesEnabled=false,{_POINTER}")
    if blocked:
        rules = ",".join(f"MAP {host} ~NOTFOUND,MAP *.{host} ~NOTFOUND" for host in blocked)
        arguments.append(f"--host-resolver-rules={rules}")
    headers = dict(config.get("extraHeaders") or {})
    return {
        "contextOptions": _context_options(config),
        "waitForMs": config.get("waitFor") or 0,
        "headers": headers,
        "headersOrigin": origin_of(base_url) if headers and base_url else None,
        "blockedHosts": blocked,
        "launchArgs": arguments,
    }


def origin_of(url: str) -> str:
    """Scheme, host and port, as a request's URL begins: without a port that is the scheme's own, without user and password."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if not host.isascii():
        host = host.encode("idna").decode("ascii")
    host = f"[{host}]" if ":" in host else host
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port not in (None, usual) else "")


def _context_options(config: Mapping[str, Any]) -> dict[str, Any]:
    options: dict[str, Any] = {"viewport": DEFAULT_VIEWPORT}
    for name, option in _CONTEXT_OPTIONS.items():
        if config.get(name) is not None:
            options[option] = config[name]
    if config.get("reducedMotion"):
        options["reduced_motion"] = "reduce"
    return options


def _blocked_hosts(base_url: str | None) -> list[str]:
    """All of the list but what the site under test itself is part of."""
    own = (urlsplit(base_url).hostname or "") if base_url else ""
    return [host for host in AD_HOSTS if not is_at_or_below(own, host)]
