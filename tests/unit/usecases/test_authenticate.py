"""Callers, by their keys."""

import pytest

from tests.support.builders import PROJECT
from tests.support.system import System
from wainwright.contracts.scopes import Scope
from wainwright.domain.errors import Forbidden, InvalidInput, NotFound, Unauthenticated
from wainwright.ports.access import ApiKey
from wainwright.usecases.authenticate import MOST_REMEMBERED, REMEMBER, Authenticate
from wainwright.usecases.caller import Caller
from wainwright.usecases.manage_keys import PREFIX, ManageKeys, digest


@pytest.fixture
def keys(system: System) -> ManageKeys:
    return ManageKeys(system.access, system.clock)


@pytest.fixture
def looks(system: System, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Digests that were looked up in the store."""
    looked: list[str] = []
    find = system.access.find_key

    def find_key(key_digest: str) -> ApiKey | None:
        looked.append(key_digest)
        return find(key_digest)

    monkeypatch.setattr(system.access, "find_key", find_key)
    return looked


@pytest.fixture
def authenticate(system: System, looks: list[str]) -> Authenticate:
    return Authenticate(system.access, system.clock)


@pytest.mark.parametrize("header", ["Bearer {}", "bearer {}", "BEARER  {} ", " Bearer {}"])
def test_knows_a_key_by_its_secret(authenticate: Authenticate, keys: ManageKeys, header: str) -> None:
    key, secret = keys.create(PROJECT, Scope.RUN, "ci")

    caller = authenticate(header.format(secret))

    assert (caller.project, caller.key_id, caller.name, caller.scope) == (PROJECT, key.id, "ci", Scope.RUN)


@pytest.mark.parametrize("header", [None, "", "   ", "Bearer", "Bearer   ", "Basic abc", "ww_abc", "Bearer ww_wrong"])
def test_refuses_whoever_has_no_key_and_says_what_to_send(authenticate: Authenticate, header: str | None) -> None:
    with pytest.raises(Unauthenticated) as refused:
        authenticate(header)

    assert refused.value.advice


def test_the_id_and_the_digest_of_a_key_are_not_the_key(authenticate: Authenticate, keys: ManageKeys) -> None:
    key, _ = keys.create(PROJECT, Scope.RUN, "ci")

    for text in (key.id, key.digest):
        with pytest.raises(Unauthenticated):
            authenticate(f"Bearer {text}")


def test_a_revoked_key_is_refused(authenticate: Authenticate, keys: ManageKeys) -> None:
    key, secret = keys.create(PROJECT, Scope.ADMIN, "ci")
    keys.revoke(PROJECT, key.id)

    with pytest.raises(Unauthenticated):
        authenticate(f"Bearer {secret}")


def test_a_key_is_remembered_and_a_revocation_noticed_within_thirty_seconds(
    system: System, authenticate: Authenticate, keys: ManageKeys, looks: list[str]
) -> None:
    key, secret = keys.create(PROJECT, Scope.RUN, "ci")
    authenticate(f"Bearer {secret}")
    keys.revoke(PROJECT, key.id)
    system.pass_time(REMEMBER.total_seconds() - 0.001)
    authenticate(f"Bearer {secret}")
    assert looks == [key.digest]

    system.pass_time(0.001)

    assert REMEMBER.total_seconds() <= 30
    with pytest.raises(Unauthenticated):
        authenticate(f"Bearer {secret}")


def test_a_key_that_was_unknown_works_as_soon_as_it_is_made(authenticate: Authenticate, keys: ManageKeys) -> None:
    with pytest.raises(Unauthenticated):
        authenticate("Bearer ww_soon")
    keys.access.put_key(
        ApiKey(id="k", digest=digest("ww_soon"), project=PROJECT, scope=Scope.READ, name="n", created_at=keys.clock())
    )

    assert authenticate("Bearer ww_soon").key_id == "k"


def test_remembers_no_more_keys_than_it_may(authenticate: Authenticate, keys: ManageKeys, looks: list[str]) -> None:
    secrets = [keys.create(PROJECT, Scope.READ, "n")[1] for _ in range(MOST_REMEMBERED + 1)]
    for secret in secrets:
        authenticate(f"Bearer {secret}")
    looks.clear()

    authenticate(f"Bearer {secrets[-1]}")
    assert looks == []
    authenticate(f"Bearer {secrets[0]}")
    assert looks == [digest(secrets[0])]


def test_a_secret_is_long_random_and_kept_nowhere(system: System, keys: ManageKeys) -> None:
    key, secret = keys.create(PROJECT, Scope.RUN, "ci")

    assert secret.startswith(PREFIX)
    assert len(secret) >= len(PREFIX) + 43  # 256 bits in base64
    assert secret not in repr(system.access.list_keys(PROJECT))
    assert key.digest == digest(secret)
    assert keys.create(PROJECT, Scope.RUN, "ci")[1] != secret


@pytest.mark.parametrize("project", ["", "Shop", "-shop", "shop#1", "a" * 41, "shöp"])
def test_refuses_a_project_that_cannot_be_one(keys: ManageKeys, project: str) -> None:
    with pytest.raises(InvalidInput):
        keys.create(project, Scope.RUN, "ci")


def test_revokes_only_keys_of_the_project(keys: ManageKeys) -> None:
    key, _ = keys.create(PROJECT, Scope.RUN, "ci")

    with pytest.raises(NotFound):
        keys.revoke("other", key.id)


def test_each_scope_includes_the_smaller_ones(authenticate: Authenticate, keys: ManageKeys) -> None:
    allowed = {}
    for scope in Scope:
        caller = authenticate(f"Bearer {keys.create(PROJECT, scope, 'n')[1]}")
        allowed[scope] = [needed for needed in Scope if _may(caller, needed)]

    assert allowed == {
        Scope.READ: [Scope.READ],
        Scope.RUN: [Scope.READ, Scope.RUN],
        Scope.ADMIN: [Scope.READ, Scope.RUN, Scope.ADMIN],
    }


def _may(caller: Caller, scope: Scope) -> bool:
    try:
        caller.need(scope)
    except Forbidden:
        return False
    return True
