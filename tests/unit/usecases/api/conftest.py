"""The desk in memory."""

import pytest

from tests.unit.usecases.api.desk import Desk


@pytest.fixture
def desk() -> Desk:
    return Desk()
