"""Each page names files and links to sections that exist."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
BASES = (ROOT, ROOT / "layers/core/python/wainwright", ROOT / "functions", ROOT / "infra")
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "examples/README.md"]
PAGES += sorted((ROOT / "docs").rglob("*.md"))
SOURCES = {".py", ".md", ".json", ".cjs", ".mjs", ".toml"}


def _text(page: Path) -> str:
    """Return the page without its code blocks."""
    return re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def _paths(text: str) -> Iterator[str]:
    """Yield back-quoted names with a slash that start with a folder of ours, or end like a source file."""
    for name in re.findall(r"`([\w.-]+(?:/[\w.-]+)+/?)(?:::\w+)?`", text):
        if Path(name).suffix in SOURCES or any((base / name.split("/")[0]).is_dir() for base in BASES):
            yield name


def _exists(name: str) -> bool:
    return any((base / name).exists() for base in BASES)


def _anchors(page: Path) -> set[str]:
    """Return the anchors of the page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", _text(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("file", PAGES, ids=lambda file: str(file.relative_to(ROOT)))
def test_names_paths_that_exist(file: Path) -> None:
    assert [name for name in _paths(_text(file)) if not _exists(name)] == []


def test_features_live_in_files_that_exist() -> None:
    rows = re.findall(r"^\| [A-D]\d+ \|[^|]*\|([^|]*)\|", _text(ROOT / "docs/features.md"), re.MULTILINE)
    names = [name for row in rows for name in re.findall(r"`([^`]+)`", row)]
    assert len(names) > len(rows)
    assert [name for name in names if not _exists(name)] == []


@pytest.mark.parametrize("file", PAGES, ids=lambda file: str(file.relative_to(ROOT)))
def test_links_lead_somewhere(file: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", _text(file)):
        path, _, anchor = target.partition("#")
        linked = file.parent / path if path else file
        assert linked.exists(), target
        assert not anchor or anchor in _anchors(linked), target
