"""What a test of Playwright Test leaves that does not come to its own end: as `docs/endings.md` says, ending by ending."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.worker.clock import Clock
from tests.e2e.worker.suites import Reached, Run, SuiteFolder, processes_of, serve
from tests.support.endings_page import EVIDENCE, typescript_rows
from wainwright.domain.failures import FailureCategory
from wainwright.domain.reports import ReportRef
from wainwright.domain.tests import Tally
from wainwright.worker.evidence.report.html import trace_viewer_files
from wainwright.worker.run.suite_outcome import decide_outcome
from wainwright.worker.runners import supervised_run as supervised
from wainwright.worker.runners.suite import TestInterrupted, TestResult

pytestmark = pytest.mark.browser

HOUR_MS = 3_600_000
SUITE = """
    import fs from 'node:fs';
    import path from 'node:path';
    import {{ expect, test }} from '@playwright/test';
    test('before', async ({{ page }}) => {{ await page.goto('/'); }});
    test('at the end', async ({{ page }}, info) => {{
      test.setTimeout(0);
      await page.goto('/console.html');
      await page.getByText('ready').waitFor();
      await page.evaluate("setInterval(() => document.body.append(' and on'), 30)");
      const recordings = path.join(info.outputDir, '..', `.playwright-artifacts-${{info.workerIndex}}`);
      const videos = () => fs.readdirSync(recordings).filter((name) => name.endsWith('.webm'));
      await expect.poll(
        () => videos().some((name) => fs.statSync(path.join(recordings, name)).size), {{ timeout: 90_000 }}
      ).toBe(true);
      const trace = () => path.join(recordings, 'traces');
      const recorded = () => fs.readdirSync(trace()).filter((name) => name.endsWith('.trace'))
        .some((name) => fs.readFileSync(path.join(trace(), name)).includes('evaluateExpression'));
      await expect.poll(recorded, {{ timeout: 90_000 }}).toBe(true);
      {body}
    }});
    test('after', async () => {{}});
    test.afterAll(() => fs.writeFileSync('torn-down', ''));
"""
WAIT = "fs.writeFileSync('reached', ''); await new Promise(() => {});"
FAILS_MEANWHILE = """
    import fs from 'node:fs';
    import { test } from '@playwright/test';
    test('fails', async () => {
      test.setTimeout(0);
      while (!fs.existsSync('reached')) await new Promise((resolve) => setTimeout(resolve, 20));
      throw new Error('enough');
    });
"""
EAT_THE_HEAP = "const all = []; for (;;) all.push(new Array(100_000).fill(all.length + 0.5));"
SMALL_HEAP = {"NODE_OPTIONS": "--max-old-space-size=120"}


class Ending:
    """One way to end, for a suite at the test `at the end`."""

    def __init__(self, suite: SuiteFolder, site: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.suite = suite
        self._site = site
        self._monkeypatch = monkeypatch

    def run(self, body: str, config: str = "workers: 1", **options: Any) -> Run:
        self.suite.write("playwright.config.ts", f"export default {{ {config} }};")
        self.suite.write("a.spec.ts", SUITE.format(body=body))
        return self.suite.run(base_url=self._site, video="on", **options)

    def cancel(self, body: str, grace: float) -> Run:
        self._monkeypatch.setattr(supervised, "CANCEL_GRACE_SECONDS", grace)
        return self.run(body, stop=Reached(self.suite, lambda: None, "cancel"))

    def let_time_pass(self) -> Run:
        clock = Clock()
        self._monkeypatch.setattr(supervised, "time", clock)
        passing = Reached(self.suite, lambda: clock.put_forward(HOUR_MS / 1_000), "run")
        return self.run(WAIT, stop=passing, timeout_ms=HOUR_MS, expiry_grace_seconds=90)

    def fail_meanwhile(self) -> Run:
        self.suite.write("b.spec.ts", FAILS_MEANWHILE)
        return self.run(WAIT, "workers: 2, maxFailures: 1")


ENDINGS: dict[str, Callable[[Ending], Run]] = {
    "job_timed_out": Ending.let_time_pass,
    "canceled": lambda ending: ending.cancel(WAIT, grace=90),
    "canceled_unheeded": lambda ending: ending.cancel("fs.writeFileSync('reached', ''); for (;;) {}", grace=0.1),
    "ended_by_the_suite": Ending.fail_meanwhile,
    "process_killed": lambda ending: ending.run("process.kill(process.pid, 'SIGKILL'); await new Promise(() => {});"),
    "runner_killed": lambda ending: ending.run("process.kill(process.ppid, 'SIGKILL'); await new Promise(() => {});"),
    "heap_exhausted": lambda ending: ending.run(EAT_THE_HEAP, env=SMALL_HEAP),
}
OFTEN = {"canceled", "runner_killed"}
"""Brought about in each run of the tests; the others are thorough."""


def at_the_end(run: Run) -> tuple[TestResult, bool]:
    """The one result of the test at which the end came, and whether it is an outcome."""
    results = [(result, True) for result in run.results] + [
        (event.result, False) for event in run.of(TestInterrupted)
    ]  # fmt: skip
    [found] = [each for each in results if each[0].title == "at the end"]
    return found


@pytest.mark.parametrize(
    "ending", [each if each in OFTEN else pytest.param(each, marks=pytest.mark.thorough) for each in ENDINGS]
)
def test_leaves_what_the_page_says(
    ending: str, ts_suite: SuiteFolder, site: str, monkeypatch: pytest.MonkeyPatch, chromium: Browser, tmp_path: Path
) -> None:
    row = typescript_rows()[ending]
    run = ENDINGS[ending](Ending(ts_suite, site, monkeypatch))

    result, is_outcome = at_the_end(run)
    assert (category_of(run), is_outcome) == (row.category, row.status == "failed"), (run.end, result)
    assert "at the end" in run.end.unfinished[0] if not is_outcome else run.end.unfinished == row_unfinished(ending)
    left = {item.name: item.path for item in result.attachments}
    promised = {name: row.there[name] for name in EVIDENCE if row.there[name] is not None}
    assert {name: name.removeprefix("test ") in left for name in promised} == promised
    trace, log = left["trace"], left["log"]
    assert trace is not None
    assert log is not None
    assert "the cart is on fire" in log.read_text()
    assert run.incomplete == []
    assert processes_of(ts_suite.mark) == []
    if left.get("video") is not None:
        assert left["video"].read_bytes().startswith(b"\x1a\x45\xdf\xa3"), "the head of a WebM file"  # type: ignore[union-attr]
    if ending in ("canceled", "job_timed_out", "ended_by_the_suite"):
        assert (ts_suite.folder / "torn-down").exists()
    opens(trace, chromium, tmp_path)


def row_unfinished(ending: str) -> tuple[str, ...]:
    """When the time is up, no further test is run; when a process dies, another runs the rest."""
    return ("a.spec.ts › after",) if ending == "job_timed_out" else ()


def category_of(run: Run) -> str | None:
    """What a job comes to of this."""
    failed = [result for result in run.results if result.outcome == "failed"]
    tally = Tally(total=run.end.collected, failed=len(failed), passed=len(run.results) - len(failed))
    report = ReportRef(fence=1, viewer="none", complete=True)
    failure = decide_outcome(run.end, failed, tally, fence=1, report=report, timeout_ms=HOUR_MS).failure
    if run.end.reason == "canceled":
        return FailureCategory.CANCELED_BY_USER
    return failure.category if failure else None


def opens(trace: Path, chromium: Browser, folder: Path) -> None:
    """The trace has the page that was opened, and the trace viewer shows it."""
    with zipfile.ZipFile(trace) as archive:
        assert archive.testzip() is None
        recorded = b"\n".join(archive.read(name) for name in archive.namelist() if name.endswith(".trace"))
    assert b'"method":"goto"' in recorded
    assert all(json.loads(line) for line in recorded.splitlines() if line)
    site = folder / "viewer"
    site.mkdir()
    (site / "trace.zip").write_bytes(trace.read_bytes())
    for file in trace_viewer_files():
        copy = site / "trace" / file.name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(file.path.read_bytes())
    with serve(site) as url:
        page = chromium.new_page()
        page.goto(f"{url}/trace/index.html?trace={url}/trace.zip", timeout=60_000)
        expect(page.get_by_text("/console.html").first).to_be_visible(timeout=60_000)
        expect(page.get_by_text("Evaluate").first).to_be_visible(timeout=60_000)
        page.close()


@pytest.mark.thorough
def test_a_test_that_is_killed_once_and_then_passes_is_no_lack_of_memory(ts_suite: SuiteFolder, site: str) -> None:
    ts_suite.write("playwright.config.ts", "export default { workers: 1, retries: 1 };")
    ts_suite.write(
        "a.spec.ts",
        """
        import { test } from '@playwright/test';
        test('one', async ({ page }, info) => {
          await page.goto('/');
          if (info.retry === 0) { process.kill(process.pid, 'SIGKILL'); await new Promise(() => {}); }
        });
        """,
    )
    run = ts_suite.run(base_url=site)
    assert run.end.reason == "finished", run.end
    assert [result.outcome for result in run.results] == ["failed", "passed"]
    assert {"trace", "log"} <= {item.name for item in run.results[0].attachments}


@pytest.mark.thorough
def test_the_runners_own_process_may_exhaust_its_heap(ts_suite: SuiteFolder) -> None:
    ts_suite.write("playwright.config.ts", "export default { globalSetup: './setup.ts' };")
    ts_suite.write("setup.ts", f"export default () => {{ {EAT_THE_HEAP} }};")
    ts_suite.write("a.spec.ts", "import { test } from '@playwright/test'; test('one', () => {});")
    run = ts_suite.run(env=SMALL_HEAP)
    assert category_of(run) == FailureCategory.OUT_OF_MEMORY, run.end
    assert run.end.errors[0].message.startswith(
        "Playwright Test's own process ran out of memory: JavaScript heap out of memory"
    )
