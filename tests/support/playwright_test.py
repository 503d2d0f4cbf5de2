"""Playwright Test, installed once for all tests on this machine, as the example's lock file has it.

`WAINWRIGHT_PLAYWRIGHT_TEST=1.46.1` has the tests use that version, to see with which ones suites run.
"""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from wainwright.worker.runners.node import find_node

EXAMPLE = Path(__file__).parents[2] / "examples" / "web-shop-ts"


def installed_playwright_test() -> Path:
    """A `node_modules` folder with it. Several processes may ask at once: each installs beside, and the first one's stays."""
    lock = EXAMPLE / "package-lock.json"
    locked = json.loads(lock.read_text())["packages"]["node_modules/@playwright/test"]["version"]
    version = os.environ.get("WAINWRIGHT_PLAYWRIGHT_TEST", locked)
    place = Path(tempfile.gettempdir()) / f"wainwright-tests-{os.getuid()}" / f"playwright-test-{version}"
    if not place.is_dir():
        place.parent.mkdir(mode=0o700, exist_ok=True)
        made = Path(tempfile.mkdtemp(dir=place.parent))
        command = ["ci"]
        if version == locked:
            for name in ("package.json", "package-lock.json"):
                shutil.copyfile(EXAMPLE / name, made / name)
        else:
            (made / "package.json").write_text('{ "private": true }')
            command = ["install", f"@playwright/test@{version}"]
        node = find_node()
        npm = node.parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        options = ("--ignore-scripts", "--no-audit", "--no-fund", "--silent")
        subprocess.run([node, npm, *command, *options], cwd=made, check=True, timeout=300)
        try:
            made.rename(place)
        except OSError:  # another was first
            shutil.rmtree(made)
    return place / "node_modules"
