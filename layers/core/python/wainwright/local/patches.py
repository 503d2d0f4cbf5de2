"""Replacing parts of moto for the life of one local system, and putting them back."""

import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import ModuleType
from typing import Any
from unittest import mock

from botocore import handlers


class Patches(ExitStack):
    """Attribute replacements that are undone, last first, when the stack closes."""

    def replace(self, owner: Any, name: str, value: Any) -> None:
        """Set `owner.name`, remembering what was there."""
        self.enter_context(mock.patch.object(owner, name, value, create=True))

    def handle(self, event: str, handler: Callable[..., Any], *, first: bool = False) -> None:
        """Have botocore's clients that are made from now on call a handler of one of their events."""
        entry = (event, handler)
        handlers.BUILTIN_HANDLERS.insert(0 if first else len(handlers.BUILTIN_HANDLERS), entry)
        self.callback(handlers.BUILTIN_HANDLERS.remove, entry)

    def wrap(self, owner: Any, name: str, wrapper: Callable[..., Any]) -> None:
        """Replace the method `owner.name` by `wrapper(original, *args, **kwargs)`."""
        original = getattr(owner, name)

        def method(*args: Any, **kwargs: Any) -> Any:
            return wrapper(original, *args, **kwargs)

        method.__name__ = name
        self.replace(owner, name, method)


@contextmanager
def bare_package(name: str) -> Iterator[None]:
    """While this lasts, modules of a package are imported without what the package itself imports."""
    spec = importlib.util.find_spec(name)
    if name in sys.modules or spec is None or spec.submodule_search_locations is None:
        yield
        return
    package = ModuleType(name)
    package.__path__ = list(spec.submodule_search_locations)
    sys.modules[name] = package
    try:
        yield
    finally:
        del sys.modules[name]
