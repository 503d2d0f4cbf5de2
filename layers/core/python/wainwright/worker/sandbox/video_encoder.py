"""The encoder that Playwright makes videos with, where it has not downloaded its own."""

from __future__ import annotations

import importlib
import importlib.util
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from wainwright.worker.sandbox.find_browser import revision_of

_PROGRAMS = {"linux": "ffmpeg-linux", "darwin": "ffmpeg-mac"}
"""By platform, as Playwright names it."""


def browsers_with_ffmpeg(browsers: Path, root: Path, driver: Path, environ: Mapping[str, str]) -> Path:
    """Return a folder of browsers in which Playwright finds ffmpeg: the one given, if it has it or none is to be had.

    Else one made below ``root``, of links to what the given one holds and to an ffmpeg of this machine: imageio-ffmpeg's,
    or the one on PATH. ``driver`` is the playwright-core whose revision is meant.
    """
    missing = _missing_ffmpeg(browsers, driver)
    encoder = find_ffmpeg(environ) if missing else None
    if missing is None or encoder is None:
        return browsers
    made = root / "browsers"
    if made.is_dir():
        return made
    made.mkdir()
    for path in browsers.iterdir() if browsers.is_dir() else ():
        (made / path.name).symlink_to(path)
    folder = made / missing.parent
    if folder.is_symlink():  # begun, and never complete
        folder.unlink()
    folder.mkdir()
    (made / missing).symlink_to(encoder)
    (folder / "INSTALLATION_COMPLETE").touch()
    return made


def lacks_ffmpeg(browsers: Path, driver: Path, environ: Mapping[str, str]) -> bool:
    """True if :func:`browsers_with_ffmpeg` finds none, on a platform where it knows what to look for."""
    return _missing_ffmpeg(browsers, driver) is not None and find_ffmpeg(environ) is None


def find_ffmpeg(environ: Mapping[str, str]) -> Path | None:
    """Return an ffmpeg of this machine; None if there is none."""
    if importlib.util.find_spec("imageio_ffmpeg") is not None:
        return Path(importlib.import_module("imageio_ffmpeg").get_ffmpeg_exe())
    found = shutil.which("ffmpeg", path=environ.get("PATH", os.defpath))
    return Path(found) if found else None


def _missing_ffmpeg(browsers: Path, driver: Path) -> Path | None:
    """Return the path of Playwright's ffmpeg in a folder of browsers; None if it is there, or the platform has none."""
    program, revision = _PROGRAMS.get(sys.platform), revision_of(driver, "ffmpeg")
    if program is None or revision is None or (browsers / f"ffmpeg-{revision}" / program).exists():
        return None
    return Path(f"ffmpeg-{revision}", program)
