"""The report of a real run, opened in real Chromium as its users open it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.worker.served_reports import reports_origin
from tests.e2e.worker.suites import Run, SuiteFolder
from wainwright.worker.evidence.report.html import build_html
from wainwright.worker.evidence.report.report_model import Ending, ReportMeta
from wainwright.worker.runners.suite import Collected, TestResult

pytestmark = pytest.mark.browser

SUITE = """
    import pytest
    from playwright.sync_api import expect

    def test_opens_the_shop(page):
        page.goto("/")
        expect(page.get_by_role("heading")).to_have_text("Shop")

    def test_finds_the_cart(page):
        page.goto("/")
        assert page.title() == "The <cart> & more"

    @pytest.mark.skip(reason="not sold any more")
    def test_sells_records():
        pass

    @pytest.mark.parametrize("word", ["tea", "<b>coffee</b>"])
    def test_searches(page, word):
        page.goto("/?q=" + word)
        print("searching for", word)

    def test_leaves():
        pytest.exit("enough")

    def test_never_runs():
        pass
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, site: str) -> Run:
    folder = SuiteFolder(tmp_path_factory.mktemp("reported"))
    folder.write("shop/test_shop.py", SUITE)
    return folder.run(base_url=site)


@pytest.fixture(scope="module")
def report_url(tmp_path_factory: pytest.TempPathFactory, run: Run, site: str) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("report")
    (folder / "data").mkdir()
    stored = [keep(result, index, folder).to_json() for index, result in enumerate(run.results)]
    [collected] = run.of(Collected)
    meta = ReportMeta(
        "job-1", "Shop <nightly>", "2026-01-02T03:04:05.678Z", 12_345, base_url=site, details={"attempt": "1"}
    )
    results = [TestResult.from_json(row) for row in stored]
    (folder / "index.html").write_bytes(build_html(results, Ending.of(run.end, collected.tests), meta))
    with reports_origin(folder) as reports:
        yield reports.open_folder(folder)


def keep(result: TestResult, index: int, folder: Path) -> TestResult:
    """Store a test's files as the worker does, under names that say nothing."""
    kept = []
    for number, item in enumerate(result.attachments):
        assert item.path is not None
        href = f"data/{index}-{number}{item.path.suffix}"
        shutil.copyfile(item.path, folder / href)
        kept.append(replace(item, href=href))
    return replace(result, attachments=tuple(kept))


@pytest.fixture
def page(chromium: Browser, report_url: str) -> Iterator[Page]:
    page = chromium.new_page()
    page.set_default_timeout(30_000)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(report_url)
    expect(page.get_by_text("test_opens_the_shop")).to_be_visible()
    yield page
    page.context.close()
    assert errors == []


OUTCOME_ICONS = {"passed": "color-icon-success", "failed": "color-text-danger", "skipped": "color-fg-muted"}


def shown(page: Page) -> dict[str, str]:
    """Title -> outcome of the tests in the list, told by the icon that a user sees."""
    rows = page.locator(".test-file-test")
    found = {}
    for row in rows.all():
        classes = row.locator(".test-file-test-status-icon svg").get_attribute("class") or ""
        [outcome] = [outcome for outcome, icon in OUTCOME_ICONS.items() if icon in classes.split()] or [classes]
        found[row.locator(".test-file-title").inner_text()] = outcome
    return found


def test_the_report_lists_every_test_by_name_with_its_outcome(page: Page) -> None:
    assert shown(page) == {
        "test_opens_the_shop": "passed",
        "test_finds_the_cart": "failed",
        "test_searches[tea]": "passed",
        "test_searches[<b>coffee</b>]": "passed",
    }
    page.locator(".subnav-item").filter(has_text="Skipped").click()  # the page leaves them out of its first list
    expect(page.get_by_text("test_never_runs", exact=True)).to_be_visible()
    assert shown(page) == {
        "test_sells_records": "skipped",
        "test_leaves": "skipped",
        "test_never_runs": "skipped",
    }


def test_the_report_counts_tests_and_names_the_job(page: Page) -> None:
    counts = page.locator(".subnav-item")
    expect(counts.filter(has_text="Passed")).to_have_text("Passed3")
    expect(counts.filter(has_text="Failed")).to_have_text("Failed1")
    expect(page.get_by_text("Shop <nightly>")).to_be_visible()


def test_the_report_says_what_did_not_run(page: Page) -> None:
    expect(page.get_by_text("This report is not complete")).to_be_visible()
    expect(page.get_by_text("test_never_runs: did not run")).to_be_visible()


def test_a_failing_tests_page_shows_error_steps_screenshot_and_log(page: Page) -> None:
    page.get_by_role("link", name="test_finds_the_cart", exact=True).click()
    expect(page.get_by_text("assert 'A shop' == 'The <cart> & more'").first).to_be_visible()
    expect(page.get_by_text("at shop/test_shop.py:11")).to_be_visible()
    expect(page.get_by_text("Setup", exact=True)).to_be_visible()
    screenshot = page.locator("img.screenshot").first
    screenshot.scroll_into_view_if_needed()
    page.wait_for_function("document.querySelector('img.screenshot').naturalWidth === 1280")
    log = page.get_by_role("link", name="log", exact=True).get_attribute("href")
    assert log is not None
    assert "test_finds_the_cart" in page.request.get(log).text()


def test_what_a_test_printed_is_in_the_report(page: Page) -> None:
    page.get_by_role("link", name="test_searches[tea]", exact=True).click()
    page.get_by_text("stdout", exact=True).click()
    expect(page.get_by_text("searching for tea")).to_be_visible()


def test_the_trace_link_opens_the_trace_viewer_with_the_tests_actions(page: Page, report_url: str) -> None:
    row = page.locator(".test-file-test").filter(has_text="test_finds_the_cart")
    row.get_by_role("link", name="View Trace").click()
    page.wait_for_url(re.compile(re.escape(f"{report_url}trace/index.html?trace={report_url}data/")))
    actions = page.get_by_test_id("actions-tree")
    expect(actions.get_by_text("Navigate")).to_be_visible()
    expect(actions).to_contain_text("/")
    actions.get_by_text("Navigate").click()
    page.get_by_role("tab", name="After").click()
    snapshot = page.frame_locator("iframe.snapshot-visible[name=snapshot]")
    expect(snapshot.get_by_role("heading", name="Shop")).to_be_visible()
