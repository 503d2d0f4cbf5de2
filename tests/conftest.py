"""Fixtures for tests of every kind."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from wainwright.adapters.aws.clients import Clients


@pytest.fixture
def aws() -> Iterator[None]:
    """An empty AWS in this process."""
    from tests.support.aws import moto_aws

    with moto_aws():
        yield


@pytest.fixture(scope="session")
def aws_clients() -> "Clients":
    """Clients, made once because that is slow; they talk to whatever AWS the test has in this process."""
    from tests.support.aws import new_clients

    return new_clients()


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing wait between its tries."""
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    monkeypatch.setattr("random.uniform", lambda _least, _most: 0.0)
