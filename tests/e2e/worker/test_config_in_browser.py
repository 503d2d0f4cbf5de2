"""Each key of a job's `config`, by what it does in real Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.worker.sites import Site, two_sites
from tests.e2e.worker.suites import Run, SuiteFolder
from wainwright.worker.runners.suite import JobLog

pytestmark = pytest.mark.browser

CONFIG: dict[str, Any] = {
    "viewport": {"width": 700, "height": 500},
    "waitFor": 700,
    "disableImages": True,
    "reducedMotion": True,
    "locale": "fr-CH",
    "timezone": "Asia/Tokyo",
    "userAgent": "Wainwright test/1",
    "extraHeaders": {"X-Preview-Key": "of the job", "Accept-Language": "rm", "X-Set-By-Both": "by the job"},
}

EVERY_WAY = """
    import asyncio
    import pytest

    SIZE = "[window.innerWidth, window.innerHeight]"

    def test_page(page):
        page.goto("/images")
        assert page.evaluate(SIZE) == [700, 500]
        assert page.evaluate("document.images[0].naturalWidth") == 0
        assert page.evaluate("matchMedia('(prefers-reduced-motion: reduce)').matches")
        assert page.evaluate("navigator.language") == "fr-CH"
        assert page.evaluate("Intl.DateTimeFormat().resolvedOptions().timeZone") == "Asia/Tokyo"
        assert page.evaluate("navigator.userAgent") == "Wainwright test/1"
        assert page.evaluate("matchMedia('(hover: hover)').matches")

    def test_waits_after_navigating(page):
        for go in (lambda: page.goto("/late"), page.reload):
            go()
            assert page.evaluate("document.body.textContent") == "ready"
        page.goto("/")
        page.go_back()
        assert page.evaluate("document.body.textContent") == "ready"

    def test_context(context):
        assert context.new_page().evaluate(SIZE) == [700, 500]

    def test_new_context(new_context):
        assert new_context().new_page().evaluate(SIZE) == [700, 500]

    def test_plain_context_of_the_browser(browser, base_url):
        page = browser.new_context().new_page()
        page.goto(base_url)
        assert page.evaluate("[...%s, navigator.language]" % SIZE) == [700, 500, "fr-CH"]

    def test_plain_page_of_the_browser(browser):
        assert browser.new_page().evaluate(SIZE) == [700, 500]

    def test_a_context_that_asks_for_something_itself_gets_it(browser):
        assert browser.new_context(viewport={"width": 400, "height": 300}).new_page().evaluate(SIZE) == [400, 300]
        assert browser.new_context(no_viewport=True).new_page().viewport_size is None

    def test_persistent_context(playwright, tmp_path, base_url):
        context = playwright.chromium.launch_persistent_context(str(tmp_path / "profile"))
        page = context.new_page()
        page.goto(base_url + "/persistent")
        assert page.evaluate(SIZE) == [700, 500]
        context.close()

    def test_headers(page, browser, other):
        with page.expect_popup() as popup:
            page.goto("/")
            page.click("a")
        popup.value.wait_for_load_state()
        page.evaluate("fetch('/fetched')")
        page.evaluate('''new Promise(resolve => {
            const code = `fetch(${JSON.stringify(location.origin)} + '/of-worker').then(() => postMessage(0))`
            new Worker(URL.createObjectURL(new Blob([code]))).onmessage = resolve
        })''')
        page.goto("/away")
        assert page.title() == "Landed"
        page.goto(other + "/third-party")
        context = browser.new_context(extra_http_headers={"X-Set-By-Both": "by the suite"})
        context.new_page().goto(page.context.pages[0].url)
        own = context.new_page()
        own.goto(popup.value.url + "?both")
"""

ASYNC = """
    import asyncio

    def test_async_api(base_url):
        from playwright.async_api import async_playwright

        async def main():
            async with async_playwright() as playwright:
                browser = await playwright.chromium.launch()
                page = await browser.new_page()
                await page.goto(base_url + "/late?async")
                await page.goto(base_url + "/late")
                found = await page.evaluate("[document.body.textContent, innerWidth, navigator.language]")
                await browser.close()
                return found

        assert asyncio.run(main()) == ["ready", 700, "fr-CH"]
"""

CONFTEST = """
    import os
    import pytest

    @pytest.fixture
    def other():
        return os.environ["OTHER"]
"""


@pytest.fixture(scope="module")
def sites() -> Iterator[tuple[Site, Site]]:
    with two_sites() as pair:
        yield pair


def _run(folder: Path, suite: str, site: Site, config: dict[str, Any], conftest: str = "", other: str = "") -> Run:
    files = SuiteFolder(folder)
    files.write("test_config.py", suite)
    files.write("conftest.py", conftest)
    return files.run(base_url=site.url, config=config, trace="off", screenshot="off", env={"OTHER": other})


@pytest.fixture(scope="module")
def configured(sites: tuple[Site, Site], tmp_path_factory: pytest.TempPathFactory) -> Run:
    own, other = sites
    folder = tmp_path_factory.mktemp("configured")
    return _run(folder, EVERY_WAY, own, CONFIG, CONFTEST, f"http://localhost:{other.port}")


@pytest.mark.parametrize(
    "title",
    [
        "test_page",
        "test_waits_after_navigating",
        "test_context",
        "test_new_context",
        "test_plain_context_of_the_browser",
        "test_plain_page_of_the_browser",
        "test_a_context_that_asks_for_something_itself_gets_it",
        "test_persistent_context",
        "test_headers",
    ],
)
def test_the_config_reaches_every_way_of_opening_a_page(configured: Run, title: str) -> None:
    result = configured.result(title)
    assert (result.outcome, [error.message for error in result.errors]) == ("passed", [])


def test_the_config_reaches_the_async_api(tmp_path: Path, sites: tuple[Site, Site]) -> None:
    run = _run(tmp_path, ASYNC, sites[0], CONFIG)
    assert [(result.outcome, result.errors) for result in run.results] == [("passed", ())]
    assert [asked.headers.get("x-preview-key") for asked in sites[0].requests("/late?async")] == ["of the job"]


def test_disabled_images_are_not_asked_for(configured: Run, sites: tuple[Site, Site]) -> None:
    assert sites[0].requests("/images")
    assert [asked.path for asked in sites[0].asked if asked.path.endswith(".png")] == []


def test_the_user_agent_goes_with_each_request(configured: Run, sites: tuple[Site, Site]) -> None:
    assert {asked.headers["user-agent"] for asked in sites[0].requests("/images")} == {"Wainwright test/1"}


def test_extra_headers_go_to_pages_popups_scripts_and_workers_of_the_own_origin(
    configured: Run, sites: tuple[Site, Site]
) -> None:
    for path in ("/", "/popup", "/fetched", "/of-worker", "/away", "/persistent"):
        assert {asked.headers.get("x-preview-key") for asked in sites[0].requests(path)} == {"of the job"}, path
    [fetched] = sites[0].requests("/fetched")
    assert fetched.headers["accept-language"] == "rm"


def test_extra_headers_go_to_no_other_origin_not_even_by_a_redirect(configured: Run, sites: tuple[Site, Site]) -> None:
    assert {asked.path for asked in sites[1].asked} >= {"/landed", "/third-party"}
    assert {asked.headers.get("x-preview-key") for asked in sites[1].asked} == {None}


def test_a_header_that_the_suite_sets_itself_stays(configured: Run, sites: tuple[Site, Site]) -> None:
    assert [asked.headers["x-set-by-both"] for asked in sites[0].requests("/popup?both")] == ["by the suite"]
    assert {asked.headers["x-set-by-both"] for asked in sites[0].requests("/fetched")} == {"by the job"}


PLAIN = """
    def test_page(page):
        page.goto("/images")
        assert page.evaluate("[innerWidth, innerHeight]") == [1280, 720]
        assert page.evaluate("document.images[0].naturalWidth") == 1
        assert not page.evaluate("matchMedia('(prefers-reduced-motion: reduce)').matches")
        waits = []
        page.wait_for_timeout = waits.append
        page.goto("/late")
        assert waits == []
"""


def test_without_a_config_nothing_of_it_happens(tmp_path: Path) -> None:
    with two_sites() as (own, _):
        run = _run(tmp_path, PLAIN, own, {})
        assert [(result.outcome, result.errors) for result in run.results] == [("passed", ())]
        assert {asked.path for asked in own.asked} >= {"/photo.png", "/background.png"}


OVERRIDDEN = """
    import pytest

    @pytest.fixture(scope="session")
    def browser_context_args(browser_context_args):
        return {**browser_context_args, "viewport": {"width": 390, "height": 800}}
"""


def test_what_the_suite_itself_sets_goes_before_the_config(tmp_path: Path, sites: tuple[Site, Site]) -> None:
    suite = """
        def test_page(page):
            assert page.evaluate("[innerWidth, innerHeight, navigator.language]") == [390, 800, "fr-CH"]
    """
    config = {"viewport": {"width": 700, "height": 500}, "locale": "fr-CH"}
    run = _run(tmp_path, suite, sites[0], config, OVERRIDDEN)
    assert [(result.outcome, result.errors) for result in run.results] == [("passed", ())]


EVERY_NAME_IS_HERE = """
    import pytest

    @pytest.fixture(scope="session")
    def browser_type_launch_args(browser_type_launch_args):
        return {**browser_type_launch_args, "args": ["--host-resolver-rules=MAP * 127.0.0.1"]}
"""
ADS = """
    import os

    def test_page(page):
        page.goto("/")
        for host in ("ads.doubleclick.net", "hotjar.com", "doubleclick.net.shop.example"):
            page.evaluate('''address => new Promise(resolve => {
                const script = document.createElement("script")
                script.onload = script.onerror = resolve
                script.src = address
                document.body.append(script)
            })''', f"http://{host}:{os.environ['OTHER']}/script.js")
"""


@pytest.mark.parametrize("block", [True, False])
def test_block_ads_cuts_off_the_listed_hosts_alone(tmp_path: Path, block: bool) -> None:
    with two_sites() as (own, other):
        run = _run(tmp_path, ADS, own, {"blockAds": block}, EVERY_NAME_IS_HERE, str(other.port))
        hosts = {asked.host.partition(":")[0] for asked in other.requests("/script.js")}
    everywhere = {"ads.doubleclick.net", "hotjar.com", "doubleclick.net.shop.example"}
    assert run.result("test_page").outcome == "passed"
    assert hosts == ({"doubleclick.net.shop.example"} if block else everywhere)
    counted = "requests to ad and tracker hosts blocked: 2 (ads.doubleclick.net 1, hotjar.com 1)"
    assert (counted in run.log("test_page")) is block
    said = "blockAds: 2 requests to ad and tracker hosts were blocked"
    assert [line.message for line in run.of(JobLog)] == ([said] if block else [])


def test_extra_headers_without_a_url_are_sent_nowhere_and_the_log_says_so(
    tmp_path: Path, sites: tuple[Site, Site]
) -> None:
    own, _ = sites
    files = SuiteFolder(tmp_path)
    files.write("test_config.py", f"def test_page(page):\n    page.goto('{own.url}/no-url')\n")
    run = files.run(config={"extraHeaders": {"X-Preview-Key": "secret"}}, trace="off", screenshot="off")
    assert [line.level for line in run.of(JobLog)] == ["ERROR"]
    assert "x-preview-key" not in own.requests("/no-url")[0].headers
