"""Inline scripts: checked before anything is queued (requirement D3)."""

import ast
import re
from collections.abc import Mapping

from wainwright.domain.errors import InvalidInput

_COLLECTED = re.compile(r"(test_.*|.*_test)\.py")
"""Names of files that pytest takes for tests."""


def check_scripts(scripts: Mapping[str, str]) -> None:
    """Refuse scripts, by their names, of which one does not compile, or in none of which pytest would look for tests.

    Raises:
        InvalidInput: with ``file``, ``line`` and ``column``, the latter both from 1.
    """
    if not any(_COLLECTED.fullmatch(name) for name in scripts):
        raise InvalidInput(
            "scripts", "none of the scripts has a test's name, so no test would run",
            advice="Name the files with tests test_….py or …_test.py.",
        )  # fmt: skip
    for number, (name, content) in enumerate(scripts.items()):
        check_script(content, name=name, field=f"scripts.{number}.content")


def check_script(script: str, *, name: str = "", field: str = "script") -> None:
    """Refuse a script that cannot even be compiled. ``name`` is its file's, where there are several.

    Raises:
        InvalidInput: with ``line`` and ``column``, both from 1, and ``file`` where there are several.
    """
    try:
        ast.parse(script, filename=name or "test_script.py")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:  # the last two: nested beyond the parser
        line, column = getattr(error, "lineno", None) or 1, getattr(error, "offset", None) or 1
        reason = getattr(error, "msg", None) or str(error) or "too deeply nested"
        where = f"{name}, line {line}, column {column}" if name else f"line {line}, column {column}"
        raise InvalidInput(
            field, f"{where}: {reason}", advice="Correct the script; it was not queued.",
            extra={"line": line, "column": column} | ({"file": name} if name else {}),
        ) from error  # fmt: skip
