"""Where Playwright records traces: in a folder that outlives the test process, should that be killed."""

from __future__ import annotations

import shutil
from itertools import count
from pathlib import Path
from typing import Any


class Traces:
    """A folder for each browser. What is left in it when everything is killed is of the tests that were running."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._numbers = count(1)
        self._open = 0

    def folder(self) -> str:
        """Where a browser that is about to be launched records."""
        return str(self._root / str(next(self._numbers)))

    def opened(self, context: Any) -> None:
        """A browser context is there, which may record until it is closed."""
        self._open += 1
        context.on("close", self._closed)

    def _closed(self, *_: Any) -> None:
        self._open -= 1

    def tidy(self) -> None:
        """Remove what ended recordings have left. While a context is open one may go on: then nothing is removed."""
        if self._open <= 0:
            shutil.rmtree(self._root, ignore_errors=True)
