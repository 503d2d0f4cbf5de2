"""The layer has the modules that functions import, and no other."""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

from infra.deployed_files import CORE
from tests.infra.synthesized import ROOT

PYTHON = ROOT / "layers/core/python"
MODULES = {
    ".".join(file.relative_to(PYTHON).with_suffix("").parts).removesuffix(".__init__"): file
    for file in (PYTHON / "wainwright").rglob("*.py")
}


def names_imported(file: Path) -> Iterator[str]:
    """Absolute imports of a file, wherever in it they are; those in ``__getattr__`` are for users' programs."""
    nodes: list[ast.AST] = [ast.parse(file.read_text(encoding="utf-8"))]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.FunctionDef) and node.name == "__getattr__":
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        nodes += ast.iter_child_nodes(node)


def reachable(files: Iterable[Path]) -> set[str]:
    """Modules of the package that these files import, directly or by others."""
    found: set[str] = set()
    names = [name for file in files for name in names_imported(file)]
    while names:
        name = names.pop()
        parts = name.split(".")
        for module in (".".join(parts[:number]) for number in range(1, len(parts) + 1)):
            if module in MODULES and module not in found:
                found.add(module)
                names += names_imported(MODULES[module])
    return found


def test_the_layer_has_what_functions_import_and_nothing_else() -> None:
    left_out = [PYTHON / pattern.removeprefix("/python/") for pattern in CORE if pattern.startswith("/python/")]
    deployed = {
        name for name, file in MODULES.items() if not any(out == file or out in file.parents for out in left_out)
    }

    assert deployed == reachable((ROOT / "functions").rglob("*.py")), "add to, or remove from, infra/deployed_files.py"


def test_every_path_that_is_left_out_is_there() -> None:
    assert [
        pattern for pattern in CORE if pattern.startswith("/") and not (ROOT / f"layers/core{pattern}").exists()
    ] == []
