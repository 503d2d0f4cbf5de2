"""Reading a job's report with the client."""

from pathlib import Path

import httpx
import pytest

from tests.unit.client.fake_api import JOB_ID, KEY, FakeApi, manifest
from wainwright.client import ApiError, Client, RetryRules, UnexpectedAnswer, Unreachable


def test_writes_a_file_of_the_report(client: Client, api: FakeApi, tmp_path: Path) -> None:
    api.report = {"data/1-2-a b.png": b"\x00" * 100_000}
    written = client.report_file(JOB_ID, "data/1-2-a b.png", tmp_path / "new" / "a.png")
    assert written.read_bytes() == b"\x00" * 100_000
    assert [file.name for file in written.parent.iterdir()] == ["a.png"]


def test_leaves_nothing_behind_when_the_report_has_no_such_file(client: Client, tmp_path: Path) -> None:
    with pytest.raises(ApiError, match="the report has no file x"):
        client.report_file(JOB_ID, "x", tmp_path / "x")
    assert not list(tmp_path.iterdir())


def test_follows_to_another_origin_without_the_key(api: FakeApi, tmp_path: Path) -> None:
    api.report = {"trace.zip": b"zip"}
    api.elsewhere = "https://bucket.example/signed"
    asked = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, content=b"zip") if request.url.host == "bucket.example" else api.handle(request)

    with Client(api.url, KEY, transport=httpx.MockTransport(handle)) as client:
        assert client.report_file(JOB_ID, "trace.zip", tmp_path / "t").read_bytes() == b"zip"
    assert [("Authorization" in request.headers, request.url.host) for request in asked] == [
        (True, "127.0.0.1"),
        (False, "bucket.example"),
    ]


def test_another_port_is_another_origin(api: FakeApi, tmp_path: Path) -> None:
    api.report = {"a": b"1"}
    api.elsewhere = "http://127.0.0.1:2"
    with Client(api.url, KEY, transport=httpx.MockTransport(api.handle)) as client, pytest.raises(ApiError):
        client.report_file(JOB_ID, "a", tmp_path / "a")
    assert "Authorization" not in api.asked[-1].headers


def test_names_the_host_that_did_not_answer_after_a_redirect(api: FakeApi, tmp_path: Path) -> None:
    api.report = {"a": b"1"}
    api.elsewhere = "https://bucket.example/signed"

    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.host == "bucket.example":
            raise httpx.ConnectError("connection refused")
        return api.handle(request)

    with (
        Client(api.url, KEY, transport=httpx.MockTransport(handle), retries=RetryRules(tries=1)) as client,
        pytest.raises(Unreachable, match=r"https://bucket\.example cannot be reached: connection refused"),
    ):
        client.report_file(JOB_ID, "a", tmp_path / "a")


def test_does_not_follow_in_circles(client: Client, api: FakeApi, tmp_path: Path) -> None:
    api.planned = [httpx.Response(302, headers={"Location": "/v1/health"})] * 3
    with pytest.raises(UnexpectedAnswer, match="endlessly"):
        client.report_file(JOB_ID, "a", tmp_path / "a")


def test_lists_the_files_of_a_report(client: Client, api: FakeApi) -> None:
    api.report = {"manifest.json": manifest({"index.html": b"<html>", "data/x.zip": b""})}
    assert [(file.path, file.size) for file in client.manifest(JOB_ID).files] == [("index.html", 6), ("data/x.zip", 0)]


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../x", "c:/x", "a\\b", "", "a\0b"])
def test_refuses_a_manifest_that_names_files_outside_the_report(client: Client, api: FakeApi, path: str) -> None:
    api.report = {"manifest.json": manifest({path: b""})}
    with pytest.raises(UnexpectedAnswer, match="outside itself"):
        client.manifest(JOB_ID)


def test_gives_a_ticket_for_a_browser(client: Client, api: FakeApi) -> None:
    assert client.ticket(JOB_ID).report_url == f"{api.url}/r/t/index.html"
