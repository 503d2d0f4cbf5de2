"""A local system to measure, in a process of its own, as ``wainwright up`` starts it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

WAIT_SECONDS = 600.0


@dataclass(frozen=True)
class System:
    """A running local system. ``client`` carries its key and address; ``pid`` is of the process that serves it."""

    client: httpx.Client
    endpoint: str
    key: str
    pid: int

    def submit(self, **body: Any) -> str:
        """Create a job; its id."""
        created = self.client.post("/v1/jobs", json=body)
        if created.is_error:
            raise SystemExit(f"the job was refused: {created.text}")
        return str(created.json()["jobId"])

    def wait_for(self, job_id: str) -> dict[str, Any]:
        """The record of the job once it has ended, however it ended."""
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline:
            job: dict[str, Any] = self.client.get(f"/v1/jobs/{job_id}?wait=20").raise_for_status().json()["job"]
            if job["completedAt"]:
                return job
        raise SystemExit(f"job {job_id} took more than {WAIT_SECONDS:.0f} s")

    def run(self, **body: Any) -> dict[str, Any]:
        """Create a job and wait for its end; it has to complete, for the figures of a failure mislead."""
        job = self.wait_for(self.submit(**body))
        if job["status"] != "completed":
            raise SystemExit(f"job {job['id']} {job['status']}: {job['error']}")
        return job


@contextlib.contextmanager
def local_system(folder: Path, workers: int, **variables: str) -> Iterator[System]:
    """A local system with so many workers at most; ``variables`` are added to its environment."""
    command = [sys.executable, "-m", "wainwright.cli", "up", "--ephemeral", "--port", "0", "--workers", str(workers)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("WAINWRIGHT_", "AWS_"))}
    with subprocess.Popen(
        [*command, "--data-dir", str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        env=environment | variables, stderr=subprocess.DEVNULL, text=True,
    ) as child:  # fmt: skip
        if child.stdout is None or child.stdin is None:
            raise SystemExit("the local system has no pipes")
        line = child.stdout.readline()
        if not line:
            raise SystemExit(f"the local system did not start; see {folder / 'logs' / 'local.log'}")
        told = json.loads(line)
        try:
            headers = {"Authorization": f"Bearer {told['key']}"}
            with httpx.Client(base_url=told["endpoint"], headers=headers, timeout=60) as client:
                yield System(client, told["endpoint"], told["key"], child.pid)
        finally:
            child.stdin.close()
            child.wait(60)
