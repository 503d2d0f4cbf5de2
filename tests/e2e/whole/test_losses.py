"""Whatever is killed, every accepted job ends."""

import os
import signal
from pathlib import Path

import httpx
import pytest

from tests.e2e.whole.local_system import Up, ended, eventually, job, results, submit

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def _suite(marks: Path, *, tests: int, seconds: float) -> str:
    """A suite whose tests note each of their runs in a file of their own."""
    lines = ["import pathlib, time, pytest"]
    for number in range(tests):
        lines += [
            f"def test_{number}():",
            f"    with pathlib.Path({str(marks)!r}, '{number}').open('a') as file: file.write('began\\n'); file.flush()",
            f"    time.sleep({seconds})",
        ]
    return "\n".join(lines)


def _runs(marks: Path) -> dict[str, int]:
    return {file.name: len(file.read_text().splitlines()) for file in marks.iterdir()}


def test_a_worker_killed_in_the_middle_of_a_job_is_replaced_and_nothing_with_an_outcome_runs_again(
    own_up: Up, tmp_path: Path
) -> None:
    marks = tmp_path / "marks"
    marks.mkdir()
    with own_up.client() as client:
        job_id = submit(client, _suite(marks, tests=6, seconds=1.5))
        eventually(lambda: job(client, job_id)["tests"]["passed"] >= 2, within=60, what="two tests passed")
        done = job(client, job_id)["tests"]["passed"]
        (worker,) = own_up.worker_pids()

        os.kill(worker, signal.SIGKILL)

        record = ended(client, job_id, within=120)
        assert (record["status"], record["tests"]["passed"]) == ("completed", 6)
        assert record["report"]["complete"]
        assert [test["outcome"] for test in results(client, job_id)["tests"]] == ["passed"] * 6
    runs = _runs(marks)
    assert sorted(runs) == [str(number) for number in range(6)]
    # One test was running when the worker died; the outcome of one more may still have been on its way.
    again = [name for name, count in runs.items() if count > 1]
    assert len(again) <= 2
    assert all(int(name) >= done for name in again)


@pytest.mark.thorough
def test_a_worker_told_to_go_hands_its_job_on(own_up: Up, tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    marks.mkdir()
    with own_up.client() as client:
        job_id = submit(client, _suite(marks, tests=5, seconds=1.5))
        eventually(lambda: job(client, job_id)["tests"]["passed"] >= 1, within=60, what="a test passed")
        (worker,) = own_up.worker_pids()

        os.kill(worker, signal.SIGTERM)

        record = ended(client, job_id, within=60)
        assert (record["status"], record["tests"]["passed"]) == ("completed", 5)
    assert sum(_runs(marks).values()) <= 6


def test_after_kill_9_of_the_whole_system_every_accepted_job_ends_with_a_readable_report(tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    marks.mkdir()
    script = _suite(marks, tests=3, seconds=1.0)
    system = Up(tmp_path / "data", tmp_path / "up.log", workers=2).start()
    try:
        with system.client() as client:
            jobs = [submit(client, script, label=f"job {number}") for number in range(5)]
            eventually(lambda: _statuses(client, jobs).count("running") >= 1, within=60, what="a job runs")
            assert "pending" in _statuses(client, jobs)
        workers = system.worker_pids()
        old_key = system.key

        system.kill()
        eventually(lambda: not any(_alive(pid) for pid in workers), within=20, what="workers end with their server")
        system.start()

        with system.client() as client:
            for job_id in jobs:
                record = ended(client, job_id, within=150)
                assert (record["status"], record["tests"]["passed"]) == ("completed", 3), record
                assert results(client, job_id)["complete"]
                page = httpx.get(client.post(f"/v1/jobs/{job_id}/ticket").json()["reportUrl"])
                assert page.status_code == 200
            assert client.get("/v1/health", headers={"Authorization": f"Bearer {old_key}"}).status_code == 401
    finally:
        system.stop()


def _statuses(client: httpx.Client, jobs: list[str]) -> list[str]:
    return [job(client, job_id)["status"] for job_id in jobs]


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
