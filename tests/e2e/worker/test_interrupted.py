"""What a test leaves whose process is killed in the middle of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.worker.suites import Run, SuiteFolder, serve
from tests.support.videos import frames
from wainwright.worker.evidence.report.html import trace_viewer_files
from wainwright.worker.runners.suite import TestInterrupted

pytestmark = pytest.mark.browser

KILLED = """
    import os
    import time
    from pathlib import Path

    def test_ended(page):
        page.goto("/")

    def test_killed(page):
        page.goto("/console.html")
        page.get_by_text("ready").wait_for()
        page.evaluate("setInterval(() => document.body.append(' and on'), 30)")
        deadline = time.monotonic() + 90
        while not any(b"\\x1f\\x43\\xb6\\x75" in video.read_bytes() for video in Path(os.environ["TMPDIR"]).rglob("*.webm")):
            page.wait_for_timeout(100)
            assert time.monotonic() < deadline, "no video was written"
        os.kill(os.getpid(), 9)
"""


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory, site: str) -> Run:
    folder = SuiteFolder(tmp_path_factory.mktemp("killed"))
    folder.write("test_killed.py", KILLED)
    return folder.run(base_url=site, video="on")


def test_a_killed_test_has_no_outcome_and_leaves_what_was_on_disk(killed: Run) -> None:
    [event] = killed.of(TestInterrupted)
    left = {item.name: item.path for item in event.result.attachments}

    assert [result.title for result in killed.results] == ["test_ended"]
    assert killed.end.unfinished == (event.result.id,)
    assert "test_killed.py::test_killed[chromium] ran" in killed.end.errors[0].message
    assert set(left) == {"trace", "video", "log"}
    assert left["video"] is not None
    assert frames(left["video"]) > 0
    assert left["log"] is not None
    assert "the cart is on fire" in left["log"].read_text()


def test_the_trace_of_a_killed_test_opens_in_the_trace_viewer(killed: Run, chromium: Browser, tmp_path: Path) -> None:
    [event] = killed.of(TestInterrupted)
    [trace] = [item.path for item in event.result.attachments if item.name == "trace"]
    assert trace is not None
    (tmp_path / "trace.zip").write_bytes(trace.read_bytes())
    for file in trace_viewer_files():
        copy = tmp_path / "trace" / file.name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(file.path.read_bytes())
    with serve(tmp_path) as url:
        page = chromium.new_page()
        page.set_default_timeout(60_000)
        page.goto(f"{url}/trace/index.html?trace={url}/trace.zip")
        expect(page.get_by_text("/console.html").first).to_be_visible(timeout=60_000)
        expect(page.get_by_text("Evaluate").first).to_be_visible(timeout=60_000)
        page.close()
