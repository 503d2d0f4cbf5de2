"""``docs/features.md`` names tests that exist, and every requirement once."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "features.md").read_text()
ROWS = re.findall(r"^\| ([A-D]\d+) \|", PAGE, re.MULTILINE)
TESTS = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)))


def test_names_each_requirement_once() -> None:
    assert len(ROWS) == len(set(ROWS))
    wanted = {f"A{n}" for n in (*range(1, 13), *range(14, 18))} | {f"C{n}" for n in range(1, 14)} | {"B8"}
    wanted |= {f"D{n}" for n in (*range(1, 13), 14)}
    assert set(ROWS) == wanted


@pytest.mark.parametrize(("file", "name"), TESTS)
def test_names_tests_that_exist(file: str, name: str) -> None:
    assert re.search(rf"^\s*(async )?def {name}\(", (ROOT / file).read_text(), re.MULTILINE)
