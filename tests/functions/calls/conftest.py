"""A stage for the tests of one module."""

from collections.abc import Iterator

import httpx
import pytest

from tests.functions.stage import Stage, running_stage


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with running_stage(tmp_path_factory.mktemp("home")) as found:
        yield found


@pytest.fixture
def client(stage: Stage) -> Iterator[httpx.Client]:
    with stage.client() as found:
        yield found
