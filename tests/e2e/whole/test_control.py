"""Jobs steered while they run, by the command line and the API of a running system."""

import socket
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.whole.local_system import Up, ended, eventually, job, results, submit

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

COUNTING = """
import time
from pathlib import Path

MARKS = Path({marks!r})

def ran(name):
    with (MARKS / "ran").open("a") as file:
        file.write(name + "\\n")

def wait_for(name):
    while not (MARKS / name).exists():
        time.sleep(0.05)
"""


@pytest.fixture
def marks(tmp_path: Path) -> Path:
    """Where the tests of a job and the test of them leave word for each other."""
    folder = tmp_path / "marks"
    folder.mkdir()
    return folder


def runs(marks: Path) -> Counter[str]:
    """How often each test ran."""
    file = marks / "ran"
    return Counter(file.read_text().split() if file.exists() else [])


def steer(up: Up, *arguments: str) -> str:
    """The status that ``wainwright jobs …`` prints."""
    run = up.run("jobs", *arguments)
    assert run.returncode == 0, run.stderr
    job_id, status = run.stdout.split()
    assert job_id == arguments[-1]
    return status


# ------------------------------------------------------------------------------------------------ stop and resume
MANY = 10

STEPS = """
import pytest

def test_first():
    ran("first")

def test_waits():
    ran("waits")
    wait_for("gate")

@pytest.mark.parametrize("number", range(10))
def test_step(number):
    ran(f"step-{number}")
    time.sleep(0.4)
"""


@pytest.mark.parametrize("by", ["command line", pytest.param("API", marks=pytest.mark.thorough)])
def test_a_stopped_job_is_resumed_and_what_had_passed_does_not_run_again(
    up: Up, client: httpx.Client, marks: Path, by: str
) -> None:
    def act(step: str) -> str:
        if by == "command line":
            return steer(up, step, job_id)
        answer = client.post(f"/v1/jobs/{job_id}/{step}")
        assert answer.status_code == 200, answer.text
        return str(answer.json()["job"]["status"])

    job_id = submit(client, COUNTING.format(marks=str(marks)) + STEPS)
    eventually(lambda: runs(marks)["waits"], within=60, what="the second test runs")

    assert act("stop") == "stopping"
    (marks / "gate").touch()
    stopped = ended(client, job_id)

    before = runs(marks)
    assert stopped["status"] == "stopped"
    assert stopped["completedAt"] is not None
    assert before["first"] == before["waits"] == 1
    assert len(before) < MANY + 2
    passed = {test["title"] for test in results(client, job_id)["tests"] if test["outcome"] == "passed"}
    assert len(passed) == len(before)

    assert act("resume") == "pending"
    record = ended(client, job_id)

    assert record["status"] == "completed"
    assert (record["tests"]["passed"], record["tests"]["total"], record["attempt"]) == (MANY + 2, MANY + 2, 1)
    assert runs(marks) == {"first": 1, "waits": 1} | {f"step-{number}": 1 for number in range(MANY)}
    assert record["report"]["complete"]
    assert client.post(f"/v1/jobs/{job_id}/resume").status_code == 409


# ---------------------------------------------------------------------------------------------------------- retry
FAILING = """
def test_good():
    ran("good")

def test_needs_one():
    ran("one")
    assert (MARKS / "one").exists()

def test_needs_two():
    ran("two")
    assert (MARKS / "two").exists()
"""


def test_a_retry_runs_the_failed_tests_alone(up: Up, client: httpx.Client, marks: Path) -> None:
    job_id = submit(client, COUNTING.format(marks=str(marks)) + FAILING)
    first = ended(client, job_id)
    assert (first["status"], first["tests"]["failed"], runs(marks)) == ("failed", 2, {"good": 1, "one": 1, "two": 1})

    (marks / "one").touch()
    assert steer(up, "retry", job_id) == "pending"
    second = ended(client, job_id)
    assert (second["status"], second["tests"]["failed"], second["attempt"]) == ("failed", 1, 2)
    assert runs(marks) == {"good": 1, "one": 2, "two": 2}

    (marks / "two").touch()
    answer = client.post(f"/v1/jobs/{job_id}/retry", json={"onlyFailed": True})
    assert answer.status_code == 200, answer.text
    third = ended(client, job_id)
    assert (third["status"], third["attempt"], third["failure"]) == ("completed", 3, None)
    assert (third["tests"]["passed"] + third["tests"]["flaky"], third["tests"]["total"]) == (3, 3)
    assert runs(marks) == {"good": 1, "one": 2, "two": 3}
    assert {test["title"] for test in results(client, job_id)["tests"]} == {
        "test_good", "test_needs_one", "test_needs_two"
    }  # fmt: skip


@pytest.mark.thorough
def test_a_retry_of_everything_runs_what_had_passed_too(up: Up, client: httpx.Client, marks: Path) -> None:
    (marks / "one").touch()
    job_id = submit(client, COUNTING.format(marks=str(marks)) + FAILING)
    assert ended(client, job_id)["status"] == "failed"

    assert steer(up, "retry", "--all", job_id) == "pending"

    record = ended(client, job_id)
    assert (record["status"], record["tests"]["passed"], record["tests"]["failed"]) == ("failed", 2, 1)
    assert runs(marks) == {"good": 2, "one": 2, "two": 2}


# --------------------------------------------------------------------------------------------------------- cancel
BROWSING = """
import os

def test_opens(page):
    page.set_content("<h1>Here</h1>")
    (MARKS / "shot.png").write_bytes(page.screenshot())

def test_never_loads(page):
    (MARKS / "pid").write_text(str(os.getpid()))
    page.goto({url!r}, timeout=0)
"""


@pytest.fixture
def silent() -> Iterator[tuple[str, socket.socket]]:
    """The address of a page that never loads, and the socket that takes its connections."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        listening.settimeout(120)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/", listening


def processes() -> dict[int, tuple[int, str]]:
    """Parent and command of every process that is alive."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            state, parent, *_ = (entry / "stat").read_text().rpartition(")")[2].split()
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended just now
        if state != "Z":
            found[int(entry.name)] = (int(parent), command)
    return found


def family(ancestor: int) -> dict[int, str]:
    """A process and all that it started, with their commands."""
    alive = processes()
    found, added = {ancestor: alive[ancestor][1]}, True
    while added:
        more = {pid: command for pid, (parent, command) in alive.items() if parent in found and pid not in found}
        found |= more
        added = bool(more)
    return found


@pytest.mark.browser
def test_canceling_a_running_job_kills_its_browser_and_keeps_what_it_left(
    up: Up, client: httpx.Client, marks: Path, silent: tuple[str, socket.socket], chromium: Browser
) -> None:
    url, listening = silent
    script = COUNTING.format(marks=str(marks)) + BROWSING.format(url=url)
    job_id = submit(client, script, config={"trace": "on", "screenshot": "on"})
    connection, _ = listening.accept()  # the browser asks for the page
    with connection:
        tests = family(int((marks / "pid").read_text()))
        browsers = {pid: command for pid, command in tests.items() if "--user-data-dir=" in command}
        assert len(browsers) >= 2, tests  # a browser is several processes
        profiles = {part for command in browsers.values() for part in command.split() if "--user-data-dir=" in part}

        assert steer(up, "cancel", job_id) == "canceling"
        record = ended(client, job_id)

    def gone() -> bool:
        alive = processes()
        left = [command for _, command in alive.values() if any(profile in command for profile in profiles)]
        return not left and not (tests.keys() & alive.keys())

    assert (record["status"], record["failure"]["category"]) == ("canceled", "canceled_by_user")
    eventually(gone, within=20, what="the tests and their browser are dead")
    assert (record["tests"]["passed"], record["report"]["ready"]) == (1, True)
    (passed,) = [test for test in results(client, job_id)["tests"] if test["outcome"] == "passed"]
    files = {item["name"]: item["href"] for item in passed["attachments"]}
    assert files.keys() >= {"trace", "screenshot"}
    screenshot = client.get(f"/v1/jobs/{job_id}/report/{files['screenshot']}").content
    assert screenshot.startswith(b"\x89PNG")
    page = chromium.new_page()
    page.goto(client.post(f"/v1/jobs/{job_id}/ticket").json()["reportUrl"])
    expect(page.get_by_role("link", name="test_opens", exact=True).first).to_be_visible()
    page.close()
    stop = up.run("jobs", "stop", job_id)
    assert stop.returncode != 0
    assert "canceled" in stop.stderr
    assert len(stop.stderr.strip().splitlines()) <= 2  # what happened, and what to do
    assert job(client, job_id)["status"] == "canceled"
    # The worker goes on: the next job runs.
    assert ended(client, submit(client, "def test_passes(): pass\n"))["status"] == "completed"
