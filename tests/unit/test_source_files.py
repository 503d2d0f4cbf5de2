"""Rules for source files that neither ruff nor mypy has: their size, the names of the worker's modules."""

from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MOST_LINES = 400
FOLDERS = ("benchmarks", "examples", "functions", "infra", "layers/core", "scripts", "tests")
FILES = sorted(path.relative_to(ROOT).as_posix() for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))


def test_sees_the_files() -> None:
    assert "tests/unit/test_source_files.py" in FILES
    assert "layers/core/python/wainwright/wiring/__init__.py" in FILES


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_file_is_longer_than_can_be_read_at_a_sitting(folder: str) -> None:
    lines = {file: len((ROOT / file).read_text().splitlines()) for file in FILES if file.startswith(f"{folder}/")}
    too_long = {file: count for file, count in lines.items() if count > MOST_LINES}
    assert too_long == {}, f"split these by subject: more than {MOST_LINES} lines"


def test_no_two_modules_of_the_worker_have_the_same_name() -> None:
    worker = "layers/core/python/wainwright/worker/"
    names = [Path(file).stem for file in FILES if file.startswith(worker) and not file.startswith(f"{worker}child/")]
    found = Counter(name for name in names if name not in ("__init__", "__main__"))
    assert [name for name, count in found.items() if count > 1] == []
