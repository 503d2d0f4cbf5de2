"""The rival for TypeScript: ``@playwright/test`` in the exact version of ``examples/web-shop-ts``, installed once per machine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from wainwright.worker.runners.node import NodeMissing, find_node, find_playwright_test

VERSION = "1.65.1"
"""The exact version that is measured. The example's lock names the same, and the digests by which npm checks what it gets."""

EXAMPLE = Path(__file__).parents[1] / "examples" / "web-shop-ts"
MANIFESTS = ("package.json", "package-lock.json")
INSTALL_SECONDS = 300


class RivalMissing(Exception):
    """Playwright Test cannot be had here; the message says why."""


@dataclass(frozen=True)
class Rival:
    """An installed Playwright Test. ``packages`` is its ``node_modules``."""

    node: Path
    cli: Path
    packages: Path

    def command(self, *arguments: str) -> list[str]:
        """``playwright test`` with these arguments."""
        return [str(self.node), str(self.cli), "test", *arguments]

    def lend(self, folder: Path) -> None:
        """Let a suite's folder find the packages, as a worker does it: by a link."""
        (folder / "node_modules").symlink_to(self.packages, target_is_directory=True)


def installed() -> Rival:
    """Playwright Test, installed into the user's cache folder by the npm that comes with our Node.js, if it is not there yet.

    Raises:
        RivalMissing: there is no Node.js, or npm could not install it.
    """
    lock = json.loads((EXAMPLE / "package-lock.json").read_text())
    locked = lock["packages"]["node_modules/@playwright/test"]["version"]
    if locked != VERSION:
        raise RivalMissing(f"{EXAMPLE.name} has @playwright/test {locked}, and benchmarks.playwright_test {VERSION}")
    try:
        node = find_node()
    except NodeMissing as error:
        raise RivalMissing(str(error)) from error
    cache = platformdirs.user_cache_path("wainwright", appauthor=False) / "benchmarks"
    place = cache / f"playwright-test-{VERSION}"
    if not place.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        _install(node, place)
    return Rival(node, find_playwright_test(place).cli, place / "node_modules")


def _install(node: Path, place: Path) -> None:
    """Beside the place first, so that what is there is complete."""
    made = Path(tempfile.mkdtemp(dir=place.parent))
    for name in MANIFESTS:
        shutil.copyfile(EXAMPLE / name, made / name)
    npm = node.parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    options = ("ci", "--include=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier")
    environment = os.environ | {"PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD": "1"}
    try:
        subprocess.run(
            [node, npm, *options], cwd=made, env=environment, check=True, capture_output=True, text=True,
            timeout=INSTALL_SECONDS,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        shutil.rmtree(made, ignore_errors=True)
        said = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
        raise RivalMissing(f"npm could not install @playwright/test {VERSION}: {said[0] if said else error}") from error
    made.chmod(0o755)
    made.rename(place)
