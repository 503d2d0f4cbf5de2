"""Environment variables and private folders of the test process."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from wainwright.worker.sandbox.find_browser import browsers_path, driver_package
from wainwright.worker.sandbox.isolation import NOT_ISOLATED, Isolation
from wainwright.worker.sandbox.video_encoder import browsers_with_ffmpeg

PASSED_ON = frozenset(
    {"PATH", "LANG", "LANGUAGE", "TZ", "PLAYWRIGHT_NODEJS_PATH", "FONTCONFIG_PATH", "FONTCONFIG_FILE"}
)
"""Variables of the worker that the tests may see, besides LC_*. Everything else, credentials above all, stays here."""
MAX_TEMP_PATH = 60
"""Longest usable TMPDIR: Chromium puts a socket some 45 characters below it, and a socket's path may have 107
(sun_path).
"""


@dataclass(frozen=True)
class PrivateFolders:
    """Private folders of one run, removed after it. The process user makes home and temporary folder itself."""

    root: Path
    home: Path
    temporary: Path

    @property
    def own(self) -> tuple[Path, Path]:
        """Those that the process user makes."""
        return self.home, self.temporary

    @property
    def traces(self) -> Path:
        """Folder of Playwright's recordings, one for each browser. The first recording makes it."""
        return self.home.parent / "traces"

    def remove(self, isolation: Isolation) -> None:
        """Remove them with all that is in them."""
        isolation.remove(*{self.root, self.temporary.parent} - {self.home.parent})  # the last lies below the first


@contextmanager
def private_folders(output: Path, isolation: Isolation = NOT_ISOLATED) -> Iterator[PrivateFolders]:
    """Yield fresh private folders beside `output`."""
    place = make_private_folders(output.parent, isolation)
    try:
        yield place
    finally:
        place.remove(isolation)


def make_private_folders(folder: Path, isolation: Isolation) -> PrivateFolders:
    """Make them in `folder`; the temporary one in the system's where the path would be too long."""
    root = Path(tempfile.mkdtemp(prefix="run-", dir=folder))
    isolation.show(root)
    private = root / "own"
    private.mkdir()
    isolation.lend(private)
    temporary = private / "tmp"
    if len(str(temporary)) > MAX_TEMP_PATH:
        temporary = Path(tempfile.mkdtemp(prefix="ww-")) / "tmp"
        isolation.lend(temporary.parent)
    place = PrivateFolders(root, private / "home", temporary)
    if isolation.user is None:
        for each in place.own:
            each.mkdir()
    return place


def child_environment(
    extra: Mapping[str, str],
    place: PrivateFolders,
    import_path: Path,
    environ: Mapping[str, str] | None = None,
    dependencies: Path | None = None,
    driver: Path | None = None,
) -> dict[str, str]:
    """Return the child's whole environment: an allow-list of ours, its own folders, and what the caller adds (which wins).

    The Python packages in `dependencies` come before the worker's own, so that the suite's versions win. `driver` is the
    playwright-core of a suite that has one of its own.
    """
    environ = os.environ if environ is None else environ
    passed = {name: value for name, value in environ.items() if name in PASSED_ON or name.startswith("LC_")}
    packages = python_packages(dependencies)
    programs = [str(packages / "bin")] if packages else []
    return {
        **passed,
        "PATH": os.pathsep.join([*programs, passed.get("PATH", os.defpath)]),
        "HOME": str(place.home),
        "TMPDIR": str(place.temporary),
        "PLAYWRIGHT_BROWSERS_PATH": str(_browsers(place, environ, driver or own_playwright(dependencies))),
        "PLAYWRIGHT_SKIP_BROWSER_GC": "1",  # the shared browser folder is not the tests' to tidy
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": os.pathsep.join([str(import_path), *([str(packages)] if packages else [])]),
        **extra,
    }


def _browsers(place: PrivateFolders, environ: Mapping[str, str], driver: Path | None) -> Path:
    browsers = browsers_path(environ)
    try:
        return browsers_with_ffmpeg(browsers, place.root, driver or driver_package(), environ)
    except ImportError:  # no Playwright at all: the suite tests no browser
        return browsers


def python_packages(dependencies: Path | None) -> Path | None:
    """Return the folder of an installed environment that holds Python packages, if it has one."""
    folder = dependencies / "python" if dependencies else None
    return folder if folder and folder.is_dir() else None


def own_playwright(dependencies: Path | None) -> Path | None:
    """Return the playwright-core of the Playwright that an installed environment has of its own."""
    packages = python_packages(dependencies)
    core = packages / "playwright" / "driver" / "package" if packages else None
    return core if core and core.is_dir() else None
