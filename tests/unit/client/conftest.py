"""A client of each kind, of a fake project."""

from collections.abc import Iterator

import httpx
import pytest

from tests.unit.client.fake_api import KEY
from tests.unit.client.fake_project import FakeProject
from wainwright.client import AsyncClient, Client, RetryRules


@pytest.fixture
def project() -> FakeProject:
    """The project that ``client`` and ``async_client`` talk to."""
    return FakeProject()


@pytest.fixture
def paused() -> list[float]:
    """Seconds that the clients paused, instead of pausing."""
    return []


@pytest.fixture
def user(project: FakeProject, paused: list[float]) -> Iterator[Client]:
    """A client of the project."""
    rules = RetryRules(chance=lambda: 0.0)
    with Client(
        project.url, KEY, transport=httpx.MockTransport(project.handle), retries=rules, sleep=paused.append
    ) as client:
        yield client


@pytest.fixture
def async_user(project: FakeProject, paused: list[float]) -> AsyncClient:
    """An asynchronous client of the same project."""

    async def pause(seconds: float) -> None:
        paused.append(seconds)

    rules = RetryRules(chance=lambda: 0.0)
    return AsyncClient(project.url, KEY, transport=httpx.MockTransport(project.handle), retries=rules, sleep=pause)
