"""The example in TypeScript through the whole system, as it is: its packages installed, its server started, both its projects."""

import json

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.whole.local_system import ROOT, Up, results

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.slow]


def test_runs_a_suite_of_playwright_test_as_it_is(up: Up, client: httpx.Client, chromium: Browser) -> None:
    run = up.run("run", str(ROOT / "examples" / "web-shop-ts"), "--label", "typescript", "--json")

    assert run.returncode == 0, run.stderr
    job = json.loads(run.stdout)
    assert job["status"] == "completed"
    assert job["tests"] == {"total": 18, "passed": 15, "failed": 0, "flaky": 2, "skipped": 1, "quarantined": 0}
    assert job["report"]["complete"]
    tests = results(client, job["id"])["tests"]
    flaky = [test for test in tests if test["outcome"] == "flaky"]
    assert [test["id"] for test in flaky] == [
        f"tests/stock.spec.ts › [{project}] › the stock is shown while the shop is busy"
        for project in ("desktop", "mobile")
    ]
    log = [entry["message"] for entry in client.get(f"/v1/jobs/{job['id']}/logs?limit=1000").json()["logs"]]
    assert any(line.startswith("The run passed; the slowest test was ") for line in log)

    page = chromium.new_page()
    page.goto(client.post(f"/v1/jobs/{job['id']}/ticket").json()["reportUrl"])
    expect(page.locator(".test-file-test")).to_have_count(17)  # it hides the one that was skipped
    expect(page.locator(".subnav-item", has_text="Skipped")).to_contain_text("1")
    expect(page.get_by_text("mobile").first).to_be_visible()
    row = page.locator(".test-file-test", has_text="an empty cart cannot be ordered").first
    row.get_by_role("link", name="View Trace").click()
    expect(page.get_by_text("Navigate").first).to_be_visible()
    page.close()
