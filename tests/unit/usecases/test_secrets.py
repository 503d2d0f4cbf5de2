"""Secrets are read as seldom as they may be, and as often as they must."""

from datetime import timedelta

import pytest

from tests.support.builders import PROJECT, START
from tests.support.memory.secrets import MemorySecretStore
from tests.support.memory.services import MemoryClock
from wainwright.domain.errors import InvalidInput, NotFound, Refused
from wainwright.usecases.manage_secrets import ManageSecrets
from wainwright.usecases.read_secrets import KEPT, ReadSecrets


@pytest.fixture
def clock() -> MemoryClock:
    return MemoryClock(START)


@pytest.fixture
def store() -> MemorySecretStore:
    return MemorySecretStore()


@pytest.fixture
def manage(store: MemorySecretStore, clock: MemoryClock) -> ManageSecrets:
    return ManageSecrets(store, clock)


@pytest.fixture
def read(store: MemorySecretStore, clock: MemoryClock) -> ReadSecrets:
    return ReadSecrets(store, clock)


def test_a_project_without_secrets_costs_no_read_of_values(store: MemorySecretStore, read: ReadSecrets) -> None:
    assert [read(PROJECT), read(PROJECT)] == [{}, {}]
    assert store.reads == 0


def test_values_are_read_once_in_a_while_for_a_burst_of_jobs(
    store: MemorySecretStore, manage: ManageSecrets, read: ReadSecrets, clock: MemoryClock
) -> None:
    manage.put(PROJECT, "TOKEN", "value one")
    for _ in range(3):
        assert read(PROJECT) == {"TOKEN": "value one"}
    assert store.reads == 1

    clock.advance(KEPT - timedelta(milliseconds=1))
    read(PROJECT)
    assert store.reads == 1
    clock.advance(timedelta(milliseconds=1))
    read(PROJECT)
    assert store.reads == 2


def test_a_change_is_there_at_the_next_claim(manage: ManageSecrets, read: ReadSecrets) -> None:
    manage.put(PROJECT, "TOKEN", "value one")
    before = read(PROJECT)
    manage.put(PROJECT, "TOKEN", "value two")
    changed = read(PROJECT)
    manage.delete(PROJECT, "TOKEN")

    assert (before, changed, read(PROJECT)) == ({"TOKEN": "value one"}, {"TOKEN": "value two"}, {})


def test_only_the_last_projects_values_are_held(manage: ManageSecrets, read: ReadSecrets) -> None:
    for project in ("shop", "other"):
        manage.put(project, "TOKEN", f"value of {project}")

    assert read("shop") == {"TOKEN": "value of shop"}
    assert read("other") == {"TOKEN": "value of other"}
    assert "value of" not in repr(read)
    assert read("none") == {}
    assert "value of" not in str(vars(read)["_kept"])


@pytest.mark.parametrize(
    "name", ["", "1A", "A-B", "A B", "A\n", "Ä", "A" * 101, "PATH", "HOME", "home", "LD_PRELOAD", "PYTHONPATH", "PYTHON_X",
             "NODE_OPTIONS", "AWS_SECRET_ACCESS_KEY", "WAINWRIGHT_STAGE", "wainwright_x", "PLAYWRIGHT_BROWSERS_PATH", "LC_ALL"],
)  # fmt: skip
def test_refuses_names_that_are_no_variables_or_mean_something_already(manage: ManageSecrets, name: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        manage.put(PROJECT, name, "a value")
    assert raised.value.field == "name"


@pytest.mark.parametrize("value", ["", "abc", "   abc   ", "a\0bcd", "x" * 4_097, "\ud83d\ud83d\ud83d\ud83d"])
def test_refuses_values_that_cannot_be_kept_or_kept_out_of_reports(manage: ManageSecrets, value: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        manage.put(PROJECT, "TOKEN", value)
    assert raised.value.field == "value"
    assert not value or value not in f"{raised.value.message} {raised.value.advice}"


def test_takes_the_longest_and_the_shortest_value(manage: ManageSecrets) -> None:
    for value in ("abcd", "é" * 2_048):
        manage.put(PROJECT, "_Token1", value)
    assert [*manage.list(PROJECT)] == ["_Token1"]


def test_a_hundred_are_enough(manage: ManageSecrets) -> None:
    for number in range(100):
        manage.put(PROJECT, f"S{number}", "a value")
    with pytest.raises(Refused, match="100"):
        manage.put(PROJECT, "ONE_MORE", "a value")


def test_what_is_not_there_cannot_be_deleted(manage: ManageSecrets) -> None:
    with pytest.raises(NotFound, match="TOKEN"):
        manage.delete(PROJECT, "TOKEN")
