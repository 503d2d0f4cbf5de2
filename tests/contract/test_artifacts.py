"""What every Artifacts does."""

import base64
import hashlib
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from wainwright.adapters.aws.artifacts import S3Artifacts
from wainwright.domain.errors import TooLarge
from wainwright.ports import ArtifactMissing, Artifacts

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
