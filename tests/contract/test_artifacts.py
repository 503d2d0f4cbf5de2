"""Every Artifacts, in memory and on AWS."""

import base64
import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.faults import Faults
from wainwright.adapters.aws.artifacts import S3Artifacts
from wainwright.adapters.aws.clients import Clients
from wainwright.domain.errors import TooLarge, Unavailable
from wainwright.ports.artifacts import ArtifactMissing, Artifacts

REFUSED = {"SlowDown": 503, "AccessDenied": 403, "InternalError": 500}

KEY = "reports/shop/job/data/1-1-trace ä.zip"


def test_gives_back_content_and_type(artifacts: Artifacts) -> None:
    artifacts.put(KEY, b"\x00content\xff", "application/zip")

    assert artifacts.get(KEY) == (b"\x00content\xff", "application/zip")


def test_an_object_written_again_takes_the_place_of_the_one_before(artifacts: Artifacts) -> None:
    artifacts.put(KEY, b"one", "text/plain")
    artifacts.put(KEY, b"", "text/html")

    assert artifacts.get(KEY) == (b"", "text/html")


def test_takes_files_and_gives_files(artifacts: Artifacts, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 3_000_000)
    artifacts.put_file(KEY, tmp_path / "a", "video/webm")
    artifacts.download(KEY, tmp_path / "b")

    assert (tmp_path / "b").read_bytes() == (tmp_path / "a").read_bytes()
    assert artifacts.get(KEY)[1] == "video/webm"


def test_tells_of_a_missing_object(artifacts: Artifacts, tmp_path: Path) -> None:
    with pytest.raises(ArtifactMissing):
        artifacts.get(KEY)
    with pytest.raises(ArtifactMissing):
        artifacts.download(KEY, tmp_path / "a")

    assert artifacts.size_and_age(KEY) is None
    assert not (tmp_path / "a").exists()


def test_reads_no_more_than_asked(artifacts: Artifacts) -> None:
    artifacts.put(KEY, b"12345", "text/plain")

    assert artifacts.get(KEY, most=5) == (b"12345", "text/plain")
    with pytest.raises(TooLarge, match=r"5 bytes.* 4"):
        artifacts.get(KEY, most=4)


def test_tells_size_and_time_of_writing(artifacts: Artifacts) -> None:
    artifacts.put(KEY, b"12345", "text/plain")

    found = artifacts.size_and_age(KEY)

    assert found is not None
    assert found[0] == 5
    assert isinstance(found[1], datetime)
    assert found[1].tzinfo is not None


def test_the_way_to_upload_is_bound_to_digest_and_size(artifacts: Artifacts) -> None:
    digest = hashlib.sha256(b"bundle")

    upload = artifacts.presign_put(KEY, sha256=digest.hexdigest(), size=6, lasts=timedelta(minutes=15))

    assert upload.url
    assert upload.headers["x-amz-checksum-sha256"] == base64.b64encode(digest.digest()).decode()
    assert upload.headers["content-length"] == "6"


def test_the_way_to_read_needs_no_header(artifacts: Artifacts) -> None:
    artifacts.put(KEY, b"12345", "text/plain")

    read = artifacts.presign_get(KEY, lasts=timedelta(minutes=15))

    assert read.url
    assert dict(read.headers) == {}


def test_presigned_addresses_of_s3_sign_what_they_promise(s3_artifacts: S3Artifacts) -> None:
    put = s3_artifacts.presign_put("k", sha256="0" * 64, size=6, lasts=timedelta(minutes=15))
    get = s3_artifacts.presign_get("k", lasts=timedelta(minutes=2))

    signed = parse_qs(urlsplit(put.url).query)
    assert signed["X-Amz-SignedHeaders"] == ["content-length;host;x-amz-checksum-sha256"]
    assert signed["X-Amz-Expires"] == ["900"]
    assert parse_qs(urlsplit(get.url).query)["X-Amz-Expires"] == ["120"]


@pytest.mark.parametrize(("code", "status"), REFUSED.items())
def test_what_s3_refuses_is_unavailable_with_its_reason_alone(
    s3_artifacts: S3Artifacts, aws_clients: Clients, tmp_path: Path, code: str, status: int
) -> None:
    (tmp_path / "a").write_bytes(b"x")
    calls: list[Callable[[], object]] = [
        lambda: s3_artifacts.put(KEY, b"x", "text/plain"),
        lambda: s3_artifacts.put_file(KEY, tmp_path / "a", "text/plain"),
        lambda: s3_artifacts.size_and_age(KEY),
    ]
    for call in calls:
        with Faults(aws_clients.s3, on=("PutObject", "HeadObject")).installed() as faults:
            faults.refuse(code, status=status)
            with pytest.raises(Unavailable) as refused:
                call()
        assert refused.value.message == f"S3 answered {code}"


def test_an_s3_that_does_not_answer_is_unavailable(s3_artifacts: S3Artifacts, aws_clients: Clients) -> None:
    with Faults(aws_clients.s3, on=("PutObject",)).installed() as faults:
        faults.lose_answers = 100
        with pytest.raises(Unavailable, match=r"^S3 could not be reached: ConnectionClosedError$"):
            S3Artifacts(aws_clients.s3, "artifacts").put(KEY, b"x", "text/plain")


def test_a_writer_that_tries_again_itself_makes_one_request_each_time(
    s3_artifacts: S3Artifacts, aws_clients: Clients
) -> None:
    artifacts = S3Artifacts(aws_clients.s3, "artifacts", writer=aws_clients.s3_once)
    with Faults(aws_clients.s3_once, on=("PutObject",)).installed() as faults:
        faults.lose_answers = 1
        with pytest.raises(Unavailable):
            artifacts.put(KEY, b"x", "text/plain")
        artifacts.put(KEY, b"y", "text/plain")

        assert faults.calls == ["PutObject", "PutObject"]

    assert artifacts.get(KEY) == (b"y", "text/plain")
