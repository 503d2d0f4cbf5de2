"""What a failing run says: which tests, where, why, and addresses at which their traces open in a browser."""

import io
import re
import zipfile
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.whole.local_system import Up, results, served

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.slow]

MORE_THAN_AN_ANSWER_HOLDS = 4 * 1_048_576

SUITE = """\
import os

BYTES = os.urandom(5_000_000)


def test_total(page):
    page.route("**/photo.png", lambda route: route.fulfill(body=BYTES, content_type="image/png"))
    page.route("**/cart", lambda route: route.fulfill(body="<h1>19.90</h1><img src=photo.png>", content_type="text/html"))
    page.goto("http://shop.example/cart", wait_until="load")
    assert page.inner_text("h1") == "9.90"


def test_fine():
    pass
"""


def _opens(page: Page, address: str) -> None:
    """The trace viewer at this address has the trace of the failing test."""
    page.set_default_timeout(60_000)
    page.goto(address)
    actions = page.get_by_test_id("actions-tree")
    expect(actions.get_by_text("Navigate")).to_be_visible(timeout=60_000)
    expect(actions).to_contain_text("/cart")


def test_prints_the_failing_test_and_a_link_that_opens_its_large_trace(
    up: Up, client: httpx.Client, chromium: Browser, tmp_path: Path
) -> None:
    suite = tmp_path / "suite"
    suite.mkdir()
    (suite / "test_cart.py").write_text(SUITE)

    run = up.run("run", str(suite))

    assert run.returncode == 1, run.stderr
    lines = [line.strip() for line in run.stdout.splitlines()]
    [first] = [number for number, line in enumerate(lines) if re.match(r"1\) test_total", line)]
    told = lines[first : lines.index("", first)]
    assert "test_cart.py:10" in told[1]
    assert "AssertionError" in told[2]
    assert "19.90" in " ".join(told)
    link = told[-1].removeprefix("trace  ")
    assert link.startswith("http://127.0.0.1:")

    # Its trace is larger than an answer may be: the browser is sent to the bucket.
    [job_id] = set(re.findall(r"wainwright report open ([0-9a-f-]{36})", run.stdout))
    answer = httpx.get(link.partition("?trace=")[2], timeout=60)
    assert (answer.status_code, answer.content) == (302, b"")
    assert len(httpx.get(answer.headers["location"], timeout=60).content) > MORE_THAN_AN_ANSWER_HOLDS
    page = chromium.new_page()
    try:
        _opens(page, link)
    finally:
        page.close()

    _zip_opens(client, job_id, chromium, tmp_path)


def _zip_opens(client: httpx.Client, job_id: str, chromium: Browser, tmp_path: Path) -> None:
    answer = client.get(f"/v1/jobs/{job_id}/report/report.zip", follow_redirects=True)
    assert answer.status_code == 200, answer.text
    assert [each.status_code for each in answer.history] == [302]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        archive.extractall(tmp_path / "unpacked")
    report = tmp_path / "unpacked" / f"report-{job_id}"
    [failed] = [test for test in results(client, job_id)["tests"] if test["outcome"] == "failed"]
    [trace] = [item["href"] for item in failed["attachments"] if item["name"] == "trace"]
    page = chromium.new_page()
    try:
        # As a file, the list of tests; over HTTP, the traces too.
        page.goto((report / "index.html").as_uri())
        expect(page.get_by_role("link", name="test_total").first).to_be_visible()
        with served(report) as address:
            _opens(page, f"{address}trace/index.html?trace={address}{trace}")
    finally:
        page.close()
