"""Scopes of API keys."""

from wainwright.contracts.scopes import Scope


def test_scopes_grow() -> None:
    assert [[needed for needed in Scope if scope.allows(needed)] for scope in Scope] == [
        [Scope.READ],
        [Scope.READ, Scope.RUN],
        [Scope.READ, Scope.RUN, Scope.ADMIN],
    ]
