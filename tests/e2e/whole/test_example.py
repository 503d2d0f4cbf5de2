"""The example suite through the whole system: command line, API, queues, state machine, worker, Chromium, report."""

import io
import json
import zipfile
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.whole.local_system import ROOT, Up, copy_suite, results

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.slow]


def test_runs_the_whole_example_and_shows_it_in_the_report(
    up: Up, client: httpx.Client, shop: str, chromium: Browser
) -> None:
    run = up.run("run", str(ROOT / "examples" / "shop-tests"), "--base-url", shop, "--label", "example", "--json")

    assert run.returncode == 0, run.stderr
    job = json.loads(run.stdout)
    assert job["status"] == "completed"
    assert job["tests"]["total"] >= 12
    assert job["tests"]["failed"] == 0
    assert job["tests"]["passed"] == job["tests"]["total"]
    assert job["report"]["complete"]

    page = chromium.new_page()
    page.goto(client.post(f"/v1/jobs/{job['id']}/ticket").json()["reportUrl"])
    tests = results(client, job["id"])["tests"]
    assert len(tests) == job["tests"]["total"]
    for test in tests:
        row = page.locator(".test-file-test", has=page.get_by_role("link", name=test["title"], exact=True)).first
        expect(row).to_be_visible()
        expect(row.locator("svg.color-icon-success").first).to_be_visible()

    row = page.locator(".test-file-test", has=page.get_by_role("link", name="test_cart_survives_a_reload", exact=True))
    row.get_by_role("link", name="View Trace").click()
    expect(page.get_by_text("Reload").first).to_be_visible()
    expect(page.get_by_text("Navigate").first).to_be_visible()
    page.close()


@pytest.mark.thorough
def test_a_broken_assertion_fails_the_job_with_its_evidence(
    up: Up, client: httpx.Client, shop: str, tmp_path: Path
) -> None:
    suite = copy_suite(["test_cart.py"], tmp_path / "suite", test_cart=("£38.45", "£99.99"))

    run = up.run("run", str(suite), "--base-url", shop, "--json")

    assert run.returncode == 1, run.stderr
    job = json.loads(run.stdout)
    assert (job["status"], job["failure"]["category"]) == ("failed", "assertion")
    assert job["tests"]["failed"] == 1
    assert job["tests"]["passed"] == job["tests"]["total"] - 1
    (failed,) = [test for test in results(client, job["id"])["tests"] if test["outcome"] == "failed"]
    assert job["failure"]["testId"] == failed["id"]
    assert "£99.99" in failed["errors"][0]["message"]
    files = {item["name"]: item["href"] for item in failed["attachments"]}
    screenshot = client.get(f"/v1/jobs/{job['id']}/report/{files['screenshot']}").content
    assert screenshot.startswith(b"\x89PNG")
    trace = client.get(f"/v1/jobs/{job['id']}/report/{files['trace']}", follow_redirects=True).content
    with zipfile.ZipFile(io.BytesIO(trace)) as archive:
        assert archive.testzip() is None
        assert any(name.endswith(".trace") for name in archive.namelist())
    junit = client.get(f"/v1/jobs/{job['id']}/report/junit.xml").text
    assert 'failures="1"' in junit
