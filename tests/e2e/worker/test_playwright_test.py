"""Playwright Test suites, run for real: what is found, what each test comes to, and what it leaves."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from tests.e2e.worker.suites import BROKEN_SITE, SuiteFolder
from wainwright.domain.redaction import Redactor
from wainwright.worker.evidence.report.run_page import finish_page
from wainwright.worker.runners.playwright_test.playwright_settings import PAGE
from wainwright.worker.runners.suite import Annotation, Collected, LogLine, TestStarted

pytestmark = pytest.mark.browser

CONFIG = """
    import { defineConfig } from '@playwright/test';
    export default defineConfig({ testDir: './tests', retries: 1, workers: 2, use: { baseURL: 'http://127.0.0.1:1' } });
"""

SHOP = """
    import { expect, test } from '@playwright/test';

    test.describe('the shop', () => {
      test('opens', async ({ page }, testInfo) => {
        test.info().annotations.push({ type: 'issue', description: '42' });
        console.log('printed by the test');
        console.error('complained by the test');
        await page.goto('/console.html');
        await expect(page.locator('body')).toHaveText('ready');
        await test.step('look closely', async () => { await page.locator('body').click(); });
        await testInfo.attach('notes', { body: 'a note', contentType: 'text/plain' });
      });
      test('has what it has not', async ({ page }) => {
        await page.goto('/');
        await expect(page.getByRole('heading')).toHaveText('Bakery', { timeout: 200 });
      });
    });
    test('passes when run again', async ({}, testInfo) => {
      expect(testInfo.retry).toBe(1);
    });
    test('is skipped', async () => {
      test.skip(true, 'for a reason');
    });
    test('is expected to fail', async () => {
      test.fail();
      expect(1).toBe(2);
    });
"""


def test_each_test_is_reported_with_its_evidence(ts_suite: SuiteFolder, site: str) -> None:
    ts_suite.write("playwright.config.ts", CONFIG)
    ts_suite.write("tests/shop.spec.ts", SHOP)
    run = ts_suite.run(base_url=site)
    assert run.end.reason == "finished", run.end
    assert run.end.exit_code == 1
    assert run.end.dropped == 0
    assert run.end.unfinished == ()
    assert run.incomplete == []
    [collected] = run.of(Collected)
    assert [case.id for case in collected.tests][:2] == [
        "tests/shop.spec.ts › the shop › opens",
        "tests/shop.spec.ts › the shop › has what it has not",
    ]
    assert [(result.title, result.retry, result.outcome) for result in sorted(run.results, key=lambda r: (r.line, r.retry))] == [
        ("opens", 0, "passed"),
        ("has what it has not", 0, "failed"),
        ("has what it has not", 1, "failed"),
        ("passes when run again", 0, "failed"),
        ("passes when run again", 1, "passed"),
        ("is skipped", 0, "skipped"),
        ("is expected to fail", 0, "passed"),
    ]  # fmt: skip
    assert {event.id for event in run.of(TestStarted)} == {case.id for case in collected.tests}
    opens = run.result("opens")
    assert (opens.file, opens.line, opens.path) == ("tests/shop.spec.ts", 5, ("the shop",))
    assert {item.name for item in opens.attachments} == {"trace", "screenshot", "notes", "log"}
    assert opens.annotations == (Annotation("issue", "42"),)
    assert opens.stdout == "printed by the test\n"
    assert [(line.level, line.message) for line in run.of(LogLine) if line.test_id == opens.id] == [
        ("INFO", "printed by the test"),
        ("WARNING", "complained by the test"),
    ]
    log = run.log("opens")
    assert "console.error: the cart is on fire" in log
    assert "page error: " in log
    assert "broken on purpose" in log
    assert f"request failed: GET {BROKEN_SITE}" in log
    assert "printed by the test" in log
    [failed, _] = [result for result in run.results if result.title == "has what it has not"]
    [error] = failed.errors
    assert (error.kind, error.file, error.line) == ("assertion", "tests/shop.spec.ts", 16)
    assert "Bakery" in error.message
    assert "\x1b" not in error.message + error.stack


def test_steps_have_the_places_of_the_suite(ts_suite: SuiteFolder, site: str) -> None:
    ts_suite.write("tests/shop.spec.ts", SHOP)
    ts_suite.write("playwright.config.ts", CONFIG)
    run = ts_suite.run(
        base_url=site, config={"waitFor": 1}, select=frozenset({"tests/shop.spec.ts › the shop › opens"})
    )
    [result] = run.results
    steps = {step.title: step for step in result.steps}
    navigate = next(step for title, step in steps.items() if "/console.html" in title)
    assert (navigate.category, navigate.file, navigate.line) == ("api", "tests/shop.spec.ts", 9)
    assert steps["look closely"].category == "phase"
    assert [inner.category for inner in steps["look closely"].steps] == ["api"]
    files = {step.file for step in result.steps} | {inner.file for step in result.steps for inner in step.steps}
    assert files <= {None, "tests/shop.spec.ts"}
    [trace] = [item.path for item in result.attachments if item.name == "trace"]
    assert trace is not None
    with zipfile.ZipFile(trace) as archive:
        assert not any(b"wainwright" in archive.read(name) for name in archive.namelist() if name.endswith(".stacks"))


KINDS = """
    import { expect, test } from '@playwright/test';
    import assert from 'node:assert';
    test('assertion', () => expect({ a: 1 }).toEqual({ a: 2 }));
    test('soft assertion', () => { expect.soft(1, 'my own words').toBe(2); });
    test('assertion of node', () => assert.equal(1, 2));
    test('assertion on a page', async ({ page }) => { await expect(page).toHaveTitle('none', { timeout: 50 }); });
    test('test_timeout', async () => { test.setTimeout(100); await new Promise(() => {}); });
    test('test_timeout of a click', async ({ page }) => { await page.click('#none', { timeout: 50 }); });
    test('navigation', async ({ page }) => { await page.goto('http://127.0.0.1:1/'); });
    test('script_error', () => { throw new TypeError('nothing here'); });
    test('script_error of a lost browser', async ({ page, browser }) => { await browser.close(); await page.title(); });
"""


def test_says_of_what_kind_a_failure_is(ts_suite: SuiteFolder) -> None:
    ts_suite.write("playwright.config.ts", "export default { use: { trace: 'off' } };")
    ts_suite.write("kinds.spec.ts", KINDS)
    run = ts_suite.run()
    found = {result.title: {error.kind for error in result.errors} for result in run.results}
    assert len(found) == 9
    assert {title: kinds for title, kinds in found.items() if {title.split()[0]} != kinds} == {
        "soft assertion": {"assertion"}
    }


ONE = "import { test } from '@playwright/test'; test('one', () => {});"


@pytest.mark.parametrize(
    ("files", "module"),
    [
        pytest.param({}, False, id="none"),
        pytest.param({"playwright.config.ts": "export default {};"}, True, id="ts-in-a-module"),
        pytest.param({"playwright.config.js": "module.exports = {};"}, False, id="js"),
        pytest.param(
            {"playwright.config.mjs": "export { one as default } from './one.mjs';", "one.mjs": "export const one = {};"},
            False,
            id="mjs",
        ),
        pytest.param({"playwright.config.mts": "const config: object = {}; export default config;"}, False, id="mts"),
        pytest.param({"playwright.config.cjs": "module.exports = {};"}, True, id="cjs-in-a-module"),
    ],
)  # fmt: skip
def test_a_configuration_of_any_kind_is_honoured(ts_suite: SuiteFolder, files: dict[str, str], module: bool) -> None:
    if module:
        ts_suite.write("package.json", '{ "type": "module" }')
    for name, content in files.items():
        ts_suite.write(name, content)
    ts_suite.write("one.spec.ts", ONE)
    run = ts_suite.run()
    assert run.end.reason == "finished", run.end
    assert [(result.id, result.outcome) for result in run.results] == [("one.spec.ts › one", "passed")]


PROJECTS = """
    import { defineConfig, devices } from '@playwright/test';
    export default defineConfig({
      projects: [
        { name: 'setup', testMatch: /prepare\\.ts/ },
        { name: 'wide', use: { ...devices['Desktop Chrome'] }, dependencies: ['setup'] },
        { name: 'small', use: { ...devices['Pixel 7'] }, dependencies: ['setup'] },
      ],
    });
"""
PREPARED = """
    import { expect, test } from '@playwright/test';
    import fs from 'node:fs';
    test('is prepared', () => expect(fs.existsSync('prepared')).toBe(true));
    test('has a mouse or none', ({ isMobile }) => expect(isMobile).toBe(test.info().project.name === 'small'));
"""
PREPARE = """
    import { test } from '@playwright/test';
    import fs from 'node:fs';
    test('prepare', () => fs.writeFileSync('prepared', ''));
"""


def test_projects_have_tests_of_their_own_and_their_setup(ts_suite: SuiteFolder) -> None:
    ts_suite.write("playwright.config.ts", PROJECTS)
    ts_suite.write("prepare.ts", PREPARE)
    ts_suite.write("a.spec.ts", PREPARED)
    run = ts_suite.run()
    assert [(result.id, result.outcome) for result in run.results] == [
        ("prepare.ts › [setup] › prepare", "passed"),
        *(
            (f"a.spec.ts › [{project}] › {title}", "passed")
            for project in ("wide", "small")
            for title in ("is prepared", "has a mouse or none")
        ),
    ]


def test_what_has_an_outcome_does_not_run_again_but_what_the_others_depend_on(ts_suite: SuiteFolder) -> None:
    ts_suite.write("playwright.config.ts", PROJECTS)
    ts_suite.write("prepare.ts", PREPARE)
    ts_suite.write("a.spec.ts", PREPARED)
    done = {
        "prepare.ts › [setup] › prepare",
        "a.spec.ts › [wide] › is prepared",
        "a.spec.ts › [wide] › has a mouse or none",
        "a.spec.ts › [small] › is prepared",
        "gone.spec.ts › no longer there",
    }
    run = ts_suite.run(deselect=frozenset(done))
    assert run.end.reason == "finished", run.end
    assert [(result.id, result.outcome) for result in run.results] == [
        ("a.spec.ts › [small] › has a mouse or none", "passed")
    ]
    assert (ts_suite.folder / "prepared").exists()
    [collected] = run.of(Collected)
    assert set(collected.deselected) == {id for id in done if "gone" not in id}
    assert run.end.unfinished == ()


def test_a_setup_that_fails_when_it_runs_again_is_told(ts_suite: SuiteFolder) -> None:
    ts_suite.write("playwright.config.ts", PROJECTS)
    ts_suite.write(
        "prepare.ts", "import { test } from '@playwright/test'; test('prepare', () => { throw new Error(); });"
    )
    ts_suite.write("a.spec.ts", PREPARED)
    run = ts_suite.run(deselect=frozenset({"prepare.ts › [setup] › prepare"}))
    assert [(result.id, result.outcome) for result in run.results] == [("prepare.ts › [setup] › prepare", "failed")]
    assert len(run.end.unfinished) == 4


def test_with_an_outcome_for_each_test_nothing_runs(ts_suite: SuiteFolder) -> None:
    ts_suite.write("playwright.config.ts", "export default {};")
    ts_suite.write("one.spec.ts", ONE)
    run = ts_suite.run(deselect=frozenset({"one.spec.ts › one"}))
    assert (run.end.reason, run.end.exit_code, run.end.collected, run.end.deselected) == ("finished", 0, 0, 1)
    assert run.of(Collected) == [Collected((), ("one.spec.ts › one",))]
    assert run.results == []


def test_collecting_runs_nothing(ts_suite: SuiteFolder) -> None:
    ts_suite.write("playwright.config.ts", PROJECTS)
    ts_suite.write("prepare.ts", PREPARE)
    ts_suite.write("a.spec.ts", PREPARED)
    run = ts_suite.run(collect_only=True)
    assert run.end.reason == "finished"
    [collected] = run.of(Collected)
    assert len(collected.tests) == 5
    assert run.results == []
    assert not (ts_suite.folder / "prepared").exists()


def test_a_reporter_of_the_suites_own_is_kept_beside_ours(ts_suite: SuiteFolder, site: str) -> None:
    ts_suite.write(
        "playwright.config.ts",
        "export default { reporter: [['list'], ['html'], ['./own.ts', { word: 'seen' }]], use: { screenshot: 'on' } };",
    )
    ts_suite.write(
        "own.ts",
        """
        export default class Own {
          word: string;
          ended: any[] = [];
          constructor(options: any) { this.word = options.word; }
          onTestEnd(test: any, result: any) { this.ended.push(result); }
          onEnd() {
            for (const { attachments } of this.ended)
              for (const { name, path, body } of attachments)
                console.log(this.word, name, require('fs').existsSync(path), body === undefined);
          }
        }
        """,
    )
    ts_suite.write(
        "one.spec.ts",
        "import { test } from '@playwright/test'; test('one', async ({ page }) => { await page.goto('/'); });",
    )
    run = ts_suite.run(base_url=site)
    assert [line.message for line in run.of(LogLine)] == ["seen screenshot true true", "seen trace true true"]
    assert not (ts_suite.folder / "playwright-report").exists()
    with zipfile.ZipFile(ts_suite.output / "blob.zip") as blob:
        assert blob.namelist() == ["report.jsonl"]


@pytest.mark.parametrize(
    ("own", "config", "kept"),
    [
        ("", {}, {"passes": {"trace", "screenshot"}, "fails": {"trace", "screenshot"}}),
        ("trace: 'off', screenshot: 'off'", {}, {"passes": set(), "fails": set()}),
        ("trace: 'off'", {"trace": "on", "screenshot": "off"}, {"passes": {"trace"}, "fails": {"trace"}}),
        (
            "trace: 'on'",
            {"trace": "retain-on-failure", "screenshot": "retain-on-failure"},
            {"passes": set(), "fails": {"trace", "screenshot"}},
        ),
    ],
    ids=["by default", "as the suite says", "as the job says", "of failures alone"],
)  # fmt: skip
def test_keeps_the_evidence_that_was_asked_for(
    ts_suite: SuiteFolder, site: str, own: str, config: dict[str, str], kept: dict[str, set[str]]
) -> None:
    ts_suite.write("playwright.config.ts", f"export default {{ use: {{ {own} }} }};")
    ts_suite.write(
        "a.spec.ts",
        """
        import { expect, test } from '@playwright/test';
        test('passes', async ({ page }) => { await page.goto('/'); });
        test('fails', async ({ page }) => { await page.goto('/'); expect(1).toBe(2); });
        """,
    )
    run = ts_suite.run(base_url=site, config=config)
    found = {each.title: {item.name for item in each.attachments} & {"trace", "screenshot"} for each in run.results}
    assert found == kept


@pytest.mark.parametrize(
    "asked_elsewhere", [False, True], ids=["as a worker has it", "where the suite asks for another"]
)
def test_a_run_of_all_tests_writes_its_page(ts_suite: SuiteFolder, tmp_path: Path, asked_elsewhere: bool) -> None:
    elsewhere = tmp_path / "elsewhere"
    ts_suite.write("playwright.config.ts", "export default {};")
    ts_suite.write("one.spec.ts", ONE)

    run = ts_suite.run(env={"PLAYWRIGHT_HTML_OUTPUT_DIR": str(elsewhere)} if asked_elsewhere else {})

    assert [result.outcome for result in run.results] == ["passed"]
    assert not elsewhere.exists()
    page = ts_suite.output / PAGE
    assert page.is_file() is not asked_elsewhere
    if page.is_file():
        [log] = [each.path for each in run.results[0].attachments if each.name == "log"]
        assert log is not None
        attempt = log.stem.removesuffix("-log")
        assert finish_page(page.read_bytes(), {attempt: run.results[0].id}, {}, Redactor({})) != page.read_bytes()


def test_what_a_batch_compiled_is_there_for_the_next_one(ts_suite: SuiteFolder, tmp_path: Path) -> None:
    ts_suite.write("playwright.config.ts", "export default {};")
    ts_suite.write("one.spec.ts", ONE)
    compiled = tmp_path / "compiled"
    compiled.mkdir()

    def known() -> dict[str, int]:
        return {str(path): path.stat().st_mtime_ns for path in compiled.rglob("*onespec*.js")}

    assert [result.outcome for result in ts_suite.run(compiled=compiled).results] == ["passed"]
    first = known()
    assert len(first) == 1
    assert [result.outcome for result in ts_suite.run(compiled=compiled).results] == ["passed"]
    assert known() == first


def test_an_environment_that_was_installed_elsewhere_is_linked(
    suite: SuiteFolder, node_modules: Path, tmp_path: Path
) -> None:
    suite.write("playwright.config.ts", "export default {};")
    suite.write("one.spec.ts", ONE)
    environment = tmp_path / "environment"
    environment.mkdir()
    (environment / "node_modules").symlink_to(node_modules)
    run = suite.run(dependencies=environment)
    assert [result.outcome for result in run.results] == ["passed"]


def test_says_what_to_do_when_playwright_test_is_not_installed(suite: SuiteFolder) -> None:
    suite.write("playwright.config.ts", "export default {};")
    suite.write("one.spec.ts", ONE)
    run = suite.run()
    assert run.end.reason == "dependencies_failed"
    [error] = run.end.errors
    assert error.file == "package.json"
    assert "@playwright/test is not installed: name it in the package.json" in error.message
