"""Writing to terminals, pipes and files. Whatever comes from tests is cleaned: it may hold anything."""

import os
import re
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

PLAIN_WIDTH = 160
"""Characters of a line where the output is no terminal and COLUMNS does not say."""

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def console(*, stderr: bool = False) -> "Console":
    """A console on standard output or error, which does not read markup or emoji into what it prints."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else PLAIN_WIDTH
    return Console(stderr=stderr, width=width, markup=False, emoji=False, highlight=False)


def note(text: str) -> None:
    """A line of progress on standard error, where it is in nobody's way."""
    sys.stderr.write(f"{clean(text)}\n")
    sys.stderr.flush()


def clean(text: str) -> str:
    """The text without colours, and with other control characters made harmless, tab and newline left."""
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", _COLOURS.sub("", text))


def first_line(text: str, *, most: int = 200) -> str:
    """The first line that says something, cleaned and cut."""
    line = next((line.strip() for line in clean(text).splitlines() if line.strip()), "")
    return line if len(line) <= most else f"{line[: most - 1]}…"


def count(number: int, noun: str) -> str:
    """A number and what it counts: ``1 test``, ``2 tests``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def seconds(milliseconds: float | None) -> str:
    """A duration for people: ``0.8 s``, ``2 min 05 s``."""
    if milliseconds is None:
        return ""
    whole = milliseconds / 1_000
    return f"{whole:.1f} s" if whole < 60 else f"{int(whole) // 60} min {int(whole) % 60:02d} s"
