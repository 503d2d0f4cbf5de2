"""A plain Python script as a suite of one test: it passes if it comes to its end, or leaves with exit code 0."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest


class ScriptFailed(Exception):
    """The script left with another exit code than 0."""


class ScriptFile(pytest.File):
    """The file of the script, which is not imported: that would run it."""

    def collect(self) -> Iterator[pytest.Item]:
        """The script itself."""
        yield Script.from_parent(self, name=self.path.stem)


class Script(pytest.Item):
    """The script, run in this process, so that its browsers are found and heard as those of any test."""

    def runtest(self) -> None:
        """Run it as `python FILE` would."""
        arguments, path = sys.argv, list(sys.path)
        sys.argv = [str(self.path)]
        sys.path.insert(0, str(self.path.parent))
        try:
            runpy.run_path(str(self.path), run_name="__main__")
        except SystemExit as end:
            if end.code not in (None, 0):
                said = f"exit code {end.code}" if isinstance(end.code, int) else str(end.code)
                raise ScriptFailed(f"the script ended itself: {said}").with_traceback(end.__traceback__) from None
        finally:
            sys.argv, sys.path[:] = arguments, path

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Return the place at which it begins."""
        return self.path, 0, self.name
