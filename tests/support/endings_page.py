"""The matrices of ``docs/endings.md``, as the page has them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "endings.md"
FILES = ("index.html", "results.json", "junit.xml")
EVIDENCE = ("trace", "screenshot", "video", "test log")
OTHERS = ("job log", "terminal event", "statistics")
COLUMNS = ("ending", "status", "category", *FILES, *EVIDENCE, *OTHERS)
TYPESCRIPT = "The same in Playwright Test"
TYPESCRIPT_COLUMNS = ("ending", "the test", "category", *EVIDENCE)


@dataclass(frozen=True)
class Row:
    """One ending. ``there`` says of each column of artifacts whether the page promises it, None where it depends on how far it
    had been written; ``notes`` are letters of notes.
    """

    ending: str
    status: str
    category: str | None
    there: dict[str, bool | None]
    notes: dict[str, str]


def columns(section: str = "The matrix") -> tuple[str, ...]:
    """The heads of a matrix."""
    return _cells(_lines(section)[0])


def rows() -> dict[str, Row]:
    """The rows by their endings."""
    return {row.ending: row for row in (_row(line, COLUMNS) for line in _lines("The matrix")[2:])}


def typescript_rows() -> dict[str, Row]:
    """The rows of what tests of Playwright Test leave. ``status`` is what the page says that the test is."""
    return {row.ending: row for row in (_row(line, TYPESCRIPT_COLUMNS) for line in _lines(TYPESCRIPT)[2:])}


def _lines(title: str) -> list[str]:
    section = PAGE.read_text(encoding="utf-8").partition(f"## {title}")[2].partition("\n## ")[0]
    return re.findall(r"^\|.*\|$", section, re.MULTILINE)


def _cells(line: str) -> tuple[str, ...]:
    return tuple(cell.strip() for cell in line.strip("|").split("|"))


def _row(line: str, columns: tuple[str, ...]) -> Row:
    ending, status, category, *marks = _cells(line)
    there, notes = {}, {}
    for column, mark in zip(columns[3:], marks, strict=True):
        found = re.fullmatch(r"✓|[–~] ([a-z])", mark)
        assert found, f"{ending}, {column}: {mark!r} is neither ✓, nor – or ~ with a note"
        there[column] = None if mark.startswith("~") else mark == "✓"
        if found[1]:
            notes[column] = found[1]
    return Row(ending.strip("`"), status, None if category == "–" else category.strip("`"), there, notes)
