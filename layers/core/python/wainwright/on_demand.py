"""Names of a package that are imported when they are first asked for, so that a process imports what it uses, and no more."""

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module


def on_demand(package: str, modules: Mapping[str, Sequence[str]]) -> Callable[[str], object]:
    """A ``__getattr__`` for a package: a name is taken from its module below the package, and stays.

    Args:
        package: the package's ``__name__``.
        modules: the names that each module has.
    """
    places = {name: module for module, names in modules.items() for name in names}

    def find(name: str) -> object:
        if name not in places:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        found: object = getattr(import_module(f"{package}.{places[name]}"), name)
        setattr(sys.modules[package], name, found)
        return found

    return find
