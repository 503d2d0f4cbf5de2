"""A test process that waits for its suite: run by `python -m wainwright_child.spare EVENTS CONTROL SETTINGS`.

EVENTS and CONTROL are inherited descriptors, SETTINGS a file: {executables, windowed: {chromium: path | null}, launchArgs,
sandbox, traces: folder, withoutPlugins: [name of an entry point]}. Once everything is ready it writes {"type": "ready"} to
EVENTS. From CONTROL it reads one order, a line with the number of bytes and then as many bytes of JSON: {arguments: of pytest,
environment: all of it, folder}. It says {"type": "begun"}, and is from then on what `python -m pytest` in that folder would
have been.
"""

from __future__ import annotations

import gc
import importlib
import importlib.metadata
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

MODULES = (
    *("html", "difflib", "zipfile", "mimetypes", "asyncio", "xml.sax.saxutils"),
    *("slugify", "requests", "greenlet", "execnet", "pdb", "readline", "playwright.async_api"),
    *("wainwright_child.browsers", "wainwright_child.control", "wainwright_child.failures", "wainwright_child.feeding"),
    *("wainwright_child.headers", "wainwright_child.job", "wainwright_child.recording", "wainwright_child.scripts"),
)
"""Imported by any suite's process. Plugins that pytest loads are not among them: see :func:`import_plugins`."""
OUR_PLUGIN = "wainwright_child.plugin"


def main(arguments: list[str]) -> int:
    """Get ready, wait, and be the suite's process; 0 if no suite comes."""
    events, control = int(arguments[0]), int(arguments[1])
    settings = json.loads(Path(arguments[2]).read_text(encoding="utf-8"))
    for descriptor in (events, control):
        os.set_inheritable(descriptor, False)
    gc.disable()
    import_ahead()
    import_plugins(settings["withoutPlugins"])
    from . import handing_over

    prepared = handing_over.prepare(settings)
    # What is here now stays until the end: collections that look at it take long, and pytest and the interpreter make several
    # when they end.
    gc.collect()
    gc.freeze()
    gc.enable()
    say(events, "ready")
    order = read_order(control)
    if order is None:
        return 0
    say(events, "begun")
    return run(order, prepared)


def run(order: dict[str, Any], prepared: Any) -> int:
    """Take on what the suite's own process would have been started with."""
    import pytest

    os.environ.clear()
    os.environ.update(order["environment"])
    os.chdir(order["folder"])
    sys.path[0] = order["folder"]  # where `python -m` puts the folder in which it is started
    sys.argv = [str(Path(pytest.__file__).parent / "__main__.py"), *order["arguments"]]
    try:
        return int(pytest.main(order["arguments"]))
    finally:
        if prepared is not None:
            prepared.close_unused()


def import_ahead() -> None:
    """Import the modules that will be needed, as far as they are installed."""
    import _pytest.config

    builtin = [f"_pytest.{name}" for name in getattr(_pytest.config, "default_plugins", ())]
    for name in ("pytest", *builtin, *MODULES):
        try:
            importlib.import_module(name)
        except ImportError:
            continue


def import_plugins(without: Sequence[str]) -> None:
    """Import pytest's installed plugins but these, and ours, as pytest does it: with their assertions rewritten. It would warn of
    others. To rewrite them takes it most of its start where it cannot keep them, as here."""
    from _pytest.assertion import install_importhook
    from _pytest.config import get_config

    config = get_config()
    hook = install_importhook(config)
    try:
        config._mark_plugins_for_rewrite(hook, disable_autoload=False)  # noqa: SLF001 - it has no public way
        hook.mark_rewrite(OUR_PLUGIN)
        installed = importlib.metadata.entry_points(group="pytest11")
        for name in (*(each.module for each in installed if each.name not in without), OUR_PLUGIN):
            try:
                importlib.import_module(name)
            except ImportError:
                continue
    finally:
        config._ensure_unconfigure()  # noqa: SLF001 - takes the hook away: the suite's own session has one


def say(events: int, kind: str) -> None:
    """Write one record."""
    os.write(events, json.dumps({"type": kind}).encode() + b"\n")


def read_order(control: int) -> dict[str, Any] | None:
    """Read the order, and not a byte more, since what follows is for others; None if the worker has closed the pipe."""
    data = b""
    with open(control, "rb", buffering=0, closefd=False) as pipe:
        length = int(pipe.readline() or 0)
        while len(data) < length:
            if not (more := pipe.read(length - len(data))):
                return None
            data += more
    order: dict[str, Any] | None = json.loads(data) if data else None
    return order


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
