"""Redis with BullMQ and with RQ: installed into the user's cache folder, and run on this machine alone."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs

from scripts import system_packages, uv
from wainwright.worker.runners.node import NodeMissing, find_node

BULLMQ, IOREDIS = "6.7.0", "5.8.2"
RQ, REDIS_PY = "3.0.0", "8.1.0"
"""The exact versions that are measured. Redis is Debian's."""

HERE = Path(__file__).parent
INSTALL_SECONDS = 300
START_SECONDS = 60


class RivalMissing(Exception):
    """The rival cannot be had here; the message says why."""


@dataclass(frozen=True)
class Sender:
    """A process that submits jobs that do nothing, and knows when they are done."""

    process: subprocess.Popen[str]

    def all(self, number: int) -> float:
        """Seconds until so many, submitted at once, are known to be done."""
        return float(self._ask(f"all {number}")["seconds"])

    def each(self, number: int) -> Mapping[str, Sequence[float]]:
        """So many, one after the other: milliseconds until done is ``known`` to the sender, and ``recorded`` by the job."""
        found: Mapping[str, Sequence[float]] = self._ask(f"each {number}")
        return found

    def _ask(self, line: str) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit(f"a sender ended with {self.process.wait()}")
        return json.loads(answer)


def redis_program() -> Path:
    """Debian's redis-server, installed if it is missing and this user may.

    Raises:
        RivalMissing: neither.
    """
    found = shutil.which("redis-server")
    if found is None and not system_packages.install("redis-server"):
        raise RivalMissing("there is no redis-server, and this user may not install one with apt-get")
    if (found := shutil.which("redis-server")) is None:
        raise RivalMissing("apt-get installed redis-server, and it is not on PATH")
    return Path(found)


def redis_version(program: Path) -> str:
    """Return the version, such as ``7.0.15``."""
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    return said.partition("v=")[2].split()[0]


def installed_bullmq() -> Path:
    """A folder with BullMQ in its ``node_modules``. Raises RivalMissing."""
    try:
        node = find_node()
    except NodeMissing as error:
        raise RivalMissing(str(error)) from error
    npm = node.parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    options = ["--no-audit", "--no-fund", "--no-update-notifier", "--ignore-scripts", "--no-save"]

    def install(folder: Path) -> None:
        _run([node, npm, "install", *options, f"bullmq@{BULLMQ}", f"ioredis@{IOREDIS}"], folder, os.environ)

    return _kept(f"bullmq-{BULLMQ}-{IOREDIS}", install)


def installed_rq() -> Path:
    """The folder of a virtual environment with RQ. Raises RivalMissing."""

    def install(folder: Path) -> None:
        _run(
            [uv.UV, "venv", "--quiet", "--relocatable", "--python", sys.executable, folder / "venv"],
            folder,
            uv.environment(),
        )
        packages = [f"rq=={RQ}", f"redis=={REDIS_PY}"]
        python = folder / "venv" / "bin" / "python"
        _run([uv.UV, "pip", "install", "--quiet", "--python", python, *packages], folder, uv.environment())

    return _kept(f"rq-{RQ}-{REDIS_PY}", install)


def _kept(name: str, install: Callable[[Path], None]) -> Path:
    cache = platformdirs.user_cache_path("wainwright", appauthor=False) / "benchmarks"
    place = cache / name
    if not place.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(dir=cache))  # beside the place, so that what is there is complete
        try:
            install(made)
        except BaseException:
            shutil.rmtree(made, ignore_errors=True)
            raise
        made.rename(place)
    return place


def _run(command: Sequence[Any], folder: Path, environment: Mapping[str, str]) -> None:
    try:
        subprocess.run(
            command, cwd=folder, env=environment, check=True, capture_output=True, text=True, timeout=INSTALL_SECONDS
        )
    except (OSError, subprocess.SubprocessError) as error:
        said = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
        raise RivalMissing(f"it could not be installed: {said[-1] if said else error}") from error


@contextlib.contextmanager
def running_redis(program: Path) -> Iterator[int]:
    """The port of a Redis of our own, on loopback, which keeps nothing on disk."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
    settings = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with (
        tempfile.TemporaryDirectory(prefix="wainwright-redis-") as folder,
        _process([program, *settings], folder) as redis,
    ):
        deadline = time.monotonic() + START_SECONDS
        while not _answers(port):
            if time.monotonic() > deadline or redis.poll() is not None:
                raise SystemExit("redis-server did not start")
            time.sleep(0.02)
        yield port


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False


@contextlib.contextmanager
def bullmq(port: int, workers: int) -> Iterator[Sender]:
    """BullMQ with so many worker processes of one job at a time each. Raises RivalMissing."""
    folder, script = installed_bullmq(), HERE / "queue_rival_bullmq.mjs"
    command = [find_node(), script]
    with contextlib.ExitStack() as stack:
        for _ in range(workers):
            _await_ready(stack.enter_context(_process([*command, "worker", str(port)], folder)))
        sender = stack.enter_context(_process([*command, "sender", str(port)], folder))
        _await_ready(sender)
        yield Sender(sender)


@contextlib.contextmanager
def rq(port: int, workers: int, *, forks: bool) -> Iterator[Sender]:
    """RQ with so many worker processes; with ``forks``, its default, each job is run by a process of its own."""
    programs = installed_rq() / "venv" / "bin"
    kind = "rq.worker.Worker" if forks else "rq.worker.SimpleWorker"  # also the name of its queue
    url = f"redis://127.0.0.1:{port}"
    worker = [programs / "python", "-m", "rq.cli", "worker", "--quiet", "--worker-class", kind, "--url", url, kind]
    with contextlib.ExitStack() as stack:
        for _ in range(workers):
            stack.enter_context(_process(worker, HERE))
        sender = stack.enter_context(_process([programs / "python", HERE / "queue_rival_rq.py", str(port), kind], HERE))
        _await_ready(sender)
        yield Sender(sender)


@contextlib.contextmanager
def _process(command: Sequence[Any], folder: Path | str) -> Iterator[subprocess.Popen[str]]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment |= {"PYTHONPATH": str(HERE), "PYTHONDONTWRITEBYTECODE": "1"}
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True,
    ) as child:  # fmt: skip
        try:
            yield child
        finally:
            child.terminate()
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()


def _await_ready(child: subprocess.Popen[str]) -> None:
    if child.stdout is None or child.stdout.readline().strip() != "ready":
        raise SystemExit("a rival did not start")
