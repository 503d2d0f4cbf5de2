"""Rules for source files that neither ruff nor mypy has: their size, the names of the worker's modules."""

import ast
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


REFUSED = frozenset(
    {"What", "Whether", "Where", "Who", "Whom", "Whose", "How", "Which", "Why", "As", "When", "See", "If"}
)
"""Words that no docstring starts with: it starts with a verb, or with a noun that says what is returned."""

DOCUMENTED = ("layers/core/", "functions/", "infra/", "scripts/", "tests/support/", "benchmarks/")


def first_words(source: str) -> dict[int, str]:
    """First words of the docstrings of modules, classes, functions and names, by their lines."""
    bodies = [body for node in ast.walk(ast.parse(source)) if isinstance(body := getattr(node, "body", None), list)]
    texts = {
        each.lineno: each.value.value
        for body in bodies
        for each in body
        if isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant) and isinstance(each.value.value, str)
    }
    return {line: text.split()[0].strip(".,:") for line, text in texts.items() if text.split()}


@pytest.mark.parametrize("folder", DOCUMENTED)
def test_no_docstring_starts_with_a_refused_word(folder: str) -> None:
    found = [
        f"{file}:{line}: {word}"
        for file in FILES
        if file.startswith(folder)
        for line, word in first_words((ROOT / file).read_text()).items()
        if word in REFUSED
    ]
    assert found == []
