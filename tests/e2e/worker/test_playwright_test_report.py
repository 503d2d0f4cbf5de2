"""A job of a Playwright Test suite, run by a worker: its rows, and Playwright Test's own report of it in a real browser."""

from __future__ import annotations

import base64
import io
import json
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.worker.lanes_of_a_job import LanesOfAJob
from tests.e2e.worker.one_worker import OneWorker
from tests.e2e.worker.served_reports import reports_origin
from tests.support.playwright_test import EXAMPLE
from wainwright.adapters.clock import system_clock
from wainwright.contracts.names import TRACE_VIEWER, report_key
from wainwright.domain.logs import LogEntry
from wainwright.domain.states import JobStatus
from wainwright.worker.evidence.report import native

pytestmark = pytest.mark.browser

FILES = {
    "package.json": (EXAMPLE / "package.json").read_text(),
    "package-lock.json": (EXAMPLE / "package-lock.json").read_text(),
    "playwright.config.ts": "export default { retries: 1, projects: [{ name: 'desktop' }] };",
    "shop.spec.ts": """
        import { expect, test } from '@playwright/test';
        test.describe('the shop', () => {
          test('opens', async ({ page }) => {
            await page.setContent('<h1>Shop</h1>');
            await expect(page.getByRole('heading')).toHaveText('Shop');
          });
          test('opens at second try', async ({}, testInfo) => { expect(testInfo.retry).toBe(1); });
        });
    """,
}


def unpacked(job: OneWorker, folder: Path) -> Path:
    """The report's files, without the trace viewer that all reports share."""
    report = job.job.outcome.report if job.job.outcome else None
    assert report is not None
    for file in json.loads(job.report("manifest.json"))["files"]:
        if not file["path"].startswith(TRACE_VIEWER):
            path = folder / file["path"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(job.artifacts.get(report_key("shop", job.id, fence=report.fence, path=file["path"]))[0])
    return folder


def test_a_job_has_playwright_tests_own_report(
    tmp_path: Path, chromium: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(native, "find_playwright_test")  # there is nothing to be merged where one run has had all tests
    job = OneWorker(tmp_path, FILES)
    outcome = job.run()
    assert outcome is not None
    assert (outcome.status, outcome.failure) == (JobStatus.COMPLETED, None), outcome
    assert outcome.flaky_tests == ("shop.spec.ts › [desktop] › the shop › opens at second try",)
    assert (outcome.tests.passed, outcome.tests.flaky) == (1, 1)
    with reports_origin(tmp_path) as reports:
        page = chromium.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(reports.open_folder(unpacked(job, tmp_path / "report")))
        expect(page.get_by_text("opens at second try")).to_be_visible()
        expect(page.locator(".subnav-item", has_text="Flaky")).to_contain_text("1")
        page.get_by_role("link", name="the shop › opens", exact=True).click()
        expect(page.get_by_text('Expect "toHaveText"')).to_be_visible()
        log = page.get_by_role("link", name="log", exact=True).get_attribute("href")
        assert log is not None
        assert "the shop › opens: passed" in page.request.get(log).text()
        page.get_by_role("link", name="View Trace").click()
        expect(page.get_by_text("Set content").first).to_be_visible()
        assert errors == []
        page.close()


LANES = {
    **FILES,
    "playwright.config.ts": "export default { workers: 1 };",
    **{
        f"{name}.spec.ts": f"""
        import {{ expect, test }} from '@playwright/test';
        import fs from 'node:fs';
        import path from 'node:path';

        // Nobody ends before both lanes are there, so that each of them runs some.
        test.beforeEach(async () => {{
          fs.writeFileSync(path.join(FOLDER, 'lane-' + __dirname.replaceAll('/', '_')), '');
          const there = () => fs.readdirSync(FOLDER).filter(each => each.startsWith('lane-')).length;
          await expect.poll(there, {{ timeout: 25_000 }}).toBe(2);
        }});
        for (const n of [1, 2, 3, 4]) test(`{name} sells ${{n}}`, async () => {{ expect(n).toBeLessThan(5); }});
    """
        for name in ("bakery", "grocery")
    },
}


def own_report(page: bytes) -> dict[str, Any]:
    """What Playwright Test's report has in its page."""
    found = re.search(rb"data:application/zip;base64,([A-Za-z0-9+/=]+)", page)
    assert found is not None
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(found[1]))) as archive:
        report: dict[str, Any] = json.loads(archive.read("report.json"))
    return report


@pytest.mark.thorough
def test_two_lanes_blobs_become_one_report_of_playwright_tests_own(tmp_path: Path) -> None:
    files = {name: content.replace("FOLDER", json.dumps(str(tmp_path))) for name, content in LANES.items()}
    del files["shop.spec.ts"]
    job = LanesOfAJob(tmp_path, files, 2)
    outcome = job.run()
    assert outcome is not None
    assert (outcome.status, outcome.failure, outcome.tests.passed) == (JobStatus.COMPLETED, None, 8)
    report = own_report(job.report("index.html"))
    assert {test["title"] for file in report["files"] for test in file["tests"]} == {
        f"{name} sells {n}" for name in ("bakery", "grocery") for n in (1, 2, 3, 4)
    }
    # It is theirs, merged from several blobs; and both lanes had a part in it.
    assert len(report["machines"]) == report["metadata"]["actualWorkers"] > 1
    logs = {item["href"] for test in job.report_results()["tests"] for item in test["attachments"]}
    assert {href.rpartition("/")[2].partition("-")[0] for href in logs} == {"1", "1.1"}


STOPPED = {
    **FILES,
    "playwright.config.ts": "export default { workers: 1 };",
    "shop.spec.ts": """
        import { test } from '@playwright/test';
        import fs from 'node:fs';

        // As many as a stop may take seconds to be noticed.
        for (let n = 1; n <= 60; n++) test(`sells ${n}`, async () => {
          console.log('sold');
          if (!fs.existsSync(RESUMED)) await new Promise(resolve => setTimeout(resolve, 1000));
        });
    """,
}


@pytest.mark.thorough
def test_a_stopped_and_a_resumed_runs_blobs_become_one_report(tmp_path: Path) -> None:
    resumed = tmp_path / "resumed"
    files = {name: content.replace("RESUMED", json.dumps(str(resumed))) for name, content in STOPPED.items()}
    job = OneWorker(tmp_path, files)
    append = job.logs.append

    def stopping(project: str, job_id: str, entries: Sequence[LogEntry], **fence: Any) -> int:
        kept = append(project, job_id, entries, **fence)
        if any(entry.message == "sold" for entry in entries) and job.job.status is JobStatus.RUNNING:
            job.write(job.job.stop(system_clock()))
        return kept

    job.logs.append = stopping  # type: ignore[method-assign]
    stopped = job.run()
    job.logs.append = append  # type: ignore[method-assign]
    assert stopped is not None
    assert stopped.status is JobStatus.STOPPED
    assert 0 < len(job.tests()) < 60
    resumed.touch()
    job.finish()
    job.write(job.job.resume(system_clock()))
    outcome = job.run()
    assert outcome is not None
    assert (outcome.status, outcome.failure, outcome.tests.passed) == (JobStatus.COMPLETED, None, 60)
    report = own_report(job.report("index.html"))
    assert report["stats"]["expected"] == 60
    assert len(report["machines"]) == 2
