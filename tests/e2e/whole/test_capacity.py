"""Capacity of a running system, over HTTP: limits under concurrent submissions, and projects beside each other."""

import json
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.whole.local_system import Up, ended, eventually, job, submit

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

RUNNING, QUEUED, SUBMISSIONS, FLOOD = 2, 5, 50, 20
SUBMITTING, FLOODING, BESIDE = PROJECTS = ("submitting", "flooding", "beside")


class UpOfProjects(Up):
    """A local system with a key for each of the projects."""

    def _command(self) -> list[str]:
        program = Path(__file__).with_name("up_of_projects.py")
        return [sys.executable, "-P", str(program), str(self.data_dir), str(self.workers), *PROJECTS]

    def client_of(self, project: str) -> httpx.Client:
        """Plain HTTP with the key of a project."""
        key = json.loads((self.data_dir / "keys.json").read_text())[project]
        limits = httpx.Limits(max_connections=SUBMISSIONS)
        return httpx.Client(
            base_url=self.endpoint, headers={"Authorization": f"Bearer {key}"}, timeout=120, limits=limits
        )


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, httpx.Client]]:
    """A client of each project of one running system with two workers."""
    folder = tmp_path_factory.mktemp("projects")
    system = UpOfProjects(folder / "data", folder / "up.log", workers=2)
    try:
        system.start()
        with ExitStack() as clients:
            yield {project: clients.enter_context(system.client_of(project)) for project in PROJECTS}
    finally:
        system.stop()


def waiting_for(gate: Path) -> str:
    """A script whose test passes once there is a file."""
    return f"""
import time
from pathlib import Path

def test_waits():
    while not Path({str(gate)!r}).exists():
        time.sleep(0.05)
"""


@contextmanager
def watched(client: httpx.Client) -> Iterator[list[tuple[int, int, int]]]:
    """Look at the project's capacity all the time: (running, queued) of the queue, and how many jobs a list has running."""
    seen: list[tuple[int, int, int]] = []
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.05):
            queue = client.get("/v1/queue").raise_for_status().json()
            listed = client.get("/v1/jobs?status=running,stopping,canceling").raise_for_status().json()["jobs"]
            seen.append((queue["running"], queue["queued"], len(listed)))

    with ThreadPoolExecutor(1) as pool:
        looking = pool.submit(look)
        try:
            yield seen
        finally:
            over.set()
        looking.result()


def at_once(records: list[dict[str, Any]]) -> int:
    """How many of these jobs ran at the same time, at most, by their own times."""
    steps = [(datetime.fromisoformat(record["startedAt"]), 1) for record in records]
    steps += [(datetime.fromisoformat(record["completedAt"]), -1) for record in records]
    most = now = 0
    for _, step in sorted(steps):
        now += step
        most = max(most, now)
    return most


def test_limits_hold_under_concurrent_submissions_and_every_accepted_job_ends(
    projects: dict[str, httpx.Client], tmp_path: Path
) -> None:
    client, gate = projects[SUBMITTING], tmp_path / "gate"
    limits = {"running": RUNNING, "queued": QUEUED}
    assert client.put("/v1/limits", json=limits).raise_for_status().json().items() >= limits.items()

    def create(number: int) -> httpx.Response:
        return client.post("/v1/jobs", json={"script": waiting_for(gate), "label": f"job {number}"})

    with watched(client) as seen:
        with ThreadPoolExecutor(SUBMISSIONS) as pool:
            answers = list(pool.map(create, range(SUBMISSIONS)))
        accepted = [answer.json()["jobId"] for answer in answers if answer.status_code == 202]
        refused = [answer for answer in answers if answer.status_code != 202]
        eventually(
            lambda: (RUNNING, RUNNING) in [(load, listed) for load, _, listed in seen], within=60, what="all run"
        )
        gate.touch()
        records = [ended(client, job_id, within=120) for job_id in accepted]

    # As many as may queue, and in the place of each that was admitted meanwhile one more.
    assert QUEUED <= len(accepted) <= QUEUED + RUNNING
    assert len(refused) == SUBMISSIONS - len(accepted)
    for answer in refused:
        assert answer.status_code == 429, answer.text
        assert int(answer.headers["Retry-After"]) >= 1
        assert (answer.json()["status"], answer.headers["content-type"]) == (429, "application/problem+json")
    listed = client.get("/v1/jobs?limit=100").json()["jobs"]
    assert sorted(record["id"] for record in listed) == sorted(accepted)
    assert {record["status"] for record in records} == {"completed"}
    assert max(load for load, _, _ in seen) == RUNNING
    assert max(queued for _, queued, _ in seen) <= QUEUED
    assert max(running for _, _, running in seen) == RUNNING
    assert at_once(records) <= RUNNING
    queue = eventually(lambda: _idle(client), within=30, what="the counters are back at nothing")
    assert queue["waiting"] == []
    assert create(SUBMISSIONS).status_code == 202


def _idle(client: httpx.Client) -> dict[str, Any] | None:
    queue: dict[str, Any] = client.get("/v1/queue").json()
    return queue if (queue["running"], queue["queued"]) == (0, 0) else None


def test_one_projects_flood_does_not_starve_another(projects: dict[str, httpx.Client], tmp_path: Path) -> None:
    flooding, beside, gate = projects[FLOODING], projects[BESIDE], tmp_path / "gate"
    flood = [submit(flooding, waiting_for(gate)) for _ in range(FLOOD)]
    eventually(lambda: flooding.get("/v1/queue").json()["running"] == 2, within=60, what="the flood has both workers")
    other = submit(beside, "def test_passes(): pass\n")
    assert job(beside, other)["status"] == "pending"

    gate.touch()

    record = ended(beside, other)
    left = [job_id for job_id in flood if job(flooding, job_id)["status"] == "pending"]
    for job_id in left:
        flooding.post(f"/v1/jobs/{job_id}/cancel")
    records = [ended(flooding, job_id) for job_id in flood]
    started = [record["startedAt"] for record in records if record["startedAt"] is not None]
    assert record["status"] == "completed"
    # Those that ran when it came, and the one that took the other worker when both had become free.
    assert sum(datetime.fromisoformat(each) < datetime.fromisoformat(record["startedAt"]) for each in started) <= 3
    assert left
    assert {each["status"] for each in records} == {"completed", "canceled"}
