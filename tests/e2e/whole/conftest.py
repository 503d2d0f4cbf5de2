"""The example shop, and systems that a test may kill."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.whole.local_system import ROOT, Up, served


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
