"""Bounds on what a suite may take, where everything runs as one user; and how much memory that is by default."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from wainwright.settings import SuiteSettings
from wainwright.worker.runners.suite import SuiteEnd
from wainwright.worker.runners.suite_session import Session
from wainwright.worker.sandbox.bounds import LEAST_BYTES, RESERVE_BYTES, SuiteBounds, bounds_of, default_memory_bytes
from wainwright.worker.sandbox.isolation import Isolation
from wainwright.worker.sandbox.process import Exceeded, ExitStatus, SuiteProcess

MIB = 1024**2


def run(code: str, folder: Path, bounds: SuiteBounds) -> ExitStatus:
    """Run Python code within bounds, to its end."""
    command = [sys.executable, "-c", code]
    isolation = Isolation(bounds=bounds)
    with SuiteProcess(command, folder, {}, isolation=isolation, folders=[folder]) as process:
        while process.running:
            process.read(1)
        return process.exit_status()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="sums over processes need /proc")
@pytest.mark.parametrize(
    ("bounds", "code", "name"),
    [
        (
            SuiteBounds(memory_bytes=200 * MIB),
            (
                "import subprocess, sys\nhalf = 'import time; kept = bytearray(150_000_000); time.sleep(100)'\n"
                "for each in [subprocess.Popen([sys.executable, '-c', half]) for _ in range(2)]: each.wait()"
            ),
            "memory",
        ),
        (
            SuiteBounds(processes=20),
            "import threading, time\nfor _ in range(30): threading.Thread(target=time.sleep, args=(100,)).start()",
            "processes",
        ),
        (
            SuiteBounds(disk_bytes=5 * MIB),
            "import time\nopen('large', 'wb').write(bytes(10_000_000))\ntime.sleep(100)",
            "disk",
        ),
    ],
    ids=["memory", "processes", "disk"],
)
def test_ends_what_takes_too_much_in_all_its_processes(
    tmp_path: Path, bounds: SuiteBounds, code: str, name: str
) -> None:
    status = run(code, tmp_path, bounds)

    assert status.signal == 9
    assert status.bound is not None
    assert status.bound.name == name
    assert status.bound.found > status.bound.limit


def test_lets_what_stays_within_its_bounds_run_to_its_end(tmp_path: Path) -> None:
    bounds = SuiteBounds(
        memory_bytes=400 * MIB, cpu_seconds=60, processes=50, open_files=500, file_bytes=5 * MIB, disk_bytes=50 * MIB
    )
    code = "import sys, time\nkept = bytearray(50_000_000)\nopen('file', 'wb').write(bytes(1_000_000))\ntime.sleep(4)\n"
    code += "sys.exit(3)"
    status = run(code, tmp_path, bounds)

    assert (status.exit_code, status.bound) == (3, None)


def test_nothing_leaves_a_core_dump(tmp_path: Path) -> None:
    code = "import resource, sys; sys.exit(resource.getrlimit(resource.RLIMIT_CORE) != (0, 0))"
    assert run(code, tmp_path, SuiteBounds()).exit_code == 0


def end_of(status: ExitStatus, folder: Path, kills: int | None = 0) -> SuiteEnd:
    """What a session without tests makes of such an end."""
    return Session(folder, folder, lambda _event: None).end(status, None, 0, kills)


def test_memory_beyond_the_bound_is_told_as_what_it_is(tmp_path: Path) -> None:
    end = end_of(ExitStatus(None, 9, bound=Exceeded("memory", 300_000_000, 412_000_000)), tmp_path)

    assert (end.reason, end.oom_kills) == ("out_of_memory", None)
    [error] = end.errors
    assert error.message == (
        "The suite took 412 MB of memory, more than the 300 MB that it may (WAINWRIGHT_TEST_MEMORY_BYTES), and was ended"
    )


@pytest.mark.parametrize(
    ("status", "setting"),
    [
        (ExitStatus(None, 9, bound=Exceeded("disk", 5 * MIB, 9 * MIB)), "WAINWRIGHT_TEST_DISK_BYTES"),
        (ExitStatus(None, 9, bound=Exceeded("processes", 20, 31)), "WAINWRIGHT_TEST_PROCESSES"),
        (ExitStatus(None, 24), "WAINWRIGHT_TEST_CPU_SECONDS"),
    ],
    ids=["disk", "processes", "cpu"],
)
def test_other_bounds_are_named(tmp_path: Path, status: ExitStatus, setting: str) -> None:
    end = end_of(status, tmp_path)

    assert end.reason == "bound_exceeded"
    assert setting in end.errors[0].message


def system(root: Path, *, total: int, limit: str | None = None, group: str = "0::/job") -> Path:
    """A machine with that much memory, and a container's limit."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/meminfo").write_text(f"MemTotal:       {total // 1024} kB\nMemFree: 1 kB\n")
    (root / "proc/self/cgroup").write_text(f"{group}\n")
    if limit is not None:
        (root / "sys/fs/cgroup/job").mkdir(parents=True)
        (root / "sys/fs/cgroup/job/memory.max").write_text(f"{limit}\n")
    return root


@pytest.mark.parametrize(
    ("limit", "expected"),
    [(None, 8192 * MIB), ("max", 8192 * MIB), (str(2048 * MIB), 2048 * MIB), (str(300 * MIB), None)],
)
def test_the_default_is_what_there_is_less_a_reserve(tmp_path: Path, limit: str | None, expected: int | None) -> None:
    root = system(tmp_path, total=8192 * MIB, limit=limit)
    assert default_memory_bytes(root) == (expected - RESERVE_BYTES if expected else LEAST_BYTES)


def test_the_limit_of_the_first_version_of_control_groups_counts(tmp_path: Path) -> None:
    root = system(tmp_path, total=8192 * MIB, group="4:memory:/job")
    (root / "sys/fs/cgroup/memory/job").mkdir(parents=True)
    (root / "sys/fs/cgroup/memory/job/memory.limit_in_bytes").write_text(str(1024 * MIB))
    assert default_memory_bytes(root) == 1024 * MIB - RESERVE_BYTES


def test_settings_become_bounds() -> None:
    settings = SuiteSettings.model_validate({"WAINWRIGHT_TEST_MEMORY_BYTES": str(100 * MIB)})
    bounds = bounds_of(settings)

    assert bounds.memory_bytes == 100 * MIB
    assert None not in (bounds.cpu_seconds, bounds.processes, bounds.open_files, bounds.file_bytes, bounds.disk_bytes)


def test_variables_of_the_tests_do_not_reach_the_supervisor(tmp_path: Path) -> None:
    code = "import os; open('found', 'wb').write(open(f'/proc/{os.getppid()}/environ', 'rb').read())"
    environment = {"LD_PRELOAD": "/nowhere/evil.so", "SHOP_PASSWORD": "correct horse"}
    with SuiteProcess([sys.executable, "-c", code], tmp_path, environment) as process:
        while process.running:
            process.read(1)
        assert process.exit_status().exit_code == 0
    found = (tmp_path / "found").read_bytes()
    assert b"LD_PRELOAD" not in found
    assert b"correct horse" not in found
