"""A page of another origin, in a real browser, against every port that a local system opens."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import pytest
from botocore.client import Config
from playwright.sync_api import Browser

from tests.local.conftest import seen
from wainwright.local.system import LocalSystem

pytestmark = pytest.mark.browser

# Tries to read; gives the text, or the kind of error.
READ = """async ([url, options]) => {
    try { const answer = await fetch(url, options); return `${answer.type} ${answer.status} ${await answer.text()}`; }
    catch (error) { return error.name; }
}"""

# A form needs no permission to be sent anywhere.
POST_FORM = """([url, fields]) => new Promise(resolve => {
    const frame = document.createElement("iframe"); frame.name = "target"; frame.onload = () => resolve("sent");
    const form = document.createElement("form"); form.method = "POST"; form.action = url; form.target = "target";
    for (const [name, value] of Object.entries(fields)) {
        const input = document.createElement("input"); input.name = name; input.value = value; form.append(input);
    }
    document.body.append(frame, form); form.submit();
})"""


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>evil</title><body></body>")

    def log_message(self, format: str, *args: Any) -> None: ...  # noqa: A002 - the base class names it


@pytest.fixture(scope="module")
def evil_origin() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Page)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def populated(system: LocalSystem) -> LocalSystem:
    boto3.client("s3").put_object(Bucket="bucket", Key="secret.txt", Body=b"secret")
    boto3.client("dynamodb").put_item(TableName="Table", Item={"pk": {"S": "secret"}, "sk": {"S": "1"}})
    return system


def state() -> tuple[Any, ...]:
    """Everything that a page could have changed."""
    rows = boto3.client("dynamodb").scan(TableName="Table")["Items"]
    objects = [each["Key"] for each in boto3.client("s3").list_objects_v2(Bucket="bucket").get("Contents", [])]
    queues = boto3.client("sqs").list_queues()["QueueUrls"]
    return rows, objects, queues, list(seen("sweep"))


def test_can_neither_read_nor_change_this_runs_aws(populated: LocalSystem, chromium: Browser, evil_origin: str) -> None:
    before = state()
    page = chromium.new_page()
    page.goto(evil_origin)
    url = populated.endpoint_url
    attempts: list[tuple[str, dict[str, Any]]] = [
        (f"{url}/", {}),
        (f"{url}/bucket", {}),
        (f"{url}/bucket/secret.txt", {}),
        (f"{url}/bucket/new", {"method": "PUT", "body": "evil"}),
        (f"{url}/bucket/secret.txt", {"method": "DELETE"}),
        (f"{url}/moto-api/reset", {"method": "POST"}),
        (f"{url}/", {"method": "POST", "headers": {"X-Amz-Target": "DynamoDB_20120810.ListTables"}, "body": "{}"}),
        (f"{url}/2015-03-31/functions/Sweep/invocations", {"method": "POST", "body": "{}"}),
    ]
    for target, options in attempts:
        assert page.evaluate(READ, [target, options]) == "TypeError", (
            f"{options.get('method', 'GET')} {target} was readable"
        )
        simple = {**options, "mode": "no-cors", "headers": {}}
        if simple.get("method", "GET") in ("GET", "POST"):
            assert page.evaluate(READ, [target, simple]) == "opaque 0 "
    fields = {"Action": "SendMessage", "MessageBody": "evil", "QueueUrl": populated.template.ref("Work")}
    for target in (url, f"{url}/moto-api/reset", f"{url}/bucket"):
        assert page.evaluate(POST_FORM, [target, fields]) == "sent"
    page.close()
    assert state() == before


def test_cannot_read_the_apis(populated: LocalSystem, chromium: Browser, evil_origin: str) -> None:
    page = chromium.new_page()
    page.goto(evil_origin)
    for url in populated.api_urls.values():
        assert page.evaluate(READ, [f"{url}/v1/jobs/7", {}]) == "TypeError"
        assert page.evaluate(READ, [f"{url}/v1/jobs/7", {"headers": {"Authorization": "Bearer guess"}}]) == "TypeError"
    page.close()


def test_the_reports_origin_can_follow_a_presigned_url(
    populated: LocalSystem, chromium: Browser, evil_origin: str
) -> None:
    client = boto3.client("s3", config=Config(signature_version="s3v4"))
    url = client.generate_presigned_url("get_object", Params={"Bucket": "bucket", "Key": "secret.txt"}, ExpiresIn=60)
    page = chromium.new_page()
    page.goto(f"{populated.api_urls['Reports']}/r/x")
    assert page.evaluate(READ, [url, {}]) == "cors 200 secret"
    page.goto(evil_origin)
    assert page.evaluate(READ, [url, {}]) == "TypeError"
    page.close()
