"""Each benchmark runs from its start to its end and writes what it measured. What it measures is no matter here."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import BENCHMARKS

ROOT = Path(__file__).parents[2]
WITHOUT_A_BUDGET = {"throughput", "queue_rival"}
QUICK = {"cold_start"}
"""What a test run on two cores has time for; the rest run with ``make test-all``."""

MOST_SECONDS = 300


def _benchmarks() -> list[object]:
    marks = {True: [], False: [pytest.mark.thorough]}
    return [pytest.param(name, marks=marks[name in QUICK], id=name) for name in BENCHMARKS]


@pytest.mark.e2e
@pytest.mark.slow
@pytest.mark.parametrize("name", _benchmarks())
def test_a_smoke_run_writes_tables_and_verdicts(name: str, tmp_path: Path) -> None:
    file = tmp_path / f"{name}.json"

    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", "--smoke", "--json", str(file)],
        cwd=ROOT, capture_output=True, text=True, timeout=MOST_SECONDS, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    written = json.loads(file.read_text())
    assert (written["benchmark"], written["smoke"]) == (name, True)
    assert written["notes"]
    assert written["tables"]
    for table in written["tables"]:
        assert table["rows"], table["title"]
        assert all(len(row) == len(table["columns"]) for row in table["rows"]), table["title"]
        assert table["title"] in done.stdout
    assert bool(written["verdicts"]) is (name not in WITHOUT_A_BUDGET)
    for verdict in written["verdicts"]:
        # Whatever was not measured says why.
        assert verdict["met"] is not None or verdict["note"], verdict
