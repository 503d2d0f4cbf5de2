"""Settings of the runner's process for a Playwright Test run, and the configuration that hands the suite's own to ours."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from wainwright.worker.runners.browser_settings import browser_settings
from wainwright.worker.runners.detect_runner import playwright_config
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
BROWSERS: tuple[BrowserName, ...] = ("chromium", "firefox", "webkit")
Purpose = Literal["run", "list", "serve", "with servers"]
"""Purpose of a start: run tests; list them; run the suite's servers and no test; run tests while others run the servers."""
_EVIDENCE = ("trace", "screenshot", "video")
_OPTIONS = {"viewport": "viewport", "locale": "locale", "timezone": "timezoneId", "userAgent": "userAgent"}
"""Names in `config` -> options of Playwright Test's `use`."""
_COMMON_JS = """\
"use strict";
const helper = require({helper});
let found = {{}};
try {{
  {found_common}
}} catch (error) {{
  helper.failed(error, {settings}, {file});
}}
module.exports = helper.wrap(found, {settings});
"""
_MODULE = """\
import {{ createRequire }} from "node:module";
const helper = createRequire(import.meta.url)({helper});
let found = {{}};
try {{
  {found_module}
}} catch (error) {{
  helper.failed(error, {settings}, {file});
}}
export default helper.wrap(found, {settings});
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


def write_helpers(root: Path) -> Path:
    """Our part of the runner's processes, copied below a folder of the name by which Playwright Test knows what need not be
    compiled: all else it compiles anew in each run, which takes a tenth of a second and more.
    """
    copy = root / "node_modules" / "wainwright"
    if not copy.exists():
        shutil.copytree(HELPERS, copy)
    return copy


def write_configuration(folder: Path, settings: Path, helpers: Path) -> Path:
    """A configuration of ours beside the suite's own, of the same kind; returns its path."""
    own = playwright_config(folder)
    ending = own.suffix if own else ".cjs"
    literal = {
        "helper": json.dumps(str(helpers / "config.cjs")),
        "settings": json.dumps(str(settings)),
        "file": json.dumps(str(own) if own else None),
        "found_common": f"found = require({json.dumps(f'./{own.name}')});" if own else "",
        "found_module": f"found = await import({json.dumps(f'./{own.name}')});" if own else "",
    }
    path = folder / f"{WRAPPER}{ending}"
    template = _MODULE if _is_module(folder, ending) else _COMMON_JS
    write_anew(path, template.format(**literal).encode())
    return path


def write_serving(folder: Path, settings: Path, runner: PlaywrightTest) -> Path:
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


def settings_of(
    request: SuiteRequest,
    runner: PlaywrightTest,
    descriptors: tuple[int, int],
    *,
    control: Path,
    blob: Path | None,
    page: Path | None,
) -> dict[str, Any]:
    """Return the settings that `settings.cjs` describes, but for those of the purpose."""
    configured = browser_settings(request.config, request.base_url)
    found = {name: find_browser(name, package=runner.core) for name in BROWSERS}
    install = f"npx playwright@{runner.version} install --with-deps"
    own = playwright_config(request.folder)
    output = request.output.resolve()
    job = request.job or {}
    return {
        "eventsFd": descriptors[0],
        "controlFd": descriptors[1],
        "control": str(control),
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
        "waitForMs": configured["waitForMs"],
        "headers": configured["headers"],
        "headersOrigin": configured["headersOrigin"],
        "blockedHosts": configured["blockedHosts"],
        "run": secrets.token_hex(3),
        "only": None if request.select is None else sorted(request.select),
        "deselected": sorted(request.deselect),
        "blob": str(blob) if blob else None,
        "page": {"folder": str(page), "title": str(job.get("label") or job.get("id") or "")} if page else None,
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
