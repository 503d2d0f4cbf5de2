"""A local system in a process of its own, as ``wainwright up`` starts it, and looking at it from outside."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

import httpx

ROOT = Path(__file__).parents[3]
CLI = [sys.executable, "-m", "wainwright.cli"]
T = TypeVar("T")


def eventually(look: Callable[[], T | None], *, within: float, what: str) -> T:
    """What ``look`` finds, as soon as it does."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.1)
    raise AssertionError(f"did not happen within {within} s: {what}")


@dataclass
class Up:
    """``wainwright up`` on a data directory of its own."""

    data_dir: Path
    log: Path
    workers: int = 2
    _process: subprocess.Popen[bytes] | None = None
    endpoint: str = ""
    key: str = ""
    environment: dict[str, str] = field(default_factory=dict)

    def start(self) -> "Up":
        """Start it and wait until it says where it is."""
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("WAINWRIGHT_", "AWS_"))
        }
        self.environment["WAINWRIGHT_DATA_DIR"] = str(self.data_dir)
        # Two systems at a time on two cores: processes and browsers for jobs that never come would take most of them.
        self.environment["WAINWRIGHT_SPARES"] = "false"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command(), env=self.environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        published = eventually(self._published, within=180, what=f"up started; see {self.log}")
        self.endpoint, self.key = published["endpoint"], published["key"]
        return self

    def _command(self) -> list[str]:
        return [*CLI, "up", "--port", "0", "--data-dir", str(self.data_dir), "--workers", str(self.workers)]

    def _published(self) -> dict[str, Any] | None:
        assert self._process is not None
        assert self._process.poll() is None, self.log.read_text()
        file = self.data_dir / "endpoint.json"
        if not file.exists():
            return None
        published: dict[str, Any] = json.loads(file.read_text())
        return published if published["pid"] == self._process.pid else None

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """``kill -9``."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """As Ctrl-C does."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(60)

    def client(self) -> httpx.Client:
        """Plain HTTP with this run's key."""
        return httpx.Client(base_url=self.endpoint, headers={"Authorization": f"Bearer {self.key}"}, timeout=60)

    def run(self, *arguments: str, within: float = 240) -> subprocess.CompletedProcess[str]:
        """``wainwright`` with these arguments, using this system."""
        return subprocess.run(
            [*CLI, *arguments], env=self.environment, capture_output=True, text=True, timeout=within, check=False
        )

    def worker_pids(self) -> list[int]:
        """Processes of this system's workers."""
        return [pid for pid in _children(self.pid) if b"wainwright.worker" in _command(pid)]


def _children(parent: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended just now
        if int(fields[1]) == parent and fields[0] != "Z":
            found.append(int(entry.name))
    return found


def _command(pid: int) -> bytes:
    try:
        return (Path("/proc") / str(pid) / "cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def submit(client: httpx.Client, script: str, **more: object) -> str:
    """Create a job of one script; returns its id."""
    answer = client.post("/v1/jobs", json={"script": script, **more})
    assert answer.status_code == 202, answer.text
    job_id: str = answer.json()["jobId"]
    return job_id


def job(client: httpx.Client, job_id: str) -> dict[str, Any]:
    """The job's record as it is now."""
    answer = client.get(f"/v1/jobs/{job_id}")
    assert answer.status_code == 200, answer.text
    record: dict[str, Any] = answer.json()["job"]
    return record


def ended(client: httpx.Client, job_id: str, *, within: float = 120) -> dict[str, Any]:
    """The job's record once nothing more happens to it."""

    def look() -> dict[str, Any] | None:
        record = job(client, job_id)
        return record if record["status"] in {"completed", "failed", "canceled", "skipped", "stopped"} else None

    return eventually(look, within=within, what=f"job {job_id} ended")


def results(client: httpx.Client, job_id: str) -> dict[str, Any]:
    """The results.json of the job's report."""
    answer = client.get(f"/v1/jobs/{job_id}/report/results.json")
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *_arguments: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """A folder on loopback; its address, with a slash at its end."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


def copy_suite(names: Sequence[str], target: Path, **edits: tuple[str, str]) -> Path:
    """Some files of the example suite, each with one edit (file stem → old, new) where one is given."""
    target.mkdir()
    for name in ("conftest.py", "pytest.ini", *names):
        text = (ROOT / "examples" / "shop-tests" / name).read_text()
        if (stem := Path(name).stem) in edits:
            old, new = edits[stem]
            assert text.count(old) >= 1, f"{name} has no {old!r}"
            text = text.replace(old, new)
        (target / name).write_text(text)
    return target
