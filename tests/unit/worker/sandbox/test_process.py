"""The child process's lines, its end, and the kernel's counter of memory kills."""

from __future__ import annotations

import itertools
import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wainwright.worker.sandbox.bounds import oom_kills
from wainwright.worker.sandbox.process import ExitStatus, LineSplitter, SuiteProcess


@given(st.binary(max_size=200), st.lists(st.integers(0, 200)))
def test_lines_do_not_depend_on_how_the_bytes_arrive(data: bytes, cuts: list[int]) -> None:
    splitter = LineSplitter(1000, keep_start=True)
    lines: list[bytes] = []
    edges = [0, *sorted(cuts), len(data)]
    for start, end in itertools.pairwise(edges):
        lines += splitter.feed(data[start:end])
    lines += splitter.end()
    assert lines == [line for line in data.split(b"\n") if line]


def test_an_overlong_line_is_dropped_and_counted_and_the_next_one_read() -> None:
    splitter = LineSplitter(5, keep_start=False)
    assert list(splitter.feed(b"123456")) == []
    assert list(splitter.feed(b"789\nnext\n12345\n")) == [b"next", b"12345"]
    assert splitter.dropped == 1


def test_an_overlong_printed_line_is_cut() -> None:
    found = list(LineSplitter(16, keep_start=True).feed(b"12345678901234567\nnext\n"))
    assert found == ["12345… cut …".encode(), b"next"]


def run(code: str, tmp_path: Path) -> tuple[ExitStatus, dict[str, bytes]]:
    """Run Python code under the supervisor to its end."""
    events_read, events_write = os.pipe()
    control_read, control_write = os.pipe()
    output: dict[str, bytes] = {}
    try:
        command = [sys.executable, "-c", code, str(events_write)]
        process = SuiteProcess(command, tmp_path, {}, events_write, control_read)
        os.close(events_write)
        os.close(control_read)
        with process:
            process.watch_events(events_read)
            while process.running:
                for stream, line in process.read(1):
                    output[stream] = output.get(stream, b"") + line + b"\n"
            return process.exit_status(), output
    finally:
        os.close(events_read)
        os.close(control_write)


def test_passes_on_what_is_printed_and_the_exit_code(tmp_path: Path) -> None:
    code = (
        "import os, sys; print('out'); print('err', file=sys.stderr); os.write(int(sys.argv[1]), b'event'); sys.exit(7)"
    )
    status, output = run(code, tmp_path)
    assert (status.exit_code, status.signal) == (7, None)
    assert output == {"stdout": b"out\n", "stderr": b"err\n", "events": b"event\n"}


@pytest.mark.parametrize("number", [9, 11])
def test_names_the_signal_that_killed_the_process(tmp_path: Path, number: int) -> None:
    status, _ = run(f"import os; os.kill(os.getpid(), {number})", tmp_path)
    assert (status.exit_code, status.signal) == (None, number)


def test_a_command_that_cannot_be_started_says_so(tmp_path: Path) -> None:
    events_read, events_write = os.pipe()
    control_read, control_write = os.pipe()
    with SuiteProcess(["/no/such/program"], tmp_path, {}, events_write, control_read) as process:
        lines = []
        while process.running:
            lines += process.read(1)
        assert process.exit_status().exit_code == 127
    assert lines == [("stderr", b"cannot start /no/such/program: No such file or directory")]
    for descriptor in (events_read, events_write, control_read, control_write):
        os.close(descriptor)


def test_children_that_hold_the_pipes_do_not_keep_the_run_open(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys; "
        "subprocess.Popen(['/bin/sleep', '600'], start_new_session=True, pass_fds=(int(sys.argv[1]),))"
    )
    status, _ = run(code, tmp_path)
    assert status.exit_code == 0


def test_killing_a_group_of_its_own_does_not_hurt_the_supervisor(tmp_path: Path) -> None:
    status, _ = run("import os, signal; os.killpg(0, signal.SIGKILL)", tmp_path)
    assert status.signal == 9


def test_reads_the_counter_of_memory_kills_of_either_version_of_control_groups(tmp_path: Path) -> None:
    assert oom_kills(tmp_path) is None
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text("0::/job\n")
    events = tmp_path / "sys/fs/cgroup/job/memory.events"
    events.parent.mkdir(parents=True)
    events.write_text("low 0\noom 3\noom_kill 2\n")
    assert oom_kills(tmp_path) == 2
    (tmp_path / "proc/self/cgroup").write_text("4:memory:/job\n0::/\n")
    control = tmp_path / "sys/fs/cgroup/memory/job/memory.oom_control"
    control.parent.mkdir(parents=True)
    control.write_text("oom_kill_disable 0\nunder_oom 0\noom_kill 5\n")
    assert oom_kills(tmp_path) == 5
