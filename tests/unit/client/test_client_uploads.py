"""Uploads of bundles by the client."""

from pathlib import Path

import httpx
import pytest

from tests.unit.client.fake_api import KEY, FakeApi
from wainwright.client import ApiError, Client


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    directory = tmp_path / "suite"
    directory.mkdir()
    (directory / "test_it.py").write_text("def test_it(): pass\n")
    return directory


def test_uploads_a_bundle_with_the_headers_it_was_told_and_without_the_key(
    client: Client, api: FakeApi, suite: Path
) -> None:
    bundle_id = client.upload_bundle(suite)
    assert api.bundles[bundle_id][:2] == b"\x1f\x8b"
    put = api.asked[-1]
    assert "Authorization" not in put.headers
    assert put.headers["Content-Length"] == str(len(put.content))
    assert "Transfer-Encoding" not in put.headers


def test_uploads_the_same_bundle_once(client: Client, api: FakeApi, suite: Path) -> None:
    assert client.upload_bundle(suite) == client.upload_bundle(suite)
    assert [request.method for request in api.asked] == ["POST", "PUT", "POST"]


def test_sends_an_upload_whole_again(client: Client, api: FakeApi, suite: Path) -> None:
    refuse_once = [httpx.Response(503)]

    def handle(request: httpx.Request) -> httpx.Response:
        if request.method == "PUT" and refuse_once:
            request.read()
            return refuse_once.pop()
        return api.handle(request)

    with Client(api.url, KEY, transport=httpx.MockTransport(handle), sleep=lambda _: None) as client:
        bundle_id = client.upload_bundle(suite)
    assert api.bundles[bundle_id]


def test_tells_what_the_object_store_said_against_an_upload(client: Client, api: FakeApi, suite: Path) -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(403, text="<Error>Expired</Error>") if request.method == "PUT" else api.handle(request)

    with (
        Client(api.url, KEY, transport=httpx.MockTransport(handle)) as client,
        pytest.raises(ApiError, match="answered 403 Forbidden: <Error>Expired</Error>"),
    ):
        client.upload_bundle(suite)
