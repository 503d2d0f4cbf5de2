"""What end-to-end tests share: one local system for those that leave it alive."""

from collections.abc import Iterator

import httpx
import pytest

from tests.e2e.whole.local_system import Up


@pytest.fixture(scope="session")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """A running system. Tests that kill something start their own."""
    folder = tmp_path_factory.mktemp("up")
    system = Up(folder / "data", folder / "up.log").start()
    yield system
    system.stop()


@pytest.fixture
def client(up: Up) -> Iterator[httpx.Client]:
    """Plain HTTP to the running system, with its key."""
    with up.client() as client:
        yield client
