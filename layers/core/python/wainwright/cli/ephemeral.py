"""A local system for the length of one command: a process that ends when this one does, however that ends.

The child reads a pipe whose other end only this process holds. When this process is gone, by ``kill -9`` too, the pipe
closes and the child shuts down cleanly.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from wainwright.cli.errors import ExitCode, PlatformProblem

STOP_SECONDS = 30.0
"""Seconds that a system has to shut down cleanly."""


@contextmanager
def ephemeral_system(data_dir: Path, secrets: Path | None = None) -> Iterator[tuple[str, str]]:
    """Start a local system on any free port; give its endpoint and key; stop it at the end.

    Raises:
        Exit: it did not start, and has said why on standard error.
    """
    command = [sys.executable, "-m", "wainwright.cli", "up", "--ephemeral", "--port", "0", "--data-dir", str(data_dir)]
    if secrets is not None:
        command += ["--secrets", str(secrets)]
    # A session of its own: Ctrl-C is this process's to handle, and the child must outlive its handling.
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        yield _announced(child)
    finally:
        _stop(child)


def _announced(child: "subprocess.Popen[str]") -> tuple[str, str]:
    assert child.stdout is not None  # noqa: S101 - Popen was given a pipe
    line = child.stdout.readline()
    if not line:
        raise typer.Exit(child.wait() or ExitCode.PLATFORM)
    try:
        access = json.loads(line)
        return access["endpoint"], access["key"]
    except (ValueError, KeyError, TypeError) as error:
        raise PlatformProblem(f"the local system printed an unreadable address: {line[:100]!r}") from error


def _stop(child: "subprocess.Popen[str]") -> None:
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            pipe.close()
    for harder in (child.terminate, child.kill):
        try:
            child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            harder()
    child.wait()
