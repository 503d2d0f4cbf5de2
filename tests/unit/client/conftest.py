"""A client of each kind, of a fake project, and one of a fake of the API alone."""

from collections.abc import Iterator

import httpx
import pytest

from tests.unit.client.fake_api import KEY, Connect, FakeApi
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


@pytest.fixture
def api() -> FakeApi:
    """The API that ``client`` talks to."""
    return FakeApi()


@pytest.fixture
def pauses() -> list[float]:
    """Seconds that ``client`` paused, instead of pausing."""
    return []


@pytest.fixture
def connect(api: FakeApi, pauses: list[float]) -> Connect:
    """Makes clients of ``api``, with another key or endpoint where one is given."""

    def make(key: str = KEY, endpoint: str = api.url) -> Client:
        rules = RetryRules(chance=lambda: 0.0)
        return Client(endpoint, key, transport=httpx.MockTransport(api.handle), retries=rules, sleep=pauses.append)

    return make


@pytest.fixture
def client(connect: Connect) -> Client:
    """A client of ``api``."""
    return connect()
