"""Every ending of a job, brought about for real on one worker."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.worker.clock import Clock
from tests.e2e.worker.memory_bound import memory_bound
from tests.e2e.worker.one_worker import PROJECT, OneWorker
from tests.support.memory.services import MemoryWakeUps
from wainwright.adapters.clock import system_clock
from wainwright.contracts.messages import ExecutionError
from wainwright.domain.capacity import Limits
from wainwright.domain.jobs import Job, JobDetail
from wainwright.ports.job_store import Progress
from wainwright.usecases.end_job import EndJob
from wainwright.usecases.finish_job import FinishJob
from wainwright.worker.run.closing import report_late
from wainwright.worker.run.shutdown import ShutdownSignal
from wainwright.worker.runners import supervised_run as supervised

SUITE = """
import os
import signal
from pathlib import Path

import pytest
import wainwright


def test_before(page):
    page.goto("/")


def test_at_the_end(page, request):
    page.goto("/console.html")
    page.get_by_text("ready").wait_for()
    print("said by the test")
    wainwright.log_info("the end comes now")
{body}


def test_after(page):
    page.goto("/")
"""
WAIT = "page.get_by_text('never to be seen').wait_for(timeout=600_000)"
UNTIL_TOLD = """
control = request.config.pluginmanager.get_plugin("wainwright-reporter").control
while not control.stopping:
    page.wait_for_timeout(20)
"""
KILL_THE_BROWSER = """
profile = f"--user-data-dir={os.environ['TMPDIR']}/"
for process in Path("/proc").glob("[0-9]*"):
    try:
        command = (process / "cmdline").read_text()
    except OSError:
        continue
    if profile in command and "--type=" not in command and "--remote-debugging-pipe" in command:
        os.kill(int(process.name), signal.SIGKILL)
page.wait_for_timeout(60_000)
"""
TAKE_MEMORY = """
taken = []
while True:
    taken.append(b"x" * 8_000_000)
"""
HOUR_MS = 3_600_000
VIDEO = {"video": "on"}


@dataclass
class Ended:
    """What a job was when it had ended, and the worker that had it."""

    one: OneWorker
    job: Job
    progress: Progress = field(default_factory=Progress)


@dataclass
class Bench:
    """What an ending is brought about with."""

    folder: Path
    site: str
    clock: Clock
    monkeypatch: pytest.MonkeyPatch

    def worker(self, body: str = "pass", files: dict[str, str] | None = None, **more: Any) -> OneWorker:
        """A worker for the suite with this at its end, or for other files."""
        suite = {"test_shop.py": SUITE.format(body="\n".join(f"    {line}" for line in body.strip().splitlines()))}
        detail = more.pop("detail", JobDetail(config=VIDEO))
        return OneWorker(self.folder, files or suite, detail, **({"url": self.site} | more))

    def run(self, body: str = "pass", files: dict[str, str] | None = None, **more: Any) -> Ended:
        """Run it to its end."""
        one = self.worker(body, files, **more)
        one.run()
        return ended(one)

    def lose_the_worker(self, one: OneWorker, losses: int) -> None:
        """Run until the end comes; from then on nobody has the job, as after a ``kill -9`` of so many workers."""
        shutdown = ShutdownSignal()
        with at_the_end(one, shutdown.request):
            assert one.run(shutdown) is None
        long_ago = system_clock() - timedelta(hours=1)
        one.write(one.job.model_copy(update={"worker": "dead", "lease_until": long_ago, "losses": losses - 1}))


def ended(one: OneWorker) -> Ended:
    """As Finish makes it of the outcome."""
    job = one.finish()
    return Ended(one, job)


@contextmanager
def at_the_end(one: OneWorker, act: Callable[[], object]) -> Iterator[None]:
    """Act as soon as the test at the end has said that the end comes now."""
    append = one.logs.append

    def appending(project: str, job_id: str, entries: Any, **fence: Any) -> None:
        append(project, job_id, entries, **fence)
        if any(entry.message == "the end comes now" for entry in entries):
            act()

    one.logs.append = appending  # type: ignore[method-assign,assignment]
    try:
        yield
    finally:
        one.logs.append = append  # type: ignore[method-assign]


def _navigation_failed(bench: Bench) -> Ended:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return bench.run(f"page.goto('http://127.0.0.1:{unused.getsockname()[1]}/')")


def _job_timed_out(bench: Bench) -> Ended:
    one = bench.worker(WAIT, timeout_ms=HOUR_MS)
    with at_the_end(one, lambda: bench.clock.put_forward(HOUR_MS / 1_000)):
        one.run()
    return ended(one)


def _canceled(bench: Bench) -> Ended:
    one = bench.worker(WAIT)
    with at_the_end(one, lambda: one.write(one.job.cancel(system_clock()))):
        one.run()
    return ended(one)


def _stopped(bench: Bench) -> Ended:
    one = bench.worker(UNTIL_TOLD)
    with at_the_end(one, lambda: one.write(one.job.stop(system_clock()))):
        one.run()
    return ended(one)


def _evicted(bench: Bench) -> Ended:
    """Whoever goes on with the job runs the test at the end once more, and the one after it."""
    been_here = bench.folder / "been here"
    one = bench.worker(f"if not Path({str(been_here)!r}).exists():\n    Path({str(been_here)!r}).touch()\n    {WAIT}")
    shutdown = ShutdownSignal()
    with at_the_end(one, shutdown.request):
        assert one.run(shutdown) is None
    assert one.outcomes() == {"test_before[chromium]": "passed"}
    one.run()
    return ended(one)


def _out_of_memory(bench: Bench) -> Ended:
    with memory_bound(700):
        return bench.run(TAKE_MEMORY)


def _wrong_results(bench: Bench) -> Ended:
    schema = {"type": "object", "required": ["total"]}
    return bench.run(detail=JobDetail(config=VIDEO, output_schema=schema))


def _bundle_gone(bench: Bench) -> Ended:
    one = bench.worker()
    one.artifacts.objects.clear()
    one.run()
    return ended(one)


def _worker_failed(bench: Bench) -> Ended:
    """An error that nobody has thought of, in the worker itself."""
    from wainwright.settings import WorkerSettings
    from wainwright.worker.loop.agent import Agent

    one = bench.worker(WAIT)
    settings = WorkerSettings.read(
        dict.fromkeys(("WAINWRIGHT_STAGE", "WAINWRIGHT_TABLE", "WAINWRIGHT_BUCKET", "WAINWRIGHT_WORK_QUEUE_URL"), "x")
        | {"WAINWRIGHT_WORKER_ID": "worker-1"}
    )
    agent = Agent(one.worker, settings, ShutdownSignal(), bench.folder)

    def fail() -> None:
        raise RuntimeError("nobody has thought of this")

    with at_the_end(one, fail):
        agent.take(one.admitted_work())
    return ended(one)


def _workers_lost(bench: Bench) -> Ended:
    one = bench.worker(WAIT)
    bench.lose_the_worker(one, losses=3)
    one.run()
    return ended(one)


def _canceled_with_its_worker_lost(bench: Bench) -> Ended:
    one = bench.worker(WAIT)
    bench.lose_the_worker(one, losses=1)
    one.write(one.job.cancel(system_clock()))
    one.run()
    return ended(one)


def _stopped_with_its_worker_lost(bench: Bench) -> Ended:
    one = bench.worker(WAIT)
    bench.lose_the_worker(one, losses=1)
    one.write(one.job.stop(system_clock()))
    one.run()
    return ended(one)


def _ended_without_a_worker(bench: Bench) -> Ended:
    """The execution times out, and only then there is a worker again."""
    one = bench.worker(WAIT)
    bench.lose_the_worker(one, losses=1)
    end = EndJob(one.jobs, Limits(), one.worker.queue, MemoryWakeUps())
    finish = FinishJob(one.jobs, end, MemoryWakeUps(), system_clock)
    at_rest = finish(PROJECT, one.id, one.job.run, ExecutionError(error="States.Timeout"))
    assert at_rest is not None
    assert at_rest.report is None
    work = one.next_work()
    while not work.message.report_only:  # the run's own, which is over
        assert one.worker.claims.claim(work, "worker-2") is None
        work = one.next_work()
    assert report_late(one.worker, work)
    return Ended(one, one.job)


def _instructions(bench: Bench) -> Ended:
    """Ends where it is submitted."""
    from tests.support.builders import a_caller
    from tests.support.memory.services import MemoryClock
    from tests.support.system import System
    from wainwright.contracts.http.jobs import CreateJob

    system = System(clock=MemoryClock(system_clock()))  # or its job would be gone, some days after the tests' own date
    one = bench.worker(files={"test_a.py": ""})
    one.jobs = system.jobs  # type: ignore[assignment]
    job = system.submit(a_caller(PROJECT), CreateJob(instructions="Buy a hat.")).job
    one.id = job.id
    return Ended(one, job)


ENDINGS: dict[str, Callable[[Bench], Ended]] = {
    "passed": lambda bench: bench.run(),
    "failed": lambda bench: bench.run("assert page.title() == 'Another title'"),
    "test_timed_out": lambda bench: bench.run("page.get_by_text('never to be seen').wait_for(timeout=300)"),
    "navigation_failed": _navigation_failed,
    "page_crashed": lambda bench: bench.run("page.goto('chrome://crash')"),
    "browser_killed": lambda bench: bench.run(KILL_THE_BROWSER),
    "job_timed_out": _job_timed_out,
    "canceled": _canceled,
    "stopped": _stopped,
    "evicted": _evicted,
    "test_process_killed": lambda bench: bench.run("os.kill(os.getpid(), signal.SIGKILL)"),
    "out_of_memory": _out_of_memory,
    "left_with_exit_0": lambda bench: bench.run("os._exit(0)"),
    "ended_by_the_suite": lambda bench: bench.run("pytest.exit('enough')"),
    "wrong_results": _wrong_results,
    "syntax_error": lambda bench: bench.run(files={"test_shop.py": "def test_a(:\n"}),
    "no_tests": lambda bench: bench.run(files={"test_shop.py": "x = 1\n"}),
    "install_failed": lambda bench: bench.run(
        files={"test_shop.py": "def test_a(): pass\n", "requirements.txt": "./not-there\n"}
    ),
    "browser_missing": lambda bench: bench.run(
        files={"test_shop.py": "def test_a(page): pass\n"}, detail=JobDetail(config={"browser": "webkit"})
    ),
    "bundle_gone": _bundle_gone,
    "worker_failed": _worker_failed,
    "workers_lost": _workers_lost,
    "canceled_with_its_worker_lost": _canceled_with_its_worker_lost,
    "stopped_with_its_worker_lost": _stopped_with_its_worker_lost,
    "ended_without_a_worker": _ended_without_a_worker,
    "instructions": _instructions,
}


@contextmanager
def bench(folder: Path, site: str) -> Iterator[Bench]:
    """A bench whose clock may be put forward."""
    clock = Clock()
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(supervised, "time", clock)
        yield Bench(folder, site, clock, monkeypatch)
