"""Secrets are planted everywhere that a test can put them; then every byte that left the test process is looked through."""

from __future__ import annotations

import json
import logging
import re
import time
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.worker.one_worker import packed
from tests.support import planted_suite_ts
from tests.support.planted import NEEDLES, SECRETS, Traffic, kept_files, leaks, opened
from tests.support.planted_suite import SUITE
from wainwright.cli.up import local_access
from wainwright.local.synth import template_for
from wainwright.local.system import LocalSystem

ROOT = Path(__file__).parents[3]

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.thorough]

PATIENCE = 120_000
"""Milliseconds that a busy machine may take to show something."""

BROKEN = "import os\nraise ValueError('cannot ' + os.environ['WEIRD_PASSWORD'])\n"


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def traffic() -> Iterator[Traffic]:
    with Traffic().recorded() as traffic:
        yield traffic


@pytest.fixture(scope="module")
def system(cache: Path, traffic: Traffic, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSystem]:
    template = template_for(ROOT, cache)
    with LocalSystem(template, ROOT, tmp_path_factory.mktemp("planted") / "data", api_port=0, max_workers=1) as running:
        yield running


@pytest.fixture(scope="module")
def http(system: LocalSystem, answers: list[tuple[str, bytes]]) -> Iterator[httpx.Client]:
    def keep(response: httpx.Response) -> None:
        response.read()
        answers.append((f"{response.request.method} {response.url}", response.content))
        answers.append((f"headers of {response.url}", repr(response.headers.raw).encode()))

    headers = {"Authorization": f"Bearer {local_access()}"}
    with httpx.Client(
        base_url=system.api_url, headers=headers, timeout=60, event_hooks={"response": [keep]}, follow_redirects=True
    ) as client:
        yield client


@pytest.fixture(scope="module")
def answers() -> list[tuple[str, bytes]]:
    """What the API answered, to anything."""
    return []


@pytest.fixture(scope="module")
def job(http: httpx.Client) -> dict[str, Any]:
    """A job whose tests say all secrets in all ways."""
    _store_secrets(http)
    record = _run(http, script=SUITE)
    assert record["tests"]["total"] == 21, record["failure"]
    return record


@pytest.fixture(scope="module")
def typescript_job(http: httpx.Client) -> dict[str, Any]:
    """A job of a Playwright Test suite that does likewise."""
    _store_secrets(http)
    archive = packed(planted_suite_ts.SUITE)
    bundle = {"sha256": sha256(archive).hexdigest(), "size": len(archive)}
    announced = http.post("/v1/bundles", json=bundle).json()
    upload = announced["upload"]
    assert httpx.put(upload["url"], headers=upload["headers"], content=archive).is_success
    record = _run(http, bundleId=announced["bundleId"])
    assert record["tests"]["total"] == planted_suite_ts.TESTS, record["failure"]
    return record


def _store_secrets(http: httpx.Client) -> None:
    for name, value in SECRETS.items():
        answer = http.put(f"/v1/secrets/{name}", json={"value": value})
        assert answer.status_code == 200, answer.text


def _run(http: httpx.Client, **suite: str) -> dict[str, Any]:
    created = http.post("/v1/jobs", json={**suite, "config": {"trace": "on", "screenshot": "on"}})
    assert created.status_code == 202, created.text
    job_id = created.json()["jobId"]
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline:
        record: dict[str, Any] = http.get(f"/v1/jobs/{job_id}?wait=20").json()["job"]
        if record["status"] in {"completed", "failed"}:
            return record
    raise AssertionError(f"job {job_id} has not ended")


def _read_everything(http: httpx.Client, job_id: str) -> list[str]:
    """Ask the API for all that it has of a job; the paths of its report."""
    for path in ("", "/logs?limit=1000", "/events", "/report/index.html", "/report/results.json", "/report/junit.xml"):
        assert http.get(f"/v1/jobs/{job_id}{path}").status_code == 200
    manifest = http.get(f"/v1/jobs/{job_id}/report/manifest.json").json()
    paths = [file["path"] for file in manifest["files"] if not file["path"].startswith("trace/")]
    for path in paths:
        assert http.get(f"/v1/jobs/{job_id}/report/{path}").status_code == 200
    return paths


def test_no_byte_that_left_has_a_secret_in_it(
    system: LocalSystem, http: httpx.Client, traffic: Traffic, answers: list[tuple[str, bytes]], job: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG, "wainwright")
    broken = _run(http, script=BROKEN)
    assert broken["failure"]["category"] == "script_error"
    paths = _read_everything(http, job["id"]) + _read_everything(http, broken["id"])
    for path in ("/v1/secrets", "/v1/jobs", "/v1/queue", "/v1/analytics"):
        assert http.get(path).status_code == 200
    refused = http.put("/v1/secrets/PATH", json={"value": SECRETS["PASSPHRASE"]})
    wrong = http.put("/v1/secrets/TOKEN", json={"vaule": SECRETS["PASSPHRASE"]})
    long = http.put("/v1/secrets/TOKEN", json={"value": SECRETS["PASSPHRASE"] * 200})
    torn = http.put("/v1/secrets/TOKEN", content=b'{"value": "' + SECRETS["PASSPHRASE"].encode())
    assert [each.status_code for each in (refused, wrong, long, torn)] == [400, 400, 400, 400]

    looked: list[tuple[str, bytes]] = [*answers, *traffic.seen, *kept_files(system.data_dir)]
    looked += _histories()
    looked += [("log line", record.getMessage().encode() + repr(vars(record)).encode()) for record in caplog.records]
    found = [leak for where, data in looked for leak in leaks(where, data)]

    assert found == []
    # It was looked where there was something to see.
    assert {"dynamodb", "s3", "sqs", "states", "ssm", "eventbridge"} <= traffic.services
    assert sum(path.endswith(".zip") for path in paths) >= 12
    marks = {name: sum(f"[secret {name}]".encode() in data for _, data in looked) for name in SECRETS}
    assert min(marks.values()) > 10, marks
    assert sum(len(data) for _, data in looked) > 1_000_000


def test_no_byte_that_left_a_suite_of_playwright_test_has_a_secret_in_it(
    system: LocalSystem, http: httpx.Client, traffic: Traffic, answers: list[tuple[str, bytes]],
    typescript_job: dict[str, Any], caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG, "wainwright")
    job_id = typescript_job["id"]
    paths = _read_everything(http, job_id)

    looked: list[tuple[str, bytes]] = [*answers, *traffic.seen, *kept_files(system.data_dir), *_histories()]
    looked += [("log line", record.getMessage().encode() + repr(vars(record)).encode()) for record in caplog.records]
    found = [leak for where, data in looked for leak in leaks(where, data)]

    assert found == []
    # Nor has a name of a file a secret of which but the signs are gone that cannot be in such a name.
    words = [word for value in SECRETS.values() for word in re.findall(r"[A-Za-z0-9]{8,}", value)]
    assert [path for path in paths if any(word in path for word in words)] == []
    # It was looked where there was something to see, in the runner's own report too.
    assert sum(path.endswith(".zip") for path in paths) >= 10
    page = http.get(f"/v1/jobs/{job_id}/report/index.html").content
    inside = b"".join(data for _, data in opened("page", page))
    assert b'"actualWorkers"' in inside
    for name in SECRETS:
        assert inside.count(f"is named [secret {name}]".encode()) > 0
        assert sum(f"[secret {name}]".encode() in data for where, data in looked if job_id in where) > 2, name
    results = http.get(f"/v1/jobs/{job_id}/report/results.json").json()["tests"]
    outcomes = Counter(test["outcome"] for test in results)
    assert outcomes == {"passed": 7, "failed": 5, "flaky": 1, "skipped": 1}
    assert len({test["id"] for test in results}) == planted_suite_ts.TESTS


def test_the_needles_are_found_where_they_are() -> None:
    for name, needles in NEEDLES.items():
        assert len(needles) >= 5
        for needle in needles:
            assert [each.split(" ")[0] for each in leaks("a file", b"before " + needle + b" after")] == [name]


def test_what_is_left_is_told_apart_and_says_which_secret_it_was(http: httpx.Client, job: dict[str, Any]) -> None:
    results = http.get(f"/v1/jobs/{job['id']}/report/results.json").json()
    titles = [test["title"] for test in results["tests"]]
    assert len(set(titles)) == len(titles) == 21
    assert "test_is_named_by_it[[secret PASSPHRASE]]" in titles
    (in_browser,) = [test for test in results["tests"] if test["title"] == "test_says_it_in_a_browser"]
    assert in_browser["outcome"] == "passed", json.dumps(in_browser)[:2_000]
    stored = http.get(f"/v1/jobs/{job['id']}").json()["job"]["results"]
    assert stored["of-PASSPHRASE"]["value"] == "[secret PASSPHRASE]"
    assert stored["of-PASSPHRASE"]["pin"] == "[secret ACCOUNT_PIN]"


def test_a_redacted_trace_opens_in_the_trace_viewer(http: httpx.Client, job: dict[str, Any], chromium: Browser) -> None:
    ticket = http.post(f"/v1/jobs/{job['id']}/ticket").json()
    errors: list[str] = []
    page = chromium.new_page()
    page.set_default_timeout(PATIENCE)
    page.on("pageerror", lambda error: errors.append(str(error)))
    try:
        page.goto(ticket["reportUrl"])
        page.locator(".test-file-test").filter(has_text="test_says_it_in_a_browser").get_by_role(
            "link", name="View Trace"
        ).click()
        actions = page.get_by_test_id("actions-tree")
        expect(actions.get_by_text("Fill").first).to_contain_text("[secret PASSPHRASE]", timeout=PATIENCE)
        actions.get_by_text("Fill").first.click()
        page.get_by_role("tab", name="After").click()
        snapshot = page.frame_locator("iframe.snapshot-visible[name=snapshot]")
        expect(snapshot.get_by_role("heading", name="Shop")).to_be_visible(timeout=PATIENCE)
        expect(snapshot.locator("#all")).to_contain_text("[secret HOOK_URL]", timeout=PATIENCE)
        expect(snapshot.get_by_role("textbox").first).to_have_value("[secret PASSPHRASE]", timeout=PATIENCE)
        page.get_by_role("tab", name=re.compile("Network")).click()
        expect(page.get_by_text("[secret", exact=False).first).to_be_visible(timeout=PATIENCE)
        page.get_by_role("tab", name=re.compile("Console")).click()
        expect(page.get_by_text("[secret API_TOKEN]").first).to_be_visible(timeout=PATIENCE)
    finally:
        page.context.close()
    assert errors == []


def _histories() -> Iterator[tuple[str, bytes]]:
    client = boto3.client("stepfunctions")
    for machine in client.list_state_machines()["stateMachines"]:
        for execution in client.list_executions(stateMachineArn=machine["stateMachineArn"])["executions"]:
            history = client.get_execution_history(executionArn=execution["executionArn"])
            yield "history", json.dumps(history, default=str).encode()
            yield (
                "execution",
                json.dumps(client.describe_execution(executionArn=execution["executionArn"]), default=str).encode(),
            )
