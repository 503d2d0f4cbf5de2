"""Settings of the runner's process for a Playwright Test run, and the configuration that hands the suite's own to ours."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from wainwright.worker.runners.browser_settings import build_settings
from wainwright.worker.runners.detect_runner import find_playwright_config
from wainwright.worker.runners.node import PlaywrightTest
from wainwright.worker.runners.suite import SuiteRequest
from wainwright.worker.sandbox.find_browser import (
    QUIET_FLAGS,
    BrowserMissing,
    BrowserName,
    browsers_path,
    find_browser,
    programs,
)
from wainwright.worker.sandbox.isolation import write_anew
from wainwright.worker.sandbox.process import CHILD_PATH
from wainwright.worker.sandbox.video_encoder import lacks_ffmpeg

HELPERS = CHILD_PATH / "playwright_test"
WRAPPER = ".wainwright.config"
"""Name of our configuration without its ending; it lies beside the suite's, for what is relative to that."""
BLOB = "blob.zip"
"""In the output folder: Playwright Test's own report of this run is made from it."""
PAGE = Path("page", "index.html")
"""In the output folder: Playwright Test's own report of a run of all tests, with stubs in the place of files."""
BROWSERS: tuple[BrowserName, ...] = ("chromium", "firefox", "webkit")
Purpose = Literal["run", "list", "serve", "with servers"]
"""Purpose of a start: run tests; list them; run the suite's servers and no test; run tests while others run the servers."""
_EVIDENCE = ("trace", "screenshot", "video")
_OPTIONS = {"viewport": "viewport", "locale": "locale", "timezone": "timezoneId", "userAgent": "userAgent"}
"""Names in `config` -> options of Playwright Test's `use`."""
_COMMON_JS = ('"use strict";\nconst helper = require({helper});\n', "module.exports = wrapped;\n")
_MODULE = (
    'import {{ createRequire }} from "node:module";\nconst helper = createRequire(import.meta.url)({helper});\n',
    "export default wrapped;\n",
)
_CONFIGURATION = """\
let found = {{}};
try {{
  found = {load};
}} catch (error) {{
  helper.failed(error, {settings}, {file});
}}
const wrapped = helper.wrap(found, {settings});
"""
_NO_FFMPEG = (
    "No ffmpeg was found, which videos are made with. Install one on the worker with: pip install imageio-ffmpeg. "
    "Or do without videos: --video off"
)

_HOLD = """\
"use strict";
const {{ load, send }} = require({settings_helper});
module.exports = () => {{
  send(load({settings}), "serving", {{}});
  return new Promise(() => setInterval(() => {{}}, 1_000_000));
}};
"""
_NO_TEST = """\
"use strict";
const {{ createRequire }} = require("node:module");
createRequire({cli})("@playwright/test").test("serves", () => {{}});
"""


def write_settings(
    request: SuiteRequest,
    runner: PlaywrightTest,
    root: Path,
    purpose: Purpose,
    descriptors: tuple[int, int],
    *,
    whole: bool,
) -> Path:
    """Write the settings, and a configuration beside the suite's own, of the same kind; return the latter's path. `whole`: all
    tests are run. Of a part of them a page would be thrown away: theirs is merged from the blobs of all parts."""
    control = root / f"control-{descriptors[0]}"
    control.mkdir(exist_ok=True)
    request.isolation.lend(control)
    output = request.output.resolve()
    blob = None if purpose in ("list", "serve") else output / BLOB
    job = request.job or {}
    title = str(job.get("label") or job.get("id") or "")
    file = root / "settings.json"
    settings = {
        **_settings_of(request, runner),
        "eventsFd": descriptors[0],
        "controlFd": descriptors[1],
        "control": str(control),
        "purpose": purpose,
        "serving": str(_write_serving(root / "serving", file, runner)) if purpose == "serve" else None,
        "blob": str(blob) if blob else None,
        "page": {"folder": str(output / PAGE.parent), "title": title} if blob and whole else None,
    }
    file.write_text(json.dumps(settings), encoding="utf-8")
    return _write_configuration(request.folder.resolve(), file, write_helpers(root))


def write_helpers(root: Path) -> Path:
    """Copy our part of the runner's processes below a folder whose name keeps Playwright Test from compiling it in each run."""
    copy = root / "node_modules" / "wainwright"
    if not copy.exists():
        shutil.copytree(HELPERS, copy)
    return copy


def _write_configuration(folder: Path, settings: Path, helpers: Path) -> Path:
    own = find_playwright_config(folder)
    ending = own.suffix if own else ".cjs"
    is_module = _is_module(folder, ending)
    load = f"{'await import' if is_module else 'require'}({json.dumps(f'./{own.name}')})" if own else "{}"
    words = {"helper": str(helpers / "config.cjs"), "settings": str(settings), "file": str(own) if own else None}
    literal = {name: json.dumps(value) for name, value in words.items()}
    head, tail = _MODULE if is_module else _COMMON_JS
    path = folder / f"{WRAPPER}{ending}"
    write_anew(path, f"{head}{_CONFIGURATION}{tail}".format(**literal, load=load).encode())
    return path


def _write_serving(folder: Path, settings: Path, runner: PlaywrightTest) -> Path:
    """Write a global setup that comes when the servers are there and does not end, and a test, without which nothing starts."""
    folder.mkdir()
    words = {"settings_helper": HELPERS / "settings.cjs", "settings": settings, "cli": runner.cli}
    literal = {name: json.dumps(str(path)) for name, path in words.items()}
    (folder / "hold.cjs").write_text(_HOLD.format(**literal), encoding="utf-8")
    (folder / "serves.test.cjs").write_text(_NO_TEST.format(**literal), encoding="utf-8")
    return folder


def _is_module(folder: Path, ending: str) -> bool:
    """Return True if Node.js takes such a file for an ECMAScript module, as Playwright Test does."""
    if ending in (".mjs", ".mts", ".cjs", ".cts"):
        return ending.startswith(".m")
    package = next((path for each in (folder, *folder.parents) if (path := each / "package.json").is_file()), None)
    if package is None:
        return False
    try:
        content = json.loads(package.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and content.get("type") == "module"


def _settings_of(request: SuiteRequest, runner: PlaywrightTest) -> dict[str, Any]:
    """Return the settings that follow from the request and the machine, as `settings.cjs` describes them."""
    configured = build_settings(request.config, request.base_url)
    found = {name: find_browser(name, package=runner.core) for name in BROWSERS}
    install = f"npx playwright@{runner.version} install --with-deps"
    own = find_playwright_config(request.folder)
    output = request.output.resolve()
    return {
        **configured,
        "folder": str(request.folder.resolve()),
        "output": str(output),
        "logs": str(output / "logs"),
        "cli": str(runner.cli),
        "configFile": own.name if own else "a playwright.config.ts",
        **programs(each for each in found.values() if not isinstance(each, BrowserMissing)),
        "missing": {
            name: f"No {name} browser was found for @playwright/test {runner.version}. Install one with: {install} {name}"
            for name, each in found.items()
            if isinstance(each, BrowserMissing)
        },
        "ffmpegMissing": _NO_FFMPEG if lacks_ffmpeg(browsers_path(os.environ), runner.core, os.environ) else None,
        "browsers": list(request.browsers),
        "launchArgs": [*QUIET_FLAGS, *configured["launchArgs"]],
        "sandbox": request.sandbox,
        "forced": _evidence({name: request.config[name] for name in _EVIDENCE if request.config.get(name)}),
        "fallback": _evidence({name: getattr(request, name) for name in _EVIDENCE}),
        "baseURL": request.base_url,
        "contextOptions": _context_options(request.config),
        "run": secrets.token_hex(3),
        "only": None if request.select is None else sorted(request.select),
        "deselected": sorted(request.deselect),
    }


def _context_options(config: Mapping[str, Any]) -> dict[str, Any]:
    options = {_OPTIONS[name]: config[name] for name in _OPTIONS if config.get(name) is not None}
    return {**options, "reducedMotion": "reduce"} if config.get("reducedMotion") else options


def _evidence(chosen: Mapping[str, str]) -> dict[str, str]:
    """Return the choices in Playwright Test's words."""
    words = dict(chosen)
    if words.get("screenshot") == "retain-on-failure":
        words["screenshot"] = "only-on-failure"
    return words
