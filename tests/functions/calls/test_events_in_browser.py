"""A real browser's EventSource, on a page of another origin, follows a job by a ticket to its end."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from playwright.sync_api import Browser, Page
from werkzeug.serving import make_server

from tests.functions.stage import REPORTS_URL, SCRIPT, Stage
from wainwright.usecases import stream_events

pytestmark = pytest.mark.browser

FOLLOW = """
(address) => {
    window.told = [];
    const source = new EventSource(address);
    source.addEventListener("status", (event) => window.told.push(JSON.parse(event.data).status));
    source.addEventListener("error", () => { window.ended = source.readyState === EventSource.CLOSED; });
}
"""


@contextmanager
def _served(stage: Stage) -> Iterator[str]:
    """The reports' origin over loopback."""
    server = make_server("127.0.0.1", 0, stage.reports, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    page = chromium.new_page()
    yield page
    page.close()


def test_follows_a_job_to_its_end_and_stops(
    stage: Stage, client: httpx.Client, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_events, "SEGMENT_SECONDS", 2.0)
    job_id = client.post("/v1/jobs", json={"script": SCRIPT}).json()["jobId"]
    events_url = client.post(f"/v1/jobs/{job_id}/ticket").json()["eventsUrl"]

    with _served(stage) as origin:
        page.goto(origin.replace("127.0.0.1", "localhost"))  # another host, so another origin; any page of it will do
        page.evaluate(FOLLOW, events_url.replace(REPORTS_URL, origin))
        page.wait_for_function("window.told.includes('pending')")
        client.post(f"/v1/jobs/{job_id}/cancel")
        page.wait_for_function("window.ended === true")
        told = page.evaluate("window.told")

    assert told == ["pending", "canceled"]
