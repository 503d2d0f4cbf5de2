"""A job's events, as programs and browsers read them: the terminal one always comes."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from httpx_sse import ServerSentEvent, connect_sse
from playwright.sync_api import Browser, Page

from tests.e2e.whole.local_system import Up, eventually, submit
from wainwright.client import Client, CollectedUpdate, CreateJob, LogUpdate, StatusUpdate, TestUpdate

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

SCRIPT = """
import time
import pytest

@pytest.mark.parametrize("number", range(5))
def test_counts(job, number):
    job.log_info(f"number {number}")
    time.sleep(0.3)
"""


def segment(client: httpx.Client, job_id: str, last_id: str) -> tuple[int, list[ServerSentEvent]]:
    """One answer of the stream."""
    headers = {"Last-Event-ID": last_id} if last_id else {}
    with connect_sse(client, "GET", f"/v1/jobs/{job_id}/events", headers=headers) as source:
        if source.response.status_code == httpx.codes.NO_CONTENT:
            return 204, []
        source.response.raise_for_status()
        return source.response.status_code, [event for event in source.iter_sse() if event.event != "message"]


def stream(client: httpx.Client, job_id: str, last_id: str = "") -> Iterator[ServerSentEvent]:
    """All events after ``last_id``, segment by segment as a reader that reconnects gets them, up to the 204."""
    while True:
        status, events = segment(client, job_id, last_id)
        if status == httpx.codes.NO_CONTENT:
            return
        for event in events:
            last_id = event.id or last_id
            yield event


def test_a_reader_gets_every_event_once_and_the_terminal_one_last(client: httpx.Client) -> None:
    job_id = submit(client, SCRIPT)
    events = list(stream(client, job_id))
    assert events[-1].event == "status"
    assert json.loads(events[-1].data)["status"] == "completed"
    tests = [json.loads(event.data)["id"] for event in events if event.event == "test"]
    assert len(tests) == len(set(tests)) == 5
    assert len({event.id for event in events}) == len(events)


def test_a_reader_goes_on_after_any_event_it_has_seen(client: httpx.Client) -> None:
    job_id = submit(client, SCRIPT)
    everything = list(stream(client, job_id))
    told = [(event.event, event.data) for event in everything if event.event in ("test", "log", "collected")]
    for seen in (everything[0], everything[len(everything) // 2], everything[-2]):
        rest = list(stream(client, job_id, seen.id))
        before = [(event.event, event.data) for event in everything[: everything.index(seen) + 1]]
        assert [event for event in told if event not in before] == [
            (event.event, event.data) for event in rest if event.event != "status"
        ]
        assert json.loads(rest[-1].data)["status"] == "completed"
    assert list(stream(client, job_id, everything[-1].id)) == []


WAITING = """
import time
from pathlib import Path

def test_waits(job):
    job.log_info("from inside")
    while not Path({gate!r}).exists():
        job.log_info("still here")
        time.sleep(0.2)
"""


def test_lines_from_outside_are_told_in_the_jobs_one_sequence(client: httpx.Client, up: Up, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    with Client(up.endpoint, up.key) as sdk:
        job_id = submit(client, WAITING.format(gate=str(gate)))
        told: list[ServerSentEvent] = []
        for event in stream(client, job_id):
            told.append(event)
            if event.event == "log" and json.loads(event.data)["message"] == "from inside":
                for number in range(10):
                    sdk.jobs.log_info(job_id, f"outside {number}")
                gate.touch()
        sdk.jobs.log_info(job_id, "too late")

        assert json.loads(told[-1].data)["status"] == "completed"
        places = [int(event.id.split(".")[0]) for event in told if event.event != "status"]
        assert places == list(range(1, len(places) + 1))
        lines = [json.loads(event.data)["message"] for event in told if event.event == "log"]
        outside = [line for line in lines if line.startswith("outside")]
        assert outside == [f"outside {number}" for number in range(10)]
        first = next(event for event in told if '"outside 4"' in event.data)
        rest = [(event.id, event.data) for event in told[told.index(first) + 1 :] if event.event == "log"]
        again = [
            (event.id.split(".")[0], event.data) for event in stream(client, job_id, first.id) if event.event == "log"
        ]
        assert again == [(place.split(".")[0], data) for place, data in rest]
        assert list(stream(client, job_id, told[-1].id)) == []
        log = [entry.message for entry in sdk.jobs.logs(job_id)]
        assert sorted(log) == sorted([*lines, "too late"])


def test_a_reader_who_comes_late_is_told_the_end(client: httpx.Client, up: Up) -> None:
    with Client(up.endpoint, up.key) as sdk:
        created = sdk.create_job(CreateJob(script="def test_fails(): assert 0\n"))
        sdk.jobs.wait_for(created)
        updates = list(sdk.events(created.job_id))
    last = updates[-1]
    assert isinstance(last, StatusUpdate)
    assert (last.status, last.failure is not None) == ("failed", True)


def test_the_client_tells_a_job_from_its_beginning_to_its_end(up: Up) -> None:
    with Client(up.endpoint, up.key) as sdk:
        created = sdk.create_job(CreateJob(script=SCRIPT))
        updates = list(sdk.events(created.job_id, wait_timeout=120))
    kinds = {type(update) for update in updates}
    assert {StatusUpdate, CollectedUpdate, TestUpdate, LogUpdate} <= kinds
    assert isinstance(updates[-1], StatusUpdate)


def test_a_canceled_job_tells_its_end(client: httpx.Client) -> None:
    job_id = submit(client, "import time\ndef test_sleeps(): time.sleep(60)\n")
    events = stream(client, job_id)
    for event in events:
        if event.event == "status" and json.loads(event.data)["status"] == "running":
            client.post(f"/v1/jobs/{job_id}/cancel").raise_for_status()
            break
    rest = [json.loads(event.data)["status"] for event in events if event.event == "status"]
    assert rest[-1] == "canceled"


LISTEN = """
(url) => {
  window.told = [];
  window.source = new EventSource(url);
  for (const kind of ["status", "test", "collected", "log"]) {
    window.source.addEventListener(kind, (event) => {
      window.told.push({kind, id: event.lastEventId, data: JSON.parse(event.data)});
    });
  }
}
"""


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """An empty page."""
    page = chromium.new_page()
    yield page
    page.close()


@pytest.mark.browser
@pytest.mark.parametrize(("script", "end"), [(SCRIPT, "completed"), ("def test_fails(): assert 0\n", "failed")])
def test_a_browsers_event_source_is_told_the_end_by_a_ticket(
    client: httpx.Client, up: Up, page: Page, script: str, end: str
) -> None:
    job_id = submit(client, script)
    ticket = client.post(f"/v1/jobs/{job_id}/ticket").json()
    assert up.key not in ticket["eventsUrl"]
    # The page is of the origin that the events come from: no other may read them.
    page.goto(ticket["eventsUrl"].split("/r/")[0] + "/r/none", wait_until="commit")
    page.evaluate(LISTEN, ticket["eventsUrl"])

    def ended() -> list[dict[str, object]] | None:
        told: list[dict[str, object]] = page.evaluate("window.told")
        return told if told and told[-1]["kind"] == "status" and told[-1]["data"]["status"] == end else None  # type: ignore[index]

    told = eventually(ended, within=120, what=f"the page was told that the job {end}")
    ids = [event["id"] for event in told]
    assert len(ids) == len(set(ids))
    # After the end the API answers 204, which ends an EventSource for good: it does not ask again and again.
    eventually(lambda: page.evaluate("window.source.readyState") == 2, within=30, what="the EventSource is closed")
