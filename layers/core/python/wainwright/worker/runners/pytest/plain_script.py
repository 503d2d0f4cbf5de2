"""Telling a plain Playwright script, which is run from top to bottom, from a file of tests."""

from __future__ import annotations

import ast
from itertools import islice
from pathlib import Path

from wainwright.worker.runners.pytest.suite_style import own_configuration

MOST_BYTES = 1_000_000
MOST_FILES = 2

_ACTS = (ast.If, ast.With, ast.AsyncWith, ast.For, ast.While, ast.Try, ast.Assert)
"""Statements at the top level that do something, besides calls. A file without any would run nothing, and pass."""


def find_script(folder: Path) -> Path | None:
    """Return the only Python file of a bundle if it uses Playwright, has no test, and does something when run; else None."""
    found = list(islice((path for path in folder.rglob("*.py") if path.is_file()), MOST_FILES))
    if len(found) != 1 or found[0].name == "conftest.py" or own_configuration(folder) is not None:
        return None
    if found[0].stat().st_size > MOST_BYTES:
        return None
    try:
        tree = ast.parse(found[0].read_bytes())
    except (SyntaxError, ValueError):
        return None  # pytest says what is wrong with it
    is_script = _uses_playwright(tree) and not _has_tests(tree) and any(_acts(each) for each in tree.body)
    return found[0] if is_script else None


def _uses_playwright(tree: ast.Module) -> bool:
    imports = [node for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom))]
    names = [alias.name for node in imports if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in imports if isinstance(node, ast.ImportFrom)]
    return any(name.partition(".")[0] == "playwright" for name in names)


def _has_tests(tree: ast.Module) -> bool:
    return any(_is_test(node) for node in ast.walk(tree))


def _is_test(node: ast.AST) -> bool:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return node.name.startswith("test")
    return isinstance(node, ast.ClassDef) and (node.name.startswith("Test") or any(map(_is_case, node.bases)))


def _is_case(base: ast.expr) -> bool:
    name = base.attr if isinstance(base, ast.Attribute) else base.id if isinstance(base, ast.Name) else ""
    return name.endswith("TestCase")


def _acts(statement: ast.stmt) -> bool:
    if isinstance(statement, (ast.Expr, ast.Assign, ast.AnnAssign)):
        return any(isinstance(node, (ast.Call, ast.Await)) for node in ast.walk(statement))
    return isinstance(statement, _ACTS)
