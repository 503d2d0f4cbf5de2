"""Stopping, canceling and timing out a suite while a browser is open in it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import zipfile

import pytest

from tests.e2e.worker.suites import (
    SuiteFolder,
    await_end_of,
    descendants,
    outliving,
    processes_of,
    still_running,
)
from tests.support.stop import Stop
from wainwright.worker.runners import supervised_run as supervised
from wainwright.worker.runners.suite import LogLine, TestStarted

pytestmark = pytest.mark.browser

WAITING = """
    from playwright.sync_api import expect

    def test_first(page):
        page.goto("/")

    def test_second(page):
        page.goto("/")
        print("second is waiting", flush=True)
        page.get_by_text("{text}").wait_for(timeout={timeout})

    def test_third(page):
        page.goto("/")
"""


def test_a_cancel_kills_the_tests_and_their_browser_at_once(suite: SuiteFolder, site: str) -> None:
    suite.write("test_waiting.py", WAITING.format(text="nothing like it", timeout=600_000))
    stop = Stop()
    seen: list[str] = []
    below: dict[int, str] = {}
    others = descendants(os.getpid())  # a browser of other tests may be among them

    def cancel(event: object) -> None:
        if isinstance(event, TestStarted) and "second" in event.id:
            seen.extend(processes_of(suite.mark))
            below.update({pid: began for pid, began in descendants(os.getpid()).items() if pid not in others})
            stop.cancel()

    run = suite.run(base_url=site, stop=stop, also=cancel)
    assert any("--remote-debugging-pipe" in command for command in seen), seen
    assert len(below) > 5, "supervisor, pytest, driver and several processes of the browser"
    assert still_running(below) == []
    assert processes_of(suite.mark) == []
    assert run.end.reason == "canceled"
    assert [result.title for result in run.results] == ["test_first"]
    assert run.end.unfinished == ("test_waiting.py::test_second[chromium]", "test_waiting.py::test_third[chromium]")


def test_a_stop_finishes_the_current_test_and_runs_no_other(suite: SuiteFolder, site: str) -> None:
    suite.write("test_waiting.py", WAITING.format(text="Shop", timeout=600_000))
    stop = Stop()

    def stop_in_second(event: object) -> None:
        if isinstance(event, TestStarted) and "second" in event.id:
            stop.stop()

    suite.write("conftest.py", STOPS_WHEN_TOLD)
    run = suite.run(base_url=site, stop=stop, also=stop_in_second)
    assert run.end.reason == "stopped"
    assert [(result.title, result.outcome) for result in run.results] == [
        ("test_first", "passed"),
        ("test_second", "passed"),
    ]
    assert {item.name for item in run.results[1].attachments} == {"trace", "screenshot", "log"}
    assert run.end.unfinished == ("test_waiting.py::test_third[chromium]",)
    assert processes_of(suite.mark) == []


# Holds the second test until the stop has reached the test process, so that the outcome depends on no timing.
STOPS_WHEN_TOLD = """
    import time
    import pytest

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(item):
        if "second" in item.nodeid:
            control = item.config.pluginmanager.get_plugin("wainwright-reporter").control
            deadline = time.monotonic() + 60
            while not control.stopping:
                assert time.monotonic() < deadline
                time.sleep(0.01)
        return (yield)
"""


class Clock:
    """The monotonic clock, which a test may put forward, so that no outcome depends on how fast the machine is."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self._ahead

    def put_forward(self, seconds: float) -> None:
        """Once: what triggers it may be printed again in a traceback."""
        self._ahead = self._ahead or seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(supervised, "time", clock)
    return clock


HOUR_MS = 3_600_000


def test_when_the_time_is_up_the_running_test_fails_with_its_evidence(
    suite: SuiteFolder, site: str, clock: Clock
) -> None:
    suite.write("pytest.ini", "[pytest]\naddopts = --capture=no\n")
    suite.write("test_waiting.py", WAITING.format(text="nothing like it", timeout=600_000))

    def time_passes(event: object) -> None:
        if isinstance(event, LogLine) and "second is waiting" in event.message:
            clock.put_forward(HOUR_MS / 1000)

    run = suite.run(base_url=site, timeout_ms=HOUR_MS, also=time_passes)
    assert run.end.reason == "timed_out"
    result = run.result("test_second")
    assert (result.outcome, [error.kind for error in result.errors]) == ("failed", ["job_timeout"])
    assert (run.end.signal, run.end.exit_code) == (None, 2), "it ended by itself, and was not killed"
    [trace] = [item.path for item in result.attachments if item.name == "trace"]
    assert trace is not None
    with zipfile.ZipFile(trace) as archive:
        assert b'"method":"goto"' in archive.read("trace.trace")
    assert run.end.unfinished == ("test_waiting.py::test_third[chromium]",)
    assert processes_of(suite.mark) == []


WORKER = """
import sys
from pathlib import Path
from tests.support.stop import Stop
from wainwright.worker.run.run_session import run_suite
from wainwright.worker.runners.suite import SuiteRequest

folder, output, mark, url = sys.argv[1:]
request = SuiteRequest(Path(folder), Path(output), base_url=url, env={"TEST_MARK": mark})
run_suite(request, lambda event: print(getattr(event, "id", ""), flush=True), Stop())
"""


def test_nothing_outlives_a_worker_that_is_killed(suite: SuiteFolder, site: str) -> None:
    suite.write("test_waiting.py", WAITING.format(text="nothing like it", timeout=600_000))
    arguments = [str(suite.folder), str(suite.output), suite.mark, site]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, "-c", WORKER, *arguments], stdout=subprocess.PIPE, env=environment
    ) as worker:
        assert worker.stdout is not None
        assert any(b"test_second" in line for line in worker.stdout)
        below = descendants(worker.pid)
        worker.kill()
    assert len(below) > 5
    assert await_end_of(suite.mark) == []
    assert outliving(below) == []  # the supervisor is without the mark, and the last to end


def test_when_the_time_is_up_a_test_that_computes_is_ended_and_cannot_swallow_it(
    suite: SuiteFolder, clock: Clock
) -> None:
    suite.write("pytest.ini", "[pytest]\naddopts = --capture=no\n")
    suite.write(
        "test_busy.py",
        """
        def test_busy():
            print("busy from here on", flush=True)
            while True:
                try:
                    sum(range(1000))
                except Exception:
                    pass

        def test_after():
            pass
        """,
    )

    def time_passes(event: object) -> None:
        if isinstance(event, LogLine) and "busy from here on" in event.message:
            clock.put_forward(HOUR_MS / 1000)

    run = suite.run(timeout_ms=HOUR_MS, also=time_passes)
    assert (run.end.reason, run.end.exit_code) == ("timed_out", 2)
    assert [error.kind for error in run.result("test_busy").errors] == ["job_timeout"]
    assert run.end.unfinished == ("test_busy.py::test_after",)


def test_a_suite_that_does_not_heed_the_end_of_its_time_is_killed(suite: SuiteFolder, clock: Clock) -> None:
    suite.write("pytest.ini", "[pytest]\naddopts = --capture=no\n")
    suite.write(
        "test_stubborn.py",
        """
        import signal, time

        def test_stubborn():
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1, signal.SIGTERM})
            print("deaf from here on", flush=True)
            time.sleep(600)
        """,
    )

    def time_passes(event: object) -> None:
        if isinstance(event, LogLine) and "deaf from here on" in event.message:
            clock.put_forward(HOUR_MS / 1000)

    run = suite.run(timeout_ms=HOUR_MS, expiry_grace_seconds=3, also=time_passes)
    assert run.end.reason == "timed_out"
    assert run.end.unfinished == ("test_stubborn.py::test_stubborn",)
    assert processes_of(suite.mark) == []


def test_a_suite_that_hangs_while_it_is_loaded_times_out(suite: SuiteFolder) -> None:
    suite.write("test_hangs.py", "import time\ntime.sleep(600)\n")
    run = suite.run(timeout_ms=3_000, expiry_grace_seconds=0.2)
    assert (run.end.reason, run.end.collected) == ("timed_out", 0)
    assert processes_of(suite.mark) == []


def test_a_flood_of_output_is_bounded(suite: SuiteFolder) -> None:
    suite.write(
        "test_flood.py",
        """
        import os

        def test_flood(capfd):
            with capfd.disabled():
                os.write(1, b"x" * 1_000_000 + b"\\n")
                for number in range(20_000):
                    os.write(2, b"line %d\\n" % number)
            print("y" * 1_000_000)
        """,
    )
    run = suite.run()
    lines = run.of(LogLine)
    assert run.results[0].outcome == "passed"
    assert len(run.results[0].stdout) <= 20_480
    assert max(len(line.message) for line in lines) <= 8 * 1024
    assert len(lines) <= 5_001
    assert "the rest is left out" in lines[-1].message
    assert len(run.end.stderr) <= 20_480


def test_garbage_on_the_event_pipe_is_counted_and_does_not_stop_the_suite(suite: SuiteFolder) -> None:
    suite.write(
        "test_garbage.py",
        """
        import os

        LINES = [b"\\xff\\xfe", b"{", b"[1]", b'{"type": "ended"}', b'{"type": "started", "id": "other"}', b"[" * 100_000]

        def test_garbage(request):
            channel = request.config.pluginmanager.get_plugin("wainwright-reporter").channel
            for line in LINES:
                os.write(channel._descriptor, line + b"\\n")

        def test_after():
            pass
        """,
    )
    run = suite.run()
    assert [result.outcome for result in run.results] == ["passed", "passed"]
    assert run.end.dropped == 6
