"""What the code of a report may do on the origin that all reports share, tried in real Chromium."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.e2e.worker.served_reports import ReportsOrigin, reports_origin

pytestmark = pytest.mark.browser

ATTACK = """
const tries = {
  storage: () => { localStorage.setItem("a", "b"); return localStorage.length + sessionStorage.length; },
  cookie: () => { document.cookie = "a=b"; return document.cookie; },
  origin: () => { if (origin !== "null") return origin; throw new Error("none"); },
  fetch: async () => (await fetch(OTHER)).text(),
  own: async () => (await fetch("data/secret.txt")).text(),
  xhr: () => new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("GET", OTHER);
    request.onload = () => resolve(request.responseText);
    request.onerror = () => reject(new Error("refused"));
    request.send();
  }),
  parent: () => { if (parent === window) throw new Error("none"); return parent.document.body.textContent; },
  opener: () => opener.document.body.textContent,
  frame: () => new Promise((resolve, reject) => {
    const frame = document.createElement("iframe");
    frame.onload = () => { try { resolve(frame.contentWindow.document.body.textContent); } catch (error) { reject(error); } };
    frame.src = OTHER;
    document.body.append(frame);
  }),
  worker: async () => (await navigator.serviceWorker.register("data/worker.js")).scope,
  caches: async () => (await caches.keys()).length + 1,
  database: () => new Promise((resolve, reject) => {
    const request = indexedDB.open("a");
    request.onsuccess = () => resolve("open");
    request.onerror = () => reject(request.error);
  }),
  channel: () => new Promise((resolve, reject) => {
    new BroadcastChannel("secrets").onmessage = (message) => resolve(message.data);
    setTimeout(() => reject(new Error("nothing heard")), 1_000);
  }),
};
(async () => {
  const got = {};
  for (const [name, attempt] of Object.entries(tries)) {
    try { got[name] = String(await attempt()); } catch (error) { got[name] = null; }
  }
  (window.REPORT || ((got) => { document.documentElement.dataset.got = got; }))(JSON.stringify(got));
})();
"""
WITHIN_REACH = {"storage"}
"""The page has storage of its own, in memory, that ends with it."""


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReportsOrigin]:
    with reports_origin(tmp_path_factory.mktemp("origin")) as origin:
        yield origin


@pytest.fixture(scope="module")
def victim(reports: ReportsOrigin) -> str:
    """The address of a report that is somebody else's."""
    page = b"<!doctype html><head></head><body>the other report"
    return reports.open({"index.html": page, "data/secret.txt": b"secret"})


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    with chromium.new_context() as context:
        context.set_default_timeout(30_000)
        yield context


def attacker(reports: ReportsOrigin, victim: str, *, shell: str = "<!doctype html><html><head></head><body>") -> str:
    """The address of a report whose own page, and an attachment, try everything."""
    code = f"const OTHER = {json.dumps(victim + 'data/secret.txt')};{ATTACK}"
    page = f"{shell}<script>{code}</script>".encode()
    worker = b"self.addEventListener('fetch', () => {});"
    files = {
        "index.html": page, "data/page.html": page, "data/worker.js": worker, "data/secret.txt": b"own",
        "data/image.svg": f"<svg xmlns='http://www.w3.org/2000/svg'><script>{code}</script></svg>".encode(),
    }  # fmt: skip
    return reports.open(files)


def got(context: BrowserContext, url: str) -> dict[str, Any]:
    """What the attack on a page came by, while the victim is open in another tab."""
    page = context.new_page()
    page.goto(url)
    page.wait_for_function("document.documentElement.dataset.got !== undefined")
    found: dict[str, Any] = json.loads(page.evaluate("document.documentElement.dataset.got"))
    return {name: value for name, value in found.items() if value is not None}


@pytest.mark.parametrize(
    "shell",
    [
        "<!doctype html><html><head></head><body>",
        "<!DOCTYPE html><html lang='en'><HEAD class='a'><title>a</title></HEAD><body>",
        "<!-- <head> --><body>",
        "",
    ],
)
def test_a_suites_own_page_reads_nothing_of_the_origin(
    reports: ReportsOrigin, victim: str, context: BrowserContext, shell: str
) -> None:
    context.new_page().goto(victim)

    found = got(context, attacker(reports, victim, shell=shell))

    assert found.keys() <= WITHIN_REACH, found


def test_a_page_that_it_opens_reads_no_more(reports: ReportsOrigin, victim: str, context: BrowserContext) -> None:
    page = context.new_page()
    page.goto(attacker(reports, victim))
    with page.expect_popup() as opened:
        page.evaluate(
            "(url) => { const link = document.createElement('a'); link.href = url; link.target = '_blank'; "
            "link.rel = 'opener'; document.body.append(link); link.click(); }",
            "index.html",
        )
    popup = opened.value
    popup.wait_for_function("document.documentElement.dataset.got !== undefined")
    found = json.loads(popup.evaluate("document.documentElement.dataset.got"))
    assert {name for name, value in found.items() if value is not None} <= WITHIN_REACH, found

    for address in (
        "open(URL.createObjectURL(new Blob(['<p>made here'], { type: 'text/html' })))",
        "open('about:blank')",
    ):
        with page.expect_popup() as made:
            page.evaluate(f"() => {{ {address}; }}")
        assert made.value.evaluate("origin") == "null", f"{address} has its maker's origin, which is none"


@pytest.mark.parametrize("path", ["data/page.html", "data/image.svg"])
def test_an_attachment_runs_no_script(reports: ReportsOrigin, victim: str, context: BrowserContext, path: str) -> None:
    page = context.new_page()
    page.goto(attacker(reports, victim) + path)

    assert page.evaluate("document.documentElement.dataset.got") is None
    assert page.evaluate("origin") == "null"


def test_code_that_runs_on_the_origin_itself_makes_no_attachment_a_service_worker(
    reports: ReportsOrigin, victim: str, context: BrowserContext
) -> None:
    """A service worker lists the addresses of all pages of its origin, and the tickets in them."""
    address = attacker(reports, victim)
    page = context.new_page()
    page.goto(f"{address}trace/snapshot.html")
    assert page.evaluate("origin") == reports.url, (
        "the trace viewer is not sandboxed, and may show what a suite recorded"
    )

    register = "(path) => navigator.serviceWorker.register(path).then(() => 'registered', (error) => error.name)"
    assert page.evaluate(register, f"{address}data/worker.js") == "TypeError"
    assert page.evaluate(register, f"{address}trace/sw.bundle.js") == "registered", "the trace viewer's own works"


def test_a_page_keeps_its_settings_in_memory(reports: ReportsOrigin, context: BrowserContext) -> None:
    script = """
        localStorage.theme = "dark-mode"; localStorage.setItem("a", 1);
        const read = [localStorage.theme, localStorage.getItem("a"), localStorage.getItem("b"), localStorage.length];
        localStorage.removeItem("a"); sessionStorage.clear();
        document.title = JSON.stringify([...read, Object.keys(localStorage), localStorage.key(0), document.compatMode]);
    """
    url = reports.open({"index.html": f"<!doctype html><head></head><body><script>{script}</script>".encode()})
    page = context.new_page()

    page.goto(url)

    assert json.loads(page.title()) == ["dark-mode", "1", None, 2, ["theme"], "theme", "CSS1Compat"]
