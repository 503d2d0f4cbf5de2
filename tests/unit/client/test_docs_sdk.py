"""``docs/sdk.md``: its snippets are Python that imports what there is, and it names every example and every pattern."""

import ast
import importlib
import re
from pathlib import Path

import pytest

from tests.unit.client.test_surface import public
from wainwright.client import Client, errors, patterns

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "sdk.md").read_text()
EXAMPLES = sorted((ROOT / "examples" / "sdk").glob("*.py"))
SNIPPETS = re.findall(r"^```python\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
LONGEST = 60


def imported(tree: ast.Module) -> list[tuple[str, str]]:
    """Module and name of everything that is imported from Wainwright."""
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return [
        (node.module or "", name.name) for node in nodes for name in node.names if "wainwright" in (node.module or "")
    ]


def test_there_are_snippets() -> None:
    assert SNIPPETS


@pytest.mark.parametrize("source", [*SNIPPETS, *(file.read_text() for file in EXAMPLES)])
def test_a_snippet_compiles_and_imports_what_there_is(source: str) -> None:
    for module, name in imported(ast.parse(source)):
        assert hasattr(importlib.import_module(module), name), f"{module} has no {name}"


def test_links_every_example_and_none_that_there_is_not() -> None:
    assert sorted(set(re.findall(r"\(\.\./examples/sdk/(\w+\.py)\)", PAGE))) == [file.name for file in EXAMPLES]


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.name)
def test_an_example_is_short_and_says_what_it_shows(file: Path) -> None:
    source = file.read_text()
    assert len(source.splitlines()) <= LONGEST
    assert ast.get_docstring(ast.parse(source))


def test_names_every_pattern_and_every_error() -> None:
    raised = [
        name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, errors.ClientError)
    ]
    shown = {"JobChain", "run_parallel", "run_with_retry", "JobQueue", "analyze", "Dashboard"}
    assert shown < set(patterns.__all__)
    assert [name for name in {*shown, *raised} - {"InvalidEndpoint"} if f"`{name}`" not in PAGE] == []


@pytest.mark.parametrize("part", ["jobs", "templates"])
def test_names_every_call_of_jobs_and_templates(part: str) -> None:
    with Client("http://127.0.0.1:1", "ww_key") as client:
        names = public(getattr(client, part))
    assert [name for name in names if not re.search(rf"`{name}[`(]", PAGE)] == []
