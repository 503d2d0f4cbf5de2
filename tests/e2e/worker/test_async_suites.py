"""Async pytest suites, with the plugins that they ask for installed from the index."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.worker.clock import Clock
from tests.e2e.worker.suites import SuiteFolder, processes_of
from tests.support.memory.services import MemoryArtifacts
from tests.support.stop import Stop
from wainwright.adapters.clock import system_clock
from wainwright.settings import DependencySettings
from wainwright.worker.dependencies.prepare import Provision, prepare_dependencies
from wainwright.worker.runners import supervised_run as supervised
from wainwright.worker.runners.suite import Event, LogLine, SuiteRequest

pytestmark = [pytest.mark.browser, pytest.mark.thorough]

ROOT = Path(__file__).parents[3]
HOUR_MS = 3_600_000


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """What `examples/async-suite` asks for, installed from the index that this machine is set to."""
    root = tmp_path_factory.mktemp("environment")
    output = root / "job" / "output"
    output.mkdir(parents=True)
    provision = Provision("shop", MemoryArtifacts(system_clock), DependencySettings(cache_dir=str(root / "cache")))
    request = SuiteRequest(ROOT / "examples" / "async-suite", output)
    with prepare_dependencies(provision, request, print, Stop()) as installed:
        assert installed is not None
        yield installed


INI = "[pytest]\naddopts = --capture=no\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = session\n"
INI += "asyncio_default_test_loop_scope = session\n"


def test_an_async_suite_leaves_the_evidence_of_each_test(suite: SuiteFolder, site: str, environment: Path) -> None:
    suite.write("pytest.ini", INI)
    suite.write(
        "test_shop.py",
        """
        from playwright.async_api import Page, expect

        async def test_title(page: Page) -> None:
            await page.goto("/")
            await expect(page).to_have_title("A shop")

        async def test_fails(page: Page) -> None:
            await page.goto("/console.html")
            await expect(page.get_by_text("ready")).to_be_visible()
            assert await page.title() == "Another"
        """,
    )
    run = suite.run(base_url=site, dependencies=environment)
    assert [(result.title, result.outcome) for result in run.results] == [
        ("test_title", "passed"),
        ("test_fails", "failed"),
    ]
    for result in run.results:
        assert sorted(item.name for item in result.attachments) == ["log", "screenshot", "trace"]
        assert any(step.category == "api" for phase in result.steps for step in phase.steps)
    assert run.result("test_fails").errors[0].kind == "assertion"
    assert "the cart is on fire" in run.log("test_fails")


@pytest.mark.parametrize(
    "wait",
    ["await page.get_by_text('nothing like it').wait_for(timeout=600_000)", "time.sleep(600)"],
    ids=["waits for the page", "holds up the event loop"],
)
def test_when_the_time_is_up_the_running_async_test_fails_with_its_evidence(
    suite: SuiteFolder, site: str, environment: Path, wait: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite.write("pytest.ini", INI)
    suite.write(
        "test_waiting.py",
        f"""
        import time

        async def test_waits(page):
            await page.goto("/")
            print("waits from here on", flush=True)
            {wait}

        async def test_after(page):
            await page.goto("/")
        """,
    )
    clock = Clock()
    monkeypatch.setattr(supervised, "time", clock)

    def time_passes(event: Event) -> None:
        if isinstance(event, LogLine) and "waits from here on" in event.message:
            clock.put_forward(HOUR_MS / 1000)

    run = suite.run(
        base_url=site, dependencies=environment, timeout_ms=HOUR_MS, also=time_passes, expiry_grace_seconds=60
    )
    assert run.end.reason == "timed_out"
    [result] = run.results
    assert (result.outcome, result.errors[0].kind) == ("failed", "job_timeout")
    assert (result.errors[0].file, result.errors[0].line) == ("test_waiting.py", 7)
    assert run.end.signal is None, "it ended by itself, and was not killed"
    [trace] = [item.path for item in result.attachments if item.name == "trace"]
    assert trace is not None
    with zipfile.ZipFile(trace) as archive:
        assert b'"method":"goto"' in archive.read("trace.trace")
    assert run.end.unfinished == ("test_waiting.py::test_after[chromium]",)
    assert processes_of(suite.mark) == []
