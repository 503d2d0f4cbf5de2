"""One local system for all tests that leave it alive, and the example shop."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e.whole.local_system import ROOT, Up, served


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


@pytest.fixture(scope="session")
def shop() -> Iterator[str]:
    """The example shop's address."""
    with served(ROOT / "examples" / "shop") as address:
        yield address


@pytest.fixture
def own_up(tmp_path: Path) -> Iterator[Up]:
    """A system that the test may kill."""
    system = Up(tmp_path / "data", tmp_path / "up.log").start()
    yield system
    system.stop()
