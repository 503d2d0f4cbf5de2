"""``docs/benchmarks.md`` has a row for each benchmark, and for nothing else."""

import re
from pathlib import Path

from benchmarks.__main__ import BENCHMARKS

ROOT = Path(__file__).parents[3]


def test_has_a_row_for_each_benchmark() -> None:
    page = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE) == list(BENCHMARKS)


def test_the_readme_leads_there() -> None:
    assert "(docs/benchmarks.md)" in (ROOT / "README.md").read_text(encoding="utf-8")
