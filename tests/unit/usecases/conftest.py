"""The system in memory."""

import pytest

from tests.support.system import System


@pytest.fixture
def system() -> System:
    return System()
