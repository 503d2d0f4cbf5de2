"""How Playwright Test suites end: of themselves, as they are told to, and as nobody wants."""

from __future__ import annotations

import signal
import time

import pytest

from tests.e2e.worker.suites import Reached, SuiteFolder, processes_of
from tests.support.stop import Stop
from wainwright.worker.runners import supervised_run as supervised
from wainwright.worker.runners.suite import LogLine, TestStarted

pytestmark = [pytest.mark.browser, pytest.mark.thorough]

CONFIG = "export default { workers: 1 };"

WAITING = """
    import { expect, test } from '@playwright/test';
    import fs from 'node:fs';
    test.afterAll(() => fs.writeFileSync('torn-down', ''));
    test('first', async ({ page }) => { await page.setContent('<p>first</p>'); });
    test('second', async ({ page }) => {
      test.setTimeout(0);
      await page.setContent('<p>second</p>');
      fs.writeFileSync('reached', '');
      while (!fs.existsSync('let-go')) await new Promise((resolve) => setTimeout(resolve, 20));
    });
    test('third', () => { fs.writeFileSync('third', ''); });
"""


def test_a_stop_finishes_the_running_test_and_begins_no_other(ts_suite: SuiteFolder) -> None:
    ts_suite.write("playwright.config.ts", CONFIG)
    ts_suite.write("waiting.spec.ts", WAITING)
    stop = Stop()

    class StopThenLetGo:
        """Lets the second test go on once the test process knows of the stop: the file is what it is told by."""

        @property
        def mode(self) -> str:
            if stop.mode == "stop" and list(ts_suite.output.parent.glob("run-*/control-*/stop")):
                (ts_suite.folder / "let-go").touch()
            return stop.mode

    def stop_in_second(event: object) -> None:
        if isinstance(event, TestStarted) and event.id.endswith("second"):
            stop.stop()

    run = ts_suite.run(stop=StopThenLetGo(), also=stop_in_second)  # type: ignore[arg-type]
    assert run.end.reason == "stopped", run.end
    assert [(result.title, result.outcome) for result in run.results] == [("first", "passed"), ("second", "passed")]
    assert {item.name for item in run.results[1].attachments} == {"trace", "screenshot", "log"}
    assert run.end.unfinished == ("waiting.spec.ts › third",)
    assert not (ts_suite.folder / "third").exists()
    assert (ts_suite.folder / "torn-down").exists()
    assert processes_of(ts_suite.mark) == []


def test_a_stop_that_comes_too_late_is_a_finished_suite(ts_suite: SuiteFolder) -> None:
    ts_suite.write("playwright.config.ts", CONFIG)
    ts_suite.write("one.spec.ts", "import { test } from '@playwright/test'; test('one', () => {});")
    stop = Stop()
    run = ts_suite.run(stop=stop, also=lambda event: stop.stop() if isinstance(event, TestStarted) else None)
    assert run.end.reason == "finished"
    assert run.end.unfinished == ()


def test_a_cancel_ends_all_within_seconds(ts_suite: SuiteFolder) -> None:
    ts_suite.write("playwright.config.ts", CONFIG)
    ts_suite.write("waiting.spec.ts", WAITING)
    stop = Stop()
    seen: list[str] = []

    def cancel_in_second(event: object) -> None:
        if isinstance(event, TestStarted) and event.id.endswith("second"):
            seen.extend(processes_of(ts_suite.mark))
            stop.cancel()

    run = ts_suite.run(stop=stop, also=cancel_in_second)
    assert run.end.reason == "canceled"
    assert any("chromium" in command for command in seen)
    assert [result.title for result in run.results] == ["first"]
    assert run.end.unfinished == ("waiting.spec.ts › second", "waiting.spec.ts › third")
    assert processes_of(ts_suite.mark) == []


class Clock:
    """The monotonic clock, which a test may put forward."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self.ahead


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(supervised, "time", clock)
    return clock


HOUR_MS = 3_600_000


def test_when_the_time_is_up_the_running_test_fails_with_its_evidence(ts_suite: SuiteFolder, clock: Clock) -> None:
    ts_suite.write("playwright.config.ts", CONFIG)
    ts_suite.write("waiting.spec.ts", WAITING)

    def time_passes() -> None:
        clock.ahead = HOUR_MS / 1_000

    passing = Reached(ts_suite, time_passes, "run")
    run = ts_suite.run(timeout_ms=HOUR_MS, stop=passing, expiry_grace_seconds=60)
    assert run.end.reason == "timed_out", run.end
    assert [(result.title, result.outcome) for result in run.results] == [("first", "passed"), ("second", "failed")]
    second = run.results[1]
    assert second.errors[0].kind == "job_timeout"
    assert second.errors[0].message == "The time of the whole suite ran out while this test ran"
    assert {"trace", "log"} <= {item.name for item in second.attachments}
    assert run.incomplete == []
    assert run.end.unfinished == ("waiting.spec.ts › third",)
    assert (ts_suite.folder / "torn-down").exists()


def test_a_suite_that_does_not_heed_the_end_of_its_time_is_killed(ts_suite: SuiteFolder, clock: Clock) -> None:
    ts_suite.write("playwright.config.ts", "export default { globalTeardown: './for-ever.ts' };")
    ts_suite.write("for-ever.ts", "export default () => new Promise(() => setInterval(() => {}, 1000));")
    ts_suite.write("one.spec.ts", "import { test } from '@playwright/test'; test('one', () => {});")

    def time_passes(event: object) -> None:
        if isinstance(event, TestStarted):
            clock.ahead = HOUR_MS / 1_000

    run = ts_suite.run(timeout_ms=HOUR_MS, also=time_passes, expiry_grace_seconds=1)
    assert run.end.reason == "timed_out"
    assert processes_of(ts_suite.mark) == []


BROKEN = {
    "a configuration that is no TypeScript": (
        {"playwright.config.ts": "export default {\n  use: (,\n};", "one.spec.ts": ""},
        "collection_error", "playwright.config.ts", 2, "Unexpected token",
    ),
    "a configuration that throws": (
        {"playwright.config.ts": "const wrong = 1;\nthrow new Error('not today');", "one.spec.ts": ""},
        "collection_error", "playwright.config.ts", 2, "not today",
    ),
    "a configuration that Playwright Test refuses": (
        {"playwright.config.ts": "export default { retries: 'many' };", "one.spec.ts": ""},
        "usage_error", None, None, "Error: config.retries must be a non-negative number",
    ),
    "a file that is no TypeScript": (
        {"playwright.config.ts": "export default {};", "one.spec.ts": "const one = 1;\nlet = ;\n"},
        "collection_error", "one.spec.ts", 2, "Unexpected",
    ),
    "a file that throws": (
        {"playwright.config.ts": "export default {};", "sub/one.spec.ts": "\n\nthrow new Error('not today');"},
        "collection_error", "sub/one.spec.ts", 3, "not today",
    ),
    "a file that is not there": (
        {"playwright.config.ts": "export default {};", "one.spec.ts": "\nimport { x } from './gone';\nx();\n"},
        "collection_error", "one.spec.ts", None, "Cannot find module './gone'",
    ),
    "no test": (
        {"playwright.config.ts": "export default {};", "one.spec.ts": "export {};"},
        "no_tests", None, None, "Playwright Test collects *.spec.* and *.test.* files",
    ),
    "a server that does not start": (
        {"playwright.config.ts": "export default { webServer: { command: 'exit 3', port: 1 } };", "one.spec.ts": ""},
        "collection_error", None, None, "Process from config.webServer was not able to start. Exit code: 3",
    ),
    "a setup that leaves with nothing run": (
        {
            "playwright.config.ts": "export default { globalSetup: './setup.ts' };",
            "setup.ts": "export default () => process.exit(0);", "one.spec.ts": "",
        },
        "crashed", None, None, "exited with code 0, before its session ended",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_says_why_a_suite_could_not_run(ts_suite: SuiteFolder, case: str) -> None:
    files, reason, file, line, words = BROKEN[case]
    for name, content in files.items():
        ts_suite.write(name, content)
    run = ts_suite.run()
    assert run.end.reason == reason, run.end
    error = run.end.errors[0]
    assert words in error.message
    assert error.file == file
    if line is not None:
        assert error.line == line
    assert run.results == []


def test_a_test_whose_process_is_killed_fails_and_the_suite_ran_out_of_memory(ts_suite: SuiteFolder) -> None:
    ts_suite.write("playwright.config.ts", CONFIG)
    ts_suite.write(
        "killed.spec.ts",
        """
        import { test } from '@playwright/test';
        test('first', () => {});
        test('eats all memory', async () => { process.kill(process.pid, 'SIGKILL'); await new Promise(() => {}); });
        test('third', () => {});
        """,
    )
    run = ts_suite.run()
    assert run.end.reason == "out_of_memory", run.end
    assert [(result.title, result.outcome) for result in run.results] == [
        ("first", "passed"),
        ("eats all memory", "failed"),
        ("third", "passed"),
    ]
    assert run.end.errors[0].message.startswith("killed.spec.ts › eats all memory: its process was killed")


def test_a_runner_that_is_killed_ran_out_of_memory(ts_suite: SuiteFolder) -> None:
    ts_suite.write("playwright.config.ts", CONFIG)
    ts_suite.write(
        "killed.spec.ts",
        """
        import { test } from '@playwright/test';
        test('one', async () => { process.kill(process.ppid, 'SIGKILL'); await new Promise(() => {}); });
        """,
    )
    run = ts_suite.run()
    assert (run.end.reason, run.end.signal) == ("out_of_memory", signal.SIGKILL)
    assert run.end.unfinished == ("killed.spec.ts › one",)
    assert processes_of(ts_suite.mark) == []


def test_an_error_outside_the_tests_is_told(ts_suite: SuiteFolder) -> None:
    ts_suite.write("playwright.config.ts", "export default { globalTeardown: './teardown.ts' };")
    ts_suite.write("teardown.ts", "export default () => { throw new Error('could not tidy up'); };")
    ts_suite.write("one.spec.ts", "import { test } from '@playwright/test'; test('one', () => {});")
    run = ts_suite.run()
    assert (run.end.reason, run.end.exit_code) == ("finished", 1)
    assert [result.outcome for result in run.results] == ["passed"]
    [error] = run.end.errors
    assert (error.file, error.line) == ("teardown.ts", 1)
    assert "could not tidy up" in error.message


def test_a_server_of_the_suite_is_started_and_ended(ts_suite: SuiteFolder) -> None:
    ts_suite.write(
        "playwright.config.ts",
        """
        export default {
          use: { baseURL: 'http://127.0.0.1:48211' },
          webServer: { command: 'npm run serve', port: 48211, stdout: 'pipe' },
        };
        """,
    )
    ts_suite.write("package.json", '{ "scripts": { "serve": "node server.mjs" } }')
    ts_suite.write(
        "server.mjs",
        """
        import { createServer } from 'node:http';
        createServer((_, response) => response.end('<title>Served</title>'))
          .listen(48211, '127.0.0.1', () => console.log('listening'));
        """,
    )
    ts_suite.write(
        "one.spec.ts",
        """
        import { expect, test } from '@playwright/test';
        test('one', async ({ page }) => { await page.goto('/'); await expect(page).toHaveTitle('Served'); });
        """,
    )
    run = ts_suite.run()
    assert [result.outcome for result in run.results] == ["passed"], run.end
    assert "[WebServer] listening" in [line.message for line in run.of(LogLine)]
    assert processes_of(ts_suite.mark) == []


def test_adds_one_file_to_the_bundle_and_changes_none(ts_suite: SuiteFolder) -> None:
    ts_suite.write("playwright.config.ts", CONFIG)
    ts_suite.write("one.spec.ts", "import { test } from '@playwright/test'; test('one', () => {});")
    before = {path.name: path.is_file() and path.read_bytes() for path in ts_suite.folder.iterdir()}
    ts_suite.run()
    after = {path.name: path.is_file() and path.read_bytes() for path in ts_suite.folder.iterdir()}
    assert after.pop(".wainwright.config.ts")
    assert after == before
