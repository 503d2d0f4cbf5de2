"""Writing to terminals, pipes and files. Whatever comes from tests is cleaned: it may hold anything."""

import os
import re
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping, Sequence

    from pydantic import BaseModel
    from rich.console import Console

PLAIN_WIDTH = 160
"""Characters of a line where the output is no terminal and COLUMNS does not say."""

LINE_LENGTH = 200
"""Characters of a foreign line that are shown."""

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def console(*, stderr: bool = False) -> "Console":
    """Return a console on standard output or error, which does not read markup or emoji into what it prints."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else PLAIN_WIDTH
    return Console(stderr=stderr, width=width, markup=False, emoji=False, highlight=False)


def note(text: str) -> None:
    """Print a line of progress on standard error, apart from the output."""
    sys.stderr.write(f"{clean(text)}\n")
    sys.stderr.flush()


def clean(text: str) -> str:
    """Return the text without colours, and with other control characters made harmless, tab and newline left."""
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", _COLOURS.sub("", text))


def first_line(text: str) -> str:
    """Return the first line that is not empty, cleaned and cut."""
    return cut(next((line.strip() for line in clean(text).splitlines() if line.strip()), ""))


def cut(line: str) -> str:
    """Return the line, or its beginning where it is very long."""
    return line if len(line) <= LINE_LENGTH else f"{line[: LINE_LENGTH - 1]}…"


def count(number: int, noun: str) -> str:
    """Return a number and its noun: ``1 test``, ``2 tests``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def seconds(milliseconds: float | None) -> str:
    """Return a duration for people: ``0.8 s``, ``2 min 05 s``."""
    if milliseconds is None:
        return ""
    whole = milliseconds / 1_000
    return f"{whole:.1f} s" if whole < 60 else f"{int(whole) // 60} min {int(whole) % 60:02d} s"


def print_json(record: "BaseModel") -> None:
    """Print a record as JSON, spelt as on the wire."""
    sys.stdout.write(record.model_dump_json(by_alias=True, indent=2) + "\n")


def print_rows(rows: "Mapping[str, str | None]") -> None:
    """Print names and values, without those that are empty."""
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    for name, value in rows.items():
        if value:
            table.add_row(Text(name, style="dim"), Text(clean(value), overflow="fold"))
    console().print(table)


def print_table(
    columns: "Sequence[str]",
    rows: "Iterable[Sequence[str]]",
    *,
    wrapped: "Container[str] | None" = None,
    width: int = 0,
) -> None:
    """Print a table, at least ``width`` characters wide; only the columns of ``wrapped`` are, or all where it is None."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in columns:
        table.add_column(name, no_wrap=wrapped is not None and name not in wrapped, overflow="fold")
    for row in rows:
        table.add_row(*(Text(clean(cell)) for cell in row))
    printer = console()
    printer.width = max(printer.width, width)
    printer.print(table)
