"""Lanes on one machine, of a suite with a web server at a fixed port."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Literal

import pytest

from tests.e2e.worker.lanes_of_a_job import LanesOfAJob
from tests.e2e.worker.suites import SuiteFolder, processes_of
from tests.support.playwright_test import EXAMPLE
from wainwright.domain.failures import FailureCategory
from wainwright.domain.states import JobStatus
from wainwright.worker.run.lane_servers import LaneServers

pytestmark = [pytest.mark.browser, pytest.mark.thorough]

TESTS = 8
SERVER = """
    import {{ createServer }} from 'node:http';
    import {{ appendFileSync }} from 'node:fs';
    const note = (what) => appendFileSync({noted!r}, `${{what}}\\n`);
    createServer((request, response) => response.end('<title>Served</title>'))
      .listen({port}, '127.0.0.1', () => note('started'));
    process.on('SIGTERM', () => {{ note('ended'); process.exit(0); }});
"""
CONFIG = """
    export default {{
      workers: 1,
      use: {{ baseURL: 'http://127.0.0.1:{port}' }},
      webServer: {{
        command: 'node server.mjs', url: 'http://127.0.0.1:{port}', reuseExistingServer: !process.env.CI,
        gracefulShutdown: {{ signal: 'SIGTERM', timeout: 20_000 }},
      }},
    }};
"""
SPEC = """
    import {{ existsSync, readdirSync, writeFileSync }} from 'node:fs';
    import {{ expect, test }} from '@playwright/test';
    for (let number = 0; number < {tests}; number += 1)
      test(`finds the server ${{number}}`, async ({{ page }}) => {{
        test.setTimeout(120_000);
        writeFileSync(`{lanes}/${{Buffer.from(process.cwd()).toString('hex')}}`, '');
        while (readdirSync({lanes!r}).length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
        await page.goto('/');
        await expect(page).toHaveTitle('Served');
      }});
"""


def free_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port: int = unused.getsockname()[1]
        return port


def job_with_a_server(folder: Path, port: int, server: str) -> LanesOfAJob:
    lanes = folder / "lanes"
    lanes.mkdir()
    files = {
        "package.json": (EXAMPLE / "package.json").read_text(),
        "package-lock.json": (EXAMPLE / "package-lock.json").read_text(),
        "playwright.config.ts": CONFIG.format(port=port),
        "server.mjs": server,
        "it.spec.ts": SPEC.format(tests=TESTS, lanes=str(lanes)),
    }
    return LanesOfAJob(folder, files, 2, timeout_ms=300_000)


def test_two_lanes_on_one_machine_use_one_server_which_outlives_both(tmp_path: Path) -> None:
    port, noted = free_port(), tmp_path / "noted"
    job = job_with_a_server(tmp_path, port, SERVER.format(port=port, noted=str(noted)))

    outcome = job.run()

    assert outcome is not None
    assert (outcome.status, outcome.failure) == (JobStatus.COMPLETED, None), job.log()
    assert outcome.tests.passed == TESTS
    assert len(list((tmp_path / "lanes").iterdir())) == 2, "both lanes had tests to run"
    assert noted.read_text().split() == ["started", "ended"]
    assert port_is_free(port)


def test_a_server_that_does_not_start_is_told_as_without_lanes(tmp_path: Path) -> None:
    outcome = job_with_a_server(tmp_path, free_port(), "process.exit(3);").run()

    assert outcome is not None
    assert outcome.failure is not None
    assert outcome.failure.category is FailureCategory.SCRIPT_ERROR
    assert "Process from config.webServer was not able to start. Exit code: 3" in outcome.failure.message


def test_a_stop_while_a_server_is_awaited_is_a_stop(ts_suite: SuiteFolder, tmp_path: Path) -> None:
    ts_suite.write("playwright.config.ts", CONFIG.format(port=free_port()))
    ts_suite.write(
        "server.mjs", "import fs from 'node:fs'; fs.writeFileSync('begun', ''); setInterval(() => {}, 1000);"
    )
    ts_suite.write("one.spec.ts", "import { test } from '@playwright/test'; test('one', () => {});")

    class StopWhenBegun:
        """Comes when the server was started, which never listens."""

        @property
        def mode(self) -> Literal["run", "stop", "cancel"]:
            return "stop" if (ts_suite.folder / "begun").exists() else "run"

    chosen = frozenset({"one.spec.ts › one"})
    with LaneServers("job", StopWhenBegun(), tmp_path / "lanes") as servers:
        run = ts_suite.run(stop=StopWhenBegun(), select=chosen, servers=servers)
    assert (run.end.reason, run.end.unfinished) == ("stopped", ("one.spec.ts › one",))
    assert processes_of(ts_suite.mark) == []


def port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
