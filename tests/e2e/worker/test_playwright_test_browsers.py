"""Which browsers a Playwright Test suite runs in, and how the job's config sets them up."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.worker.sites import two_sites
from tests.e2e.worker.suites import SuiteFolder
from wainwright.worker.runners.suite import Collected, JobLog

pytestmark = pytest.mark.browser

ONE = "import { test } from '@playwright/test'; test('one', async ({ page }) => { await page.goto('about:blank'); });"
PROJECTS = """
    import { devices } from '@playwright/test';
    export default {
      projects: [
        { name: 'setup', testMatch: 'prepare.ts' },
        { name: 'desktop', use: { ...devices['Desktop Chrome'] }, dependencies: ['setup'] },
        { name: 'fox', use: { ...devices['Desktop Firefox'] } },
      ],
    };
"""


def test_a_browser_selects_the_projects_that_run_in_it_with_their_setup(ts_suite: SuiteFolder) -> None:
    ts_suite.write("playwright.config.ts", PROJECTS)
    ts_suite.write("prepare.ts", "import { test } from '@playwright/test'; test('prepare', () => {});")
    ts_suite.write("one.spec.ts", ONE)
    run = ts_suite.run(browsers=("chromium",))
    assert [result.id for result in run.results] == ["prepare.ts › [setup] › prepare", "one.spec.ts › [desktop] › one"]


def test_a_browser_that_no_project_runs_in_is_told(ts_suite: SuiteFolder) -> None:
    ts_suite.write("playwright.config.ts", PROJECTS)
    ts_suite.write("one.spec.ts", ONE)
    run = ts_suite.run(browsers=("webkit",))
    assert run.end.reason == "browser_not_in_suite"
    [error] = run.end.errors
    assert error.message == (
        "no project of the suite runs in webkit: its projects run in chromium, firefox; "
        "add a project for it to playwright.config.ts, or ask for another browser"
    )
    assert run.of(Collected) == []


@pytest.fixture
def no_browsers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """None of Playwright's own builds are installed."""
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "browsers"))


@pytest.mark.usefixtures("no_browsers")
def test_a_browser_that_is_not_installed_is_told_before_anything_starts(ts_suite: SuiteFolder) -> None:
    ts_suite.write("playwright.config.ts", PROJECTS)
    ts_suite.write("one.spec.ts", ONE)
    run = ts_suite.run()
    assert run.end.reason == "browser_missing"
    [error] = run.end.errors
    assert error.message.startswith("No firefox browser was found for @playwright/test 1.")
    assert error.message.endswith(" install --with-deps firefox")
    assert ". Install one with: npx playwright@1." in error.message
    assert run.results == []


@pytest.mark.usefixtures("no_browsers")
@pytest.mark.thorough
def test_without_projects_the_suite_runs_in_the_browsers_that_were_asked_for(ts_suite: SuiteFolder) -> None:
    ts_suite.write("playwright.config.ts", "export default {};")
    ts_suite.write("one.spec.ts", ONE)
    run = ts_suite.run(browsers=("chromium", "firefox"), collect_only=True)
    assert run.end.reason == "browser_missing"
    one = ts_suite.run(browsers=("chromium",))
    assert [(result.id, result.outcome) for result in one.results] == [("one.spec.ts › one", "passed")]


CONFIG = {
    "viewport": {"width": 640, "height": 480},
    "locale": "fr-FR",
    "timezone": "Asia/Tokyo",
    "userAgent": "Tester/1.0",
    "reducedMotion": True,
    "extraHeaders": {"X-Test": "yes", "User-Agent": "Header/1.0"},
    "blockAds": True,
    "waitFor": 400,
}


@pytest.mark.thorough
def test_the_jobs_config_outranks_that_of_the_suite_and_not_that_of_a_test(ts_suite: SuiteFolder) -> None:
    with two_sites() as (own, other):
        ts_suite.write(
            "playwright.config.ts",
            """
            import { devices } from '@playwright/test';
            export default {
              use: { baseURL: 'http://127.0.0.1:1', locale: 'de-DE' },
              projects: [{ name: 'desktop', use: { ...devices['Desktop Chrome'], baseURL: 'http://127.0.0.1:1' } }],
            };
            """,
        )
        ts_suite.write(
            "a.spec.ts",
            """
            import { chromium, expect, test } from '@playwright/test';
            const facts = () => ({
              size: [innerWidth, innerHeight],
              language: navigator.language,
              zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
              agent: navigator.userAgent,
              still: matchMedia('(prefers-reduced-motion: reduce)').matches,
            });
            test('as the job says', async ({ page }) => {
              await page.goto('/late');
              expect(await page.locator('body').textContent()).toBe('ready');
              expect(await page.evaluate(facts)).toEqual({
                size: [640, 480], language: 'fr-FR', zone: 'Asia/Tokyo', agent: 'Tester/1.0', still: true,
              });
              await page.goto('/away');
              await page.evaluate(() => fetch('http://ads.doubleclick.net/ad.js').catch(() => {}));
            });
            test.describe('of its own', () => {
              test.use({ viewport: { width: 500, height: 300 } });
              test('as the test says', async ({ page }) => {
                expect((await page.evaluate(facts)).size).toEqual([500, 300]);
              });
            });
            test('a browser of its own', async () => {
              const browser = await chromium.launch({ args: ['--lang=en'] });
              const page = await browser.newPage();
              await page.goto('about:blank');
              await browser.close();
            });
            """,
        )
        run = ts_suite.run(base_url=own.url, config=CONFIG)
    assert [(result.title, result.outcome, result.errors) for result in run.results] == [
        ("as the job says [desktop]", "passed", ()),
        ("as the test says [desktop]", "passed", ()),
        ("a browser of its own [desktop]", "passed", ()),
    ]
    [late], [away] = own.requests("/late"), own.requests("/away")
    assert late.headers["x-test"] == away.headers["x-test"] == "yes"
    assert late.headers["user-agent"] == "Header/1.0"
    [landed] = other.requests("/landed")
    assert "x-test" not in landed.headers
    assert "requests to ad and tracker hosts blocked: 1 (ads.doubleclick.net 1)" in run.log("as the job says [desktop]")
    assert "blockAds: 1 requests to ad and tracker hosts were blocked" in [line.message for line in run.of(JobLog)]


@pytest.mark.thorough
def test_headers_without_a_url_are_not_sent_and_that_is_told(ts_suite: SuiteFolder) -> None:
    ts_suite.write("playwright.config.ts", "export default {};")
    ts_suite.write("one.spec.ts", ONE)
    run = ts_suite.run(config={"extraHeaders": {"X-Test": "yes"}})
    assert [result.outcome for result in run.results] == ["passed"]
    assert [line.level for line in run.of(JobLog)] == ["ERROR"]
