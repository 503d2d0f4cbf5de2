"""The files that a submit crosses are those that ``docs/architecture.md`` names."""

import pkgutil
import re
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.events import Http

ROOT = Path(__file__).parents[2]
CALL = "botocore.client.BaseClient._make_api_call"
PACKAGE = ROOT / "layers" / "core" / "python" / "wainwright"


def test_a_submit_crosses_these_files_to_its_transaction(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    crossed: list[str] = []
    call: Callable[..., Any] = pkgutil.resolve_name(CALL)

    def observe(client: Any, operation: str, arguments: Any) -> Any:
        if operation == "TransactWriteItems":
            paths = [Path(frame.filename) for frame in traceback.extract_stack()]
            crossed.extend(
                path.relative_to(ROOT).as_posix() for path in paths if path.is_relative_to(ROOT / "functions")
            )
            crossed.extend(path.relative_to(PACKAGE).as_posix() for path in paths if path.is_relative_to(PACKAGE))
        return call(client, operation, arguments)

    monkeypatch.setattr(CALL, observe)
    assert http.post("/v1/jobs", {"script": "def test(page): pass\n"}).status == 202
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    row = next(line for line in page.splitlines() if line.startswith("| a submit,"))
    assert list(dict.fromkeys(crossed)) == re.findall(r"`([\w./]+)`", row)
