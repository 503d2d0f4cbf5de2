"""What the tests of the command line share."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tests.unit.client.fake_api import KEY, FakeApi, served
from tests.unit.client.fake_project import FakeProject
from wainwright.cli.main import app

Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings of whoever runs the tests, and a data directory of the test's own."""
    for name in [name for name in os.environ if name.startswith("WAINWRIGHT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("WAINWRIGHT_DATA_DIR", str(tmp_path / "data"))


@pytest.fixture(autouse=True)
def interruptible() -> Iterator[None]:
    """Ctrl-C interrupts, as in a terminal: a shell starts what runs in the background with it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeApi]:
    """A fake of the API that the environment names."""
    with served(FakeApi()) as fake:
        monkeypatch.setenv("WAINWRIGHT_ENDPOINT", fake.url)
        monkeypatch.setenv("WAINWRIGHT_API_KEY", KEY)
        yield fake


@pytest.fixture
def project(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeProject]:
    """A fake of a whole project that the environment names."""
    fake = FakeProject()
    with served(fake):
        monkeypatch.setenv("WAINWRIGHT_ENDPOINT", fake.url)
        monkeypatch.setenv("WAINWRIGHT_API_KEY", KEY)
        yield fake


@pytest.fixture
def wainwright() -> Run:
    """Call the command line."""

    def call(*arguments: object) -> Result:
        return CliRunner().invoke(app, [str(argument) for argument in arguments], prog_name="wainwright")

    return call


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """A directory with one test."""
    directory = tmp_path / "suite"
    directory.mkdir()
    (directory / "test_it.py").write_text("def test_it(): pass\n")
    return directory
