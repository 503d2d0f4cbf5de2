"""A local system in a process of its own whose workers run nothing; it tells what it did on request.

As a program it serves until its standard input ends. Of the lines that it reads, ``start`` begins to count its AWS calls and to
sample its CPU time, ``begin`` does so without sampling, and ``end`` has it print what there was since as one line of JSON.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import httpx
import platformdirs

from benchmarks.cpu_by_package import Sampler
from benchmarks.systems import System
from wainwright.cli.paths import repository
from wainwright.cli.up import local_access
from wainwright.local.meter import Call
from wainwright.local.synth import template_for
from wainwright.local.system import LocalSystem

WORKER = Path(__file__).with_name("noop_worker.py")
NO_LIMITS = {"running": 1_000, "queued": 100_000}
SCRIPT = "def test_nothing():\n    pass\n"
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class NoopSystem(System):
    """The system, whose process may be asked what it did."""

    told: IO[str]
    tells: IO[str]

    @contextlib.contextmanager
    def watched(self, *, sampled: bool) -> Iterator[dict[str, Any]]:
        """Yield a dictionary that has the work of the system after the block: ``calls``, ``cpu`` and, if sampled, ``profile``."""
        found: dict[str, Any] = {}
        self._say("start" if sampled else "begin")
        workers = self.workers_cpu()
        yield found
        found["workersCpu"] = self.workers_cpu() - workers
        found |= self._say("end")

    def workers_cpu(self) -> float:
        """CPU seconds that the worker processes that run now have used so far."""
        return sum(map(_cpu_of, _children_of(self.pid)))

    def memory(self) -> tuple[float, int]:
        """Resident MiB of the system's process, and how many threads it has."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        status = {name: value.split() for name, _, value in (line.partition(":") for line in lines)}
        return int(status["VmRSS"][0]) / 1_024, int(status["Threads"][0])

    def _say(self, word: str) -> dict[str, Any]:
        self.told.write(f"{word}\n")
        self.told.flush()
        answer: dict[str, Any] = json.loads(self.tells.readline())
        return answer


def _children_of(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError):  # the thread has just ended; its children are another's now
            found += map(int, (task / "children").read_text().split())
    return found


def _cpu_of(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0.0  # it has left
    return (int(fields[11]) + int(fields[12])) / _TICKS


@contextlib.contextmanager
def noop_system(folder: Path, workers: int, *, idle: bool = False, real: bool = False) -> Iterator[NoopSystem]:
    """A local system whose workers run nothing; with ``idle`` they take nothing either, with ``real`` they are real.

    The project's limits are raised so far that they do not matter.
    """
    command = [sys.executable, "-m", "benchmarks.noop_system", "--workers", str(workers), "--data-dir", str(folder)]
    command += ["--idle"] * idle + ["--real"] * real
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("WAINWRIGHT_", "AWS_"))}
    folder.mkdir(parents=True, exist_ok=True)
    with (
        (folder.parent / f"{folder.name}.stderr").open("w+") as errors,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, env=environment, text=True
        ) as child,
    ):
        if child.stdout is None or child.stdin is None:
            raise SystemExit("the local system has no pipes")
        try:
            line = child.stdout.readline()
            if not line:
                errors.seek(0)
                raise SystemExit(f"the local system did not start: {errors.read()[-2_000:]}")
            told = json.loads(line)
            headers = {"Authorization": f"Bearer {told['key']}"}
            with httpx.Client(base_url=told["endpoint"], headers=headers, timeout=60) as client:
                client.put("/v1/limits", json=NO_LIMITS).raise_for_status()
                yield NoopSystem(client, told["endpoint"], told["key"], child.pid, child.stdin, child.stdout)
        except BaseException:
            print(_last_error(folder / "logs" / "local.log"), file=sys.stderr)
            raise
        finally:
            child.stdin.close()
            child.wait(60)


def _last_error(log: Path, most_lines: int = 40) -> str:
    """Return the last error in the system's log: the folder is gone after the benchmark."""
    lines = log.read_text().splitlines() if log.exists() else []
    at = max((number for number, line in enumerate(lines) if " ERROR " in line), default=len(lines))
    return "\n".join(lines[at : at + most_lines])


class _Calls:
    """AWS calls by who made them."""

    def __init__(self) -> None:
        self.counted: Counter[str] = Counter()

    def note(self, call: Call) -> None:
        """Count one. Callers are named: ``api``, ``dispatch_jobs``, ``worker``, ``workflow``."""
        self.counted[f"{call.caller}: {call.service} {call.operation}"] += 1


def serve(system: LocalSystem, calls: _Calls) -> None:
    """Say where the system is, and do as standard input says until it ends."""
    _print({"endpoint": system.api_url, "key": local_access()})
    sampler: Sampler | None = None
    cpu = time.process_time()
    for line in sys.stdin:
        if line.strip() == "end":
            profile = sampler.stop().to_json() if sampler else None
            _print({"calls": dict(calls.counted), "cpu": time.process_time() - cpu, "profile": profile})
            sampler = None
        else:
            calls.counted = Counter()
            cpu = time.process_time()
            sampler = Sampler() if line.strip() == "start" else None
            if sampler is not None:
                sampler.start()
            _print({})


def _print(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def main() -> int:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.noop_system")
    parser.add_argument("--workers", type=int, required=True)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--idle", action="store_true", help="workers take nothing")
    parser.add_argument("--real", action="store_true", help="workers are the real ones")
    options = parser.parse_args()
    root, calls = repository(), _Calls()
    template = template_for(root, platformdirs.user_cache_path("wainwright", appauthor=False))
    command = None if options.real else [sys.executable, str(WORKER), *["--idle"] * options.idle]
    with LocalSystem(
        template, root, options.data_dir, api_port=0, max_workers=options.workers, worker_command=command,
        on_call=calls.note,
    ) as system:  # fmt: skip
        serve(system, calls)
    return 0


if __name__ == "__main__":
    sys.exit(main())
