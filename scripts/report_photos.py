"""Photograph the two kinds of report side by side for the docs anew: ``python -m scripts.report_photos``.

Runs a pytest suite and a Playwright Test suite that say the same, each as a job of one worker, and opens both reports.
"""

import base64
import json
import os
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, expect, sync_playwright

from tests.e2e.worker.one_worker import OneWorker
from tests.e2e.worker.suites import serve
from wainwright.contracts.names import report_key, viewer_key
from wainwright.domain.jobs import JobDetail
from wainwright.worker.sandbox.find_browser import QUIET_FLAGS, BrowserMissing, find_browser

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "docs" / "reports-side-by-side.png"
EXAMPLE = ROOT / "examples" / "web-shop-ts"
MOST_BYTES = 400 * 1024
WIDTH, LIST_HEIGHT, TEST_HEIGHT = 800, 450, 1010
"""Pixels of one report: its list of tests, and the page of one of them."""

SHOP = """<title>Shop</title><style>body { font: 24px sans-serif; margin: 40px } li { padding: 8px }</style>
<h1>The tea shop</h1><ul><li>Assam, 4.20<li>Darjeeling, 5.10<li>Sencha, 6.00</ul><button>Buy</button><p id=said></p>
<script>document.querySelector("button").onclick = () => { said.textContent = "One in the cart" }</script>"""

PYTEST = {
    "test_shop.py": f'''
SHOP = """{SHOP}"""

from playwright.sync_api import expect
from wainwright import current_job
import pytest


@pytest.fixture(autouse=True)
def shop(page):
    page.set_content(SHOP)


def test_lists_its_teas(page):
    expect(page.get_by_role("listitem")).to_have_count(3)


def test_sells_a_tea(page):
    page.get_by_role("button", name="Buy").click()
    expect(page.locator("#said")).to_have_text("Two in the cart", timeout=1_000)


tries = []


def test_answers_in_time(page):
    tries.append(1)
    assert len(tries) == 2, "the shop was slow"
'''
}

PLAYWRIGHT_TEST = {
    "package.json": (EXAMPLE / "package.json").read_text(),
    "package-lock.json": (EXAMPLE / "package-lock.json").read_text(),
    "playwright.config.ts": "export default { projects: [{ name: 'chromium' }] };",
    "shop.spec.ts": f"""
import {{ expect, test }} from '@playwright/test';

const SHOP = {json.dumps(SHOP)};

test.beforeEach(async ({{ page }}) => {{
  await page.setContent(SHOP);
}});

test('lists its teas', async ({{ page }}) => {{
  await expect(page.getByRole('listitem')).toHaveCount(3);
}});

test('sells a tea', async ({{ page }}) => {{
  await page.getByRole('button', {{ name: 'Buy' }}).click();
  await expect(page.locator('#said')).toHaveText('Two in the cart', {{ timeout: 1000 }});
}});

test('answers in time', async ({{}}, testInfo) => {{
  expect(testInfo.retry, 'the shop was slow').toBe(1);
}});
""",
}

COMPOSED = """<!doctype html><style>
body {{ margin: 0; padding: 20px; width: {width}px; background: #e8eaed; font: 600 19px sans-serif }}
main {{ display: grid; grid-template-columns: 1fr 1fr; gap: 16px 20px }}
img {{ display: block; width: 100%; border: 1px solid #c4c7cc; border-radius: 8px }}
</style><main><div>A job of a pytest suite</div><div>A job of a Playwright Test suite</div>{images}</main>"""


@dataclass(frozen=True)
class Subject:
    """A suite, and the name of its failing test in the report."""

    label: str
    files: Mapping[str, str]
    failing: str


SUBJECTS = (
    Subject("The tea shop, in Python", PYTEST, "test_sells_a_tea"),
    Subject("The tea shop, in TypeScript", PLAYWRIGHT_TEST, "sells a tea"),
)


def main() -> None:
    """Run both suites, photograph both reports, and write the picture."""
    found = find_browser()
    if isinstance(found, BrowserMissing):
        raise SystemExit(found.message)
    with TemporaryDirectory() as temporary:
        reports = [report_of(subject, Path(temporary) / str(at)) for at, subject in enumerate(SUBJECTS)]
        with ExitStack() as stack:
            playwright = stack.enter_context(sync_playwright())
            browser = playwright.chromium.launch(
                executable_path=found.executable, args=list(QUIET_FLAGS), chromium_sandbox=os.geteuid() != 0
            )
            stack.callback(browser.close)
            photographs = [photographed(browser, *each) for each in zip(SUBJECTS, reports, strict=True)]
            picture = composed(browser, [each for pair in zip(*photographs, strict=True) for each in pair])
    if len(picture) > MOST_BYTES:
        raise SystemExit(
            f"the picture has {len(picture)} bytes, more than {MOST_BYTES}: photograph less of the reports"
        )
    TARGET.write_bytes(picture)
    print(f"wrote {TARGET}")


def report_of(subject: Subject, folder: Path) -> Path:
    """Run the suite as a job; the folder with its report's files, as the API gives them."""
    folder.mkdir()
    detail = JobDetail(config={"testRetries": 1, "trace": "on", "screenshot": "on"})
    job = OneWorker(folder, subject.files, detail, label=subject.label)
    outcome = job.run()
    if outcome is None or outcome.report is None or (outcome.tests.failed, outcome.tests.flaky) != (1, 1):
        raise SystemExit(f"{subject.label} did not come to what was to be photographed: {outcome}")
    served = folder / "report"
    for file in json.loads(job.report("manifest.json"))["files"]:
        path = served / file["path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        viewer = viewer_key(outcome.report.viewer, file["path"].removeprefix("trace/"))
        own = report_key(job.job.project, job.id, fence=outcome.report.fence, path=file["path"])
        path.write_bytes(job.artifacts.get(viewer if file["path"].startswith("trace/") else own)[0])
    return served


def photographed(browser: Browser, subject: Subject, report: Path) -> tuple[bytes, bytes]:
    """The list of tests, and the failed test with what it left."""
    with serve(report) as url:
        page = browser.new_page(viewport={"width": WIDTH, "height": LIST_HEIGHT})
        page.goto(f"{url}/index.html")
        failing = page.get_by_role("link", name=subject.failing, exact=True)
        expect(failing).to_be_visible()
        tests = page.screenshot()
        page.set_viewport_size({"width": WIDTH, "height": TEST_HEIGHT})
        failing.click()
        screenshot = page.locator("img.screenshot").first
        expect(screenshot).to_be_attached()
        page.wait_for_function("document.querySelector('img.screenshot').naturalWidth > 0")
        screenshot.evaluate("image => image.scrollIntoView({ block: 'end' })")
        one = page.screenshot()
        page.close()
    return tests, one


def composed(browser: Browser, photographs: list[bytes]) -> bytes:
    """One picture of photographs, two in a row."""
    images = "".join(f'<img src="data:image/png;base64,{base64.b64encode(each).decode()}">' for each in photographs)
    page = browser.new_page(viewport={"width": 2 * WIDTH + 64, "height": 600})
    page.set_content(COMPOSED.format(width=2 * WIDTH + 24, images=images))
    picture = page.screenshot(full_page=True)
    page.close()
    return picture


if __name__ == "__main__":
    main()
