"""``docs/architecture.md`` leads to files that exist, and names each place once."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
PLACES = re.findall(r"^\| (?!…)[^|]+ \| (`[^|]+) \|$", PAGE.partition("## Where do I find")[2], re.MULTILINE)
PATHS = sorted({path for place in PLACES for path in re.findall(r"`([\w./]+)`", place)})
STACKS = {
    "a submit, to the transaction": 5,
    "a claim, to its test process": 5,
    "a lane's test, to its test process": 6,
}


@pytest.mark.parametrize("path", PATHS)
def test_leads_to_files_that_exist(path: str) -> None:
    folder = ROOT if path.startswith(("functions/", "infra/")) else ROOT / "layers/core/python/wainwright"
    assert (folder / path).exists()


def test_answers_25_questions_and_more() -> None:
    assert len(PLACES) - len(STACKS) >= 25


@pytest.mark.parametrize("subject", STACKS)
def test_a_call_crosses_no_more_files_than_the_page_says(subject: str) -> None:
    row = next(line for line in PAGE.splitlines() if line.startswith(f"| {subject} |"))
    assert len(re.findall(r"`[\w./]+\.py`", row)) == STACKS[subject]


def test_the_readme_leads_there() -> None:
    assert "(docs/architecture.md)" in (ROOT / "README.md").read_text(encoding="utf-8")
