"""``docs/endings.md`` leaves no ending, category or column out, and names tests that exist."""

import re
from pathlib import Path

import pytest

from tests.support.endings_page import COLUMNS, PAGE, TYPESCRIPT, TYPESCRIPT_COLUMNS, columns, rows, typescript_rows
from wainwright.domain.failures import FailureCategory

ROOT = PAGE.parents[1]
TEXT = PAGE.read_text(encoding="utf-8")
CASES = Path(ROOT, "tests", "e2e", "worker", "endings.py").read_text(encoding="utf-8")
TYPESCRIPT_CASES = Path(ROOT, "tests", "e2e", "worker", "test_playwright_test_interrupted.py")
TESTS = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", TEXT)))


def test_the_matrix_has_every_column() -> None:
    assert columns() == COLUMNS
    assert columns(TYPESCRIPT) == TYPESCRIPT_COLUMNS


def test_each_ending_of_the_matrix_is_brought_about_and_no_other() -> None:
    table = CASES.partition("ENDINGS: dict")[2].partition("\n}\n")[0]
    assert list(rows()) == re.findall(r'^    "(\w+)":', table, re.MULTILINE)
    table = TYPESCRIPT_CASES.read_text(encoding="utf-8").partition("ENDINGS: dict")[2].partition("\n}\n")[0]
    assert list(typescript_rows()) == re.findall(r'^    "(\w+)":', table, re.MULTILINE)


def test_each_category_comes_of_an_ending_of_the_matrix_and_is_explained() -> None:
    assert {row.category for row in rows().values()} - {None} == set(FailureCategory)
    explained = TEXT.partition("## Categories")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", explained, re.MULTILINE) == sorted(
        FailureCategory, key=lambda each: explained.index(f"`{each}`")
    )


def test_each_absence_has_a_note() -> None:
    noted = re.findall(r"^- ([a-z])\. ", TEXT, re.MULTILINE)
    assert sorted({note for row in rows().values() for note in row.notes.values()}) == noted
    assert {note for row in typescript_rows().values() for note in row.notes.values()} <= set(noted)


@pytest.mark.parametrize(("file", "name"), TESTS)
def test_names_tests_that_exist(file: str, name: str) -> None:
    assert re.search(rf"^\s*(async )?def {name}\(", (ROOT / file).read_text(), re.MULTILINE)
